// C structures belong to Glibc or to CoreFoundation, depending on which the compiler reads first.
import CoreFoundation
import Dispatch
import Foundation
import Glibc

/// A program of the operator's that is run to its end, or for some time at most. It inherits no descriptor of the server's
/// but standard error, where it may write for the log, and no environment.
///
/// Not by Foundation's `Process`, which reads past a buffer when some 1,300 descriptors are open.
struct HookProgram: Sendable {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    /// Between looks at whether it has ended, microseconds.
    private static let pause: UInt32 = 20_000
    /// Between asking it to end and ending it.
    private static let grace = Duration.seconds(2)
    private static let queue = DispatchQueue(label: "hook", attributes: .concurrent)

    /// Absolute.
    var path: String
    var arguments: [String]
    var environment: [String: String]

    /// Throws unless it ended with status 0 within the time. When it did not, it and its children are ended.
    func run(within limit: Duration) async throws(Failure) {
        let result: Result<Void, Failure> = await withCheckedContinuation { continuation in
            Self.queue.async {
                continuation.resume(returning: Result { () throws(Failure) in try runNow(limit) })
            }
        }
        try result.get()
    }

    private func runNow(_ limit: Duration) throws(Failure) {
        let child = try start()
        let clock = ContinuousClock()
        let end = clock.now + limit
        while clock.now < end {
            if let status = Self.status(child) { return try Self.check(status) }
            usleep(Self.pause)
        }
        kill(-child, SIGTERM)
        let last = clock.now + Self.grace
        while clock.now < last, Self.status(child) == nil { usleep(Self.pause) }
        // Its children too, and itself when it did not want to.
        kill(-child, SIGKILL)
        while Self.status(child) == nil { usleep(Self.pause) }
        throw Failure(description: "it took longer than \(TimeSpan.text(limit)), and was ended")
    }

    private func start() throws(Failure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, 2, 1)
        // Most are closed by themselves; not those of every library.
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? [] {
            if let descriptor = Int32(entry), descriptor > 2 { posix_spawn_file_actions_addclose(&actions, descriptor) }
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP))
        var words = ([path] + arguments).map { strdup($0) } + [nil]
        var settings = environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + settings { free(text) } }
        var child: pid_t = 0
        let result = posix_spawn(&child, path, &actions, &attributes, &words, &settings)
        guard result == 0 else {
            throw Failure(description: "\(path) cannot be run: \(String(cString: strerror(result)))")
        }
        return child
    }

    /// As waitpid(2) has it; nil while it runs. A child that somebody else waited for counts as failed.
    private static func status(_ child: pid_t) -> Int32? {
        var status: Int32 = 0
        let result = waitpid(child, &status, WNOHANG)
        if result == 0 || result < 0 && errno == EINTR { return nil }
        return result < 0 ? 127 << 8 : status
    }

    private static func check(_ status: Int32) throws(Failure) {
        let signal = status & 0x7F
        guard signal == 0 else { throw Failure(description: "it was ended by signal \(signal)") }
        guard status == 0 else { throw Failure(description: "it ended with status \(status >> 8 & 0xFF)") }
    }
}
