import MailVocabulary
import Synchronization

/// Who wants to know of which changes. Callbacks run on the publisher's thread, outside every lock.
package final class ChangeFeed: Sendable {
    fileprivate struct Observers {
        var next = 0
        var ended = 0
        var mailboxes: [MailboxID: [Int: @Sendable () -> Void]] = [:]
        var accounts: [AccountID: [Int: @Sendable () -> Void]] = [:]
        var queue: [Int: @Sendable () -> Void] = [:]
        var accessGeneration: UInt64 = 1
        var watches: [Audience: [UInt64: WatchInbox]] = [:]
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

    package func observeQueue(_ onChange: @escaping @Sendable () -> Void) -> Observation {
        let number = observers.withLock { observers in
            observers.next += 1
            observers.queue[observers.next] = onChange
            return observers.next
        }
        return Observation { [self] in self.observers.withLock { $0.queue[number] = nil } }
    }

    package func isObserved(_ mailbox: MailboxID) -> Bool {
        observers.withLock { $0.mailboxes[mailbox] != nil }
    }

    /// How many observations of mailboxes have ended so far.
    package var endedCount: Int { observers.withLock { $0.ended } }

    /// How often somebody's rights have changed.
    package var accessGeneration: UInt64 { observers.withLock { $0.accessGeneration } }

    // Watches

    /// A watch that hears of nothing yet.
    ///
    /// - Parameter wake: called when something has come and nothing waited before.
    package func watch(_ wake: @escaping @Sendable () -> Void) -> ChangeWatch {
        let number = observers.withLock { observers in
            observers.next += 1
            return UInt64(observers.next)
        }
        return ChangeWatch(WatchInbox(number, wake), feed: self)
    }

    /// From now on the watch hears of these, and of nothing else.
    func setAudiences(_ audiences: Set<Audience>, instead old: Set<Audience>, of watch: WatchInbox) {
        observers.withLock { observers in
            for audience in audiences.subtracting(old) {
                observers.watches[audience, default: [:]][watch.number] = watch
            }
            for audience in old.subtracting(audiences) {
                observers.watches[audience]?[watch.number] = nil
                if observers.watches[audience]?.isEmpty == true { observers.watches[audience] = nil }
            }
        }
    }

    /// Whether anyone watches accounts.
    package var isWatched: Bool { observers.withLock { !$0.watches.isEmpty } }

    /// Tells everyone concerned, once per observer and change set.
    ///
    /// - Parameter record: a mailbox as the changes leave it; asked only for what is watched.
    package func publish(_ changes: ChangeSet, record: (MailboxID) -> Mailbox? = { _ in nil }) {
        for callback in prepare(changes, record: record) { callback() }
    }

    /// The same in two steps: gives the changes to those who watch, and returns whom to call. For a store whose changes
    /// are in order only under its own lock, which callbacks must not be called under.
    package func prepare(_ changes: ChangeSet, record: (MailboxID) -> Mailbox?) -> [@Sendable () -> Void] {
        guard !changes.isEmpty else { return [] }
        return observers.withLock { observers in
            if changes.access { observers.accessGeneration &+= 1 }
            return changes.mailboxes.flatMap { observers.mailboxes[$0].map { Array($0.values) } ?? [] }
                + changes.accounts.flatMap { observers.accounts[$0].map { Array($0.values) } ?? [] }
                + (changes.queue ? Array(observers.queue.values) : [])
                + observers.tellWatches(changes, record)
        }
    }
}

extension ChangeFeed.Observers {
    /// Costs what changed, times those who watch the accounts that it changed in.
    fileprivate func tellWatches(
        _ changes: ChangeSet, _ record: (MailboxID) -> Mailbox?
    ) -> [@Sendable () -> Void] {
        guard !watches.isEmpty else { return [] }
        var woken: [@Sendable () -> Void] = []
        for event in changes.events {
            // Once, however many of its audiences a watch is in.
            var told: Set<UInt64> = []
            for audience in event.audiences {
                for (number, watch) in watches[audience] ?? [:] where told.insert(number).inserted {
                    if watch.take(event) { woken.append(watch.wake) }
                }
            }
        }
        for (mailbox, causes) in changes.messages {
            guard let record = record(mailbox), let concerned = watches[.account(record.account)] else { continue }
            for watch in concerned.values where watch.take(record, causes) { woken.append(watch.wake) }
        }
        return woken
    }
}
