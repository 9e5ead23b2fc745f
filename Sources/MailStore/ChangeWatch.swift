import MailVocabulary
import Synchronization

/// What has come since a watch was last looked at.
package struct WatchedChanges: Sendable {
    /// In order. What happened to messages of one mailbox is put together, as long as no name changed in between.
    package var changes: [WatchedChange] = []
    /// There was more than a watch holds: all of it is forgotten.
    package var isIncomplete = false

    package init() {}
}

package enum WatchedChange: Sendable {
    /// The mailbox as it is since: without its subscription.
    case messages(Mailbox, MessageEvents)
    case event(StoreEvent, isOwn: Bool)
}

/// What happens in some accounts, for one session: gathered while the session is busy, in bounded memory. Ends when it
/// is dropped.
package final class ChangeWatch: Sendable {
    /// Changes that wait for a session that does not come to them: some 300 octets each.
    package static let limit = 2048

    let inbox: WatchInbox
    private let feed: ChangeFeed
    private let audiences = Mutex(Set<Audience>())

    init(_ inbox: WatchInbox, feed: ChangeFeed) {
        self.inbox = inbox
        self.feed = feed
    }

    deinit { feed.setAudiences([], instead: audiences.withLock { $0 }, of: inbox) }

    /// For `ChangeOrigin`.
    package var number: UInt64 { inbox.number }

    /// Hears of these from now on, and of nothing else. What waits stays.
    ///
    /// - Parameter isOfInterest: whether changes of messages in a mailbox are wanted; quick, as who commits waits for
    ///   it.
    package func observe(_ audiences: Set<Audience>, _ isOfInterest: @escaping @Sendable (Mailbox) -> Bool) {
        inbox.setInterest(isOfInterest)
        self.audiences.withLock { known in
            feed.setAudiences(audiences, instead: known, of: inbox)
            known = audiences
        }
    }

    /// The same with more audiences.
    package func observe(also more: Set<Audience>, _ isOfInterest: @escaping @Sendable (Mailbox) -> Bool) {
        observe(audiences.withLock { $0 }.union(more), isOfInterest)
    }

    package func takeChanges() -> WatchedChanges { inbox.take() }

    /// Whether something waits.
    package var hasChanges: Bool { inbox.hasChanges }
}

/// What the feed knows of a watch.
final class WatchInbox: Sendable {
    private struct State {
        var waiting = WatchedChanges()
        /// Where what happened to a mailbox's messages stands.
        var places: [MailboxID: Int] = [:]
        var isOfInterest: @Sendable (Mailbox) -> Bool = { _ in false }

        /// True when nothing waited before.
        mutating func add(_ change: WatchedChange) -> Bool {
            guard !waiting.isIncomplete else { return false }
            guard waiting.changes.count < ChangeWatch.limit else {
                (waiting.changes, places) = ([], [:])
                waiting.isIncomplete = true
                return false
            }
            waiting.changes.append(change)
            return waiting.changes.count == 1
        }
    }

    let number: UInt64
    let wake: @Sendable () -> Void
    private let state = Mutex(State())

    init(_ number: UInt64, _ wake: @escaping @Sendable () -> Void) {
        self.number = number
        self.wake = wake
    }

    func setInterest(_ isOfInterest: @escaping @Sendable (Mailbox) -> Bool) {
        state.withLock { $0.isOfInterest = isOfInterest }
    }

    func take() -> WatchedChanges {
        state.withLock { state in
            defer { (state.waiting, state.places) = (WatchedChanges(), [:]) }
            return state.waiting
        }
    }

    var hasChanges: Bool { state.withLock { !$0.waiting.changes.isEmpty || $0.waiting.isIncomplete } }

    // From the feed. True when the session is to be woken.

    func take(_ event: StoreEvent) -> Bool {
        state.withLock { state in
            state.places = [:]
            return state.add(.event(event, isOwn: event.origin == number))
        }
    }

    func take(_ mailbox: Mailbox, _ causes: MessageCauses) -> Bool {
        let events = causes.events(exceptBy: number)
        guard !events.isEmpty else { return false }
        return state.withLock { state in
            guard state.isOfInterest(mailbox) else { return false }
            if let place = state.places[mailbox.id], case .messages(_, let known) = state.waiting.changes[place] {
                state.waiting.changes[place] = .messages(mailbox, known.union(events))
                return false
            }
            state.places[mailbox.id] = state.waiting.changes.count
            return state.add(.messages(mailbox, events))
        }
    }
}
