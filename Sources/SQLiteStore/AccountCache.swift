import MailStore
import MailVocabulary
import Synchronization

/// Domains, accounts, what proves their passwords and other addresses, as they were asked for: every login and every recipient asks.
/// Emptied by each commit that changes any of them, before its caller is answered. That there is none is kept, too:
/// finding out takes as long for a name that nobody has as for another.
final class AccountCache: Sendable {
    struct Known: Sendable {
        var domains: [Domain]?
        var accounts: [Address: Account?] = [:]
        var credentials: [AccountID: StoredCredentials?] = [:]
        var aliases: [AddressPattern: [Address]?] = [:]
        var senderGrants: [AccountID: [AddressPattern]] = [:]
    }
    /// Answers kept, some kilobyte each; one more, and all are read anew.
    static let limit = 10_000

    private struct State {
        var known = Known()
        var count = 0
        /// How often it was emptied.
        var generation = 0
    }
    private let state = Mutex(State())

    /// What is known, or what `read` finds; that is kept, unless a commit came between.
    func value<Value: Sendable>(
        _ get: (Known) -> Value?, _ set: (inout Known, Value) -> Void, _ read: () async throws -> Value
    ) async rethrows -> Value {
        let (known, generation) = state.withLock { (get($0.known), $0.generation) }
        if let known { return known }
        let value = try await read()
        state.withLock { state in
            guard state.generation == generation else { return }
            if state.count >= Self.limit { (state.known, state.count) = (Known(), 0) }
            set(&state.known, value)
            state.count += 1
        }
        return value
    }

    func empty() {
        state.withLock { state in
            state.known = Known()
            state.count = 0
            state.generation += 1
        }
    }
}
