package import MailStore
import Synchronization

/// Which accounts have a POP3 session: one each (RFC 1939 §4). IMAP sessions are not kept out, and need not be: a POP3
/// session works on the view of the mailbox it got at login.
package final class MaildropLocks: Sendable {
    private let held = Mutex<Set<AccountID>>([])

    package init() {}

    /// Nil when another session has the maildrop.
    package func acquire(_ account: AccountID) -> MaildropLock? {
        guard held.withLock({ $0.insert(account).inserted }) else { return nil }
        return MaildropLock(account, of: self)
    }

    fileprivate func release(_ account: AccountID) { held.withLock { _ = $0.remove(account) } }
}

/// The right to one maildrop; given back when dropped, so that a connection that is lost in any way frees it.
package final class MaildropLock: Sendable {
    private let account: AccountID
    private let locks: MaildropLocks

    fileprivate init(_ account: AccountID, of locks: MaildropLocks) {
        self.account = account
        self.locks = locks
    }

    deinit { locks.release(account) }
}
