import Glibc
import ProviderTools
import SessionRuntime
import Testing

@Suite("Connection bounds")
struct ConnectionBoundsTests {
    @Test(
        "Connections fit into what the process may open, with room for files",
        arguments: [
            (10_000, 1_048_576, 10_000, 5000), (10_000, Int.max, 10_000, 5000), (10_000, 4096, 3840, 1920),
            (1000, 1256, 1000, 500), (1000, 1255, 999, 499), (10_000, 20, 10, 5), (1, 1024, 1, 1), (10, 0, 1, 1),
        ])
    func clamped(asked: Int, fileLimit: Int, connections: Int, unauthenticated: Int) {
        var configuration = ServerConfiguration()
        configuration.maximumConnections = asked
        let bounds = ConnectionBounds(configuration, fileLimit: fileLimit)
        #expect(bounds.limits.connections == connections)
        #expect(bounds.limits.unauthenticatedConnections == unauthenticated)
        #expect((bounds.warning != nil) == (connections < asked))
    }

    @Test func fileLimitIsWhatTheSystemPermits() {
        let raised = raiseFileLimit()
        var limit = rlimit()
        #expect(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
        #expect(raised == Int(clamping: limit.rlim_cur) && limit.rlim_cur == limit.rlim_max)
    }
}
