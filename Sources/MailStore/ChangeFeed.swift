import MailVocabulary
import Synchronization

/// Who wants to know of which changes. Callbacks run on the publisher's thread, outside every lock.
package final class ChangeFeed: Sendable {
    private struct Observers {
        var next = 0
        var ended = 0
        var mailboxes: [MailboxID: [Int: @Sendable () -> Void]] = [:]
        var accounts: [AccountID: [Int: @Sendable () -> Void]] = [:]
        var accessGeneration: UInt64 = 1
    }
    private let observers = Mutex(Observers())

    package init() {}

    package func observe(_ mailbox: MailboxID, _ onChange: @escaping @Sendable () -> Void) -> Observation {
        let number = observers.withLock { observers in
            observers.next += 1
            observers.mailboxes[mailbox, default: [:]][observers.next] = onChange
            return observers.next
        }
        return Observation { [self] in
            self.observers.withLock { observers in
                observers.ended += 1
                observers.mailboxes[mailbox]?[number] = nil
                if observers.mailboxes[mailbox]?.isEmpty == true { observers.mailboxes[mailbox] = nil }
            }
        }
    }

    package func observe(_ account: AccountID, _ onChange: @escaping @Sendable () -> Void) -> Observation {
        let number = observers.withLock { observers in
            observers.next += 1
            observers.accounts[account, default: [:]][observers.next] = onChange
            return observers.next
        }
        return Observation { [self] in
            self.observers.withLock { observers in
                observers.accounts[account]?[number] = nil
                if observers.accounts[account]?.isEmpty == true { observers.accounts[account] = nil }
            }
        }
    }

    package func isObserved(_ mailbox: MailboxID) -> Bool {
        observers.withLock { $0.mailboxes[mailbox] != nil }
    }

    /// How many observations of mailboxes have ended so far.
    package var endedCount: Int { observers.withLock { $0.ended } }

    /// How often somebody's rights have changed.
    package var accessGeneration: UInt64 { observers.withLock { $0.accessGeneration } }

    /// Tells everyone concerned, once per observer and change set.
    package func publish(_ changes: ChangeSet) {
        guard !changes.isEmpty else { return }
        let callbacks = observers.withLock { observers in
            if changes.access { observers.accessGeneration &+= 1 }
            return changes.mailboxes.flatMap { observers.mailboxes[$0].map { Array($0.values) } ?? [] }
                + changes.accounts.flatMap { observers.accounts[$0].map { Array($0.values) } ?? [] }
        }
        for callback in callbacks { callback() }
    }
}

/// What a commit changed.
package struct ChangeSet: Sendable, Equatable {
    package var mailboxes: Set<MailboxID> = []
    /// Accounts whose list of mailboxes (names, subscriptions) changed.
    package var accounts: Set<AccountID> = []
    /// Whether somebody's rights on a mailbox changed.
    package var access = false

    package init() {}

    package var isEmpty: Bool { mailboxes.isEmpty && accounts.isEmpty && !access }

    package mutating func formUnion(_ other: ChangeSet) {
        mailboxes.formUnion(other.mailboxes)
        accounts.formUnion(other.accounts)
        access = access || other.access
    }
}
