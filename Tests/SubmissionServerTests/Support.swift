import MailStore
import MailTestSupport
import MailVocabulary
import SASL
import SubmissionServer
import Synchronization
import WireFraming

/// A body writer that fails where it is told to, and counts.
final class ScriptedWriter: BodyWriter {
    struct Script: Sendable {
        var spillsAt = Int.max
        var spillError: StoreError?
        var finishError: StoreError?
    }

    private let script: Script
    private let state = Mutex<(inMemory: [UInt8], onDisk: [UInt8], most: Int)>(([], [], 0))

    init(_ script: Script) { self.script = script }

    var count: Int { state.withLock { $0.inMemory.count + $0.onDisk.count } }
    var needsSpill: Bool { state.withLock { $0.inMemory.count >= script.spillsAt } }
    /// The most octets that were in memory at once.
    var most: Int { state.withLock { $0.most } }

    func write(_ bytes: Span<UInt8>) {
        state.withLock { state in
            for index in bytes.indices { state.inMemory.append(bytes[index]) }
            state.most = max(state.most, state.inMemory.count)
        }
    }

    func spill() async throws {
        if let error = script.spillError { throw error }
        state.withLock { state in
            state.onDisk += state.inMemory
            state.inMemory = []
        }
    }

    func finish() async throws -> any StagedBody {
        if let error = script.finishError { throw error }
        return InMemoryBody(state.withLock { $0.onDisk + $0.inMemory })
    }
}

/// The real service, with writers of the test's own.
struct ScriptedService: SessionService {
    let base: SubmissionService
    let writer: ScriptedWriter
    let name = "scripted"
    let applicationProtocols: [String] = []

    func isBrief(_ work: SubmissionWork) -> Bool { false }

    func perform(_ work: SubmissionWork, notify: @escaping @Sendable () -> Void) async -> SubmissionOutcome {
        let outcome = await base.perform(work, notify: notify)
        guard case .messageBegun(var start) = outcome else { return outcome }
        start.writer = writer
        return .messageBegun(start)
    }
}

/// Lets everyone in, and remembers what it was given.
final class RecordingAuthenticator: PasswordDecision {
    private let account: Account
    let seen = Mutex<[(authorization: String?, authentication: String, password: String)]>([])

    init(_ account: Account) { self.account = account }

    func decide(_ credentials: PasswordCredentials) async -> AuthenticationStep {
        seen.withLock {
            $0.append(
                (
                    credentials.authorizationIdentity, credentials.authenticationIdentity,
                    credentials.password.revealed()
                ))
        }
        return .admitted(account)
    }
}
