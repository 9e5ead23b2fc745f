import MailRelay
import Synchronization

final class RecordedResults: TLSResultRecorder {
    private let content = Mutex<[TLSSessionResult]>([])

    var results: [TLSSessionResult] { content.withLock { $0 } }
    var failures: [TLSFailure] { results.compactMap(\.failure) }

    func record(_ result: TLSSessionResult) { content.withLock { $0.append(result) } }
}

/// Policy files without a web server.
final class ScriptedPolicyFiles: STSPolicyFetcher {
    private struct Content {
        var files: [String: String] = [:]
        var fetches: [String] = []
    }

    private let content = Mutex(Content())

    var fetches: [String] { content.withLock { $0.fetches } }

    func set(_ domain: String, _ text: String?) { content.withLock { $0.files[domain] = text } }

    func fetch(_ domain: String) async throws(STSFetchFailure) -> [UInt8] {
        let text = content.withLock { content in
            content.fetches.append(domain)
            return content.files[domain]
        }
        guard let text else { throw .unreachable(reason: "nothing there") }
        return Array(text.utf8)
    }
}

/// Seconds that a test moves on.
final class ManualClock: Sendable {
    private let seconds: Mutex<Int64>

    init(_ start: Int64) { seconds = Mutex(start) }

    var now: Int64 { seconds.withLock { $0 } }
    func advance(_ by: Int64) { seconds.withLock { $0 += by } }
}
