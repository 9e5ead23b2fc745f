package import MailStore
package import MailVocabulary
package import SASL
import WireFraming

/// What a POP3 session asks for.
package enum POP3Work: Sendable {
    /// Pass a response to an exchange, nil when there was none with AUTH; if it lets in, lock the maildrop and open it.
    case authenticate(any AuthenticationExchange, Secret?)
    /// Verify what USER and PASS said; then the same.
    case logIn(PasswordCredentials, AuthenticationContext)
    /// Part of one body.
    case read(BodyID, Range<Int>)
    /// Small bodies, whole.
    case readWhole([BodyID])
    /// Remove messages. Carries the lock, so that nobody else opens the maildrop before it is done.
    case remove(NumberSet, from: MailboxID, holding: MaildropLock)
}

package enum POP3Outcome: Sendable {
    case opened(AuthenticatedUser, MailboxSnapshot, MaildropLock)
    /// Anything but success.
    case answered(AuthenticationStep)
    /// The client may come in, and the maildrop cannot be opened. The reason is for the log.
    case unavailable(reason: String)
    case inUse(Account)
    case bytes([UInt8])
    /// In the order asked; nil for a body that is gone.
    case bodies([[UInt8]?])
    case bodyGone
    case readFailed(reason: String)
    case removed(NumberSet)
    case removalFailed(reason: String)
}

/// The asynchronous side of POP3: passwords, the store, the locks on maildrops.
package struct POP3Service: SessionService {
    private let store: any MailStore
    package let authenticator: any Authenticator
    private let locks = MaildropLocks()

    package init(store: any MailStore, authenticator: any Authenticator) {
        self.store = store
        self.authenticator = authenticator
    }

    package var name: String { "pop3" }
    package var applicationProtocols: [String] { ["pop3"] }

    /// All of it waits more than it computes.
    package func isBrief(_ work: POP3Work) -> Bool { true }

    package func perform(_ work: POP3Work, notify: @escaping @Sendable () -> Void) async -> POP3Outcome {
        switch work {
        case .authenticate(let exchange, let response): await open(after: await exchange.respond(response))
        case .logIn(let credentials, let context):
            await open(after: await authenticator.authenticate(credentials, by: nil, context))
        case .read(let body, let range): await read { .bytes(try await store.read(body, range)) }
        case .readWhole(let bodies): await read { .bodies(try await store.read(bodies)) }
        case .remove(let uids, let mailbox, let lock): await remove(uids, from: mailbox, holding: lock)
        }
    }

    private func open(after step: AuthenticationStep) async -> POP3Outcome {
        switch step {
        case .success(let user) where !user.account.isDisabled: await openMaildrop(of: user)
        case .success(let user):
            .answered(.failure(AuthenticationRefusal(login: user.loginName, reason: "account is disabled")))
        case .challenge, .failure, .rejection, .unavailable, .malformed: .answered(step)
        }
    }

    private func openMaildrop(of user: AuthenticatedUser) async -> POP3Outcome {
        let account = user.account
        guard let lock = locks.acquire(account.id) else { return .inUse(account) }
        do {
            guard let inbox = try await store.mailbox(.inbox, of: account.id) else {
                return .unavailable(reason: "the account has no INBOX")
            }
            return .opened(user, try await store.open(inbox.id), lock)
        } catch {
            return .unavailable(reason: "\(error)")
        }
    }

    private func read(_ body: () async throws -> POP3Outcome) async -> POP3Outcome {
        do {
            return try await body()
        } catch StoreError.noSuchBody {
            return .bodyGone
        } catch {
            return .readFailed(reason: "\(error)")
        }
    }

    private func remove(
        _ uids: NumberSet, from mailbox: MailboxID, holding lock: MaildropLock
    ) async -> POP3Outcome {
        defer { withExtendedLifetime(lock) {} }
        do {
            return .removed(try await store.remove(uids, from: mailbox, onlyDeleted: false))
        } catch {
            return .removalFailed(reason: "\(error)")
        }
    }
}
