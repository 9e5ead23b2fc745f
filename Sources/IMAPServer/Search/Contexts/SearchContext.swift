import IMAPSyntax
import MailStore
import MailVocabulary

/// A search whose results are kept up to date (RFC 5267 §4.3), as long as its mailbox is selected.
struct SearchContext: Sendable {
    /// Contexts of one session: each costs a search in what changes.
    static let maximumCount = 16
    /// Results of a sorted one: its order is held.
    static let maximumSorted = 200_000

    let tag: String
    /// Sequence numbers are those of when it was given (RFC 5267 §4.3).
    let key: SearchKey
    let order: SearchOrder
    let usesUIDs: Bool
    /// What is told of new messages that come into it (RFC 5465 §7).
    let items: [FetchItem]
    /// What the client takes for the results.
    private(set) var uids: NumberSet
    /// The same in order; nil in the mailbox's.
    private(set) var sorted: [UInt32]?

    /// Nil when it would be too large.
    init?(_ command: SearchCommand, _ findings: SearchFindings) {
        guard findings.sortedUIDs?.count ?? 0 <= Self.maximumSorted else { return nil }
        tag = command.tag
        key = command.request.key.frozen(in: command.mailbox)
        order = command.order
        usesUIDs = command.usesUIDs
        items = command.request.updateItems
        uids = findings.uids
        sorted = findings.sortedUIDs
    }

    /// Takes out what has gone, and says how. Sequence numbers are those of the view.
    mutating func remove(_ gone: NumberSet, numberedBy view: MailboxSnapshot) -> ContextUpdate {
        change(removed: uids.intersection(gone), added: NumberSet(), newOrder: nil, numberedBy: view)
    }

    /// - Parameter newOrder: the results that will be, in order; nil in the mailbox's, and when nothing is added. Of what
    ///   was there before it may lack some, and what it has may be in another order: the client's stays.
    mutating func change(
        removed: NumberSet, added: NumberSet, newOrder: [UInt32]?, numberedBy view: MailboxSnapshot
    ) -> ContextUpdate {
        var update = ContextUpdate()
        func numbers(_ uids: some Sequence<UInt32>) -> [UInt32] {
            usesUIDs
                ? Array(uids) : uids.compactMap { UID($0).flatMap { view.position(of: $0) }.map { UInt32($0 + 1) } }
        }
        if let old = sorted {
            var now = old.filter { !removed.contains($0) }
            update.removed = SearchContext.runs(of: old, in: removed, closesGaps: true, numbers)
            if !added.isEmpty, let newOrder {
                now = SearchContext.placing(added, of: newOrder, in: now)
                update.added = SearchContext.runs(of: now, in: added, closesGaps: false, numbers)
            }
            sorted = now
        } else {
            // Position 0: wherever the mailbox's order has them.
            if !removed.isEmpty { update.removed = [(0, ResultList(inOrder: numbers(removed)))] }
            if !added.isEmpty { update.added = [(0, ResultList(inOrder: numbers(added)))] }
        }
        uids = uids.subtracting(removed).union(added)
        return update
    }

    /// The list with what is added behind those that it is behind in another one.
    private static func placing(_ added: NumberSet, of order: [UInt32], in list: [UInt32]) -> [UInt32] {
        var (first, behind): ([UInt32], [UInt32: [UInt32]]) = ([], [:])
        var neighbour: UInt32?
        for uid in order {
            if !added.contains(uid) {
                neighbour = uid
            } else if let neighbour {
                behind[neighbour, default: []].append(uid)
            } else {
                first.append(uid)
            }
        }
        return list.reduce(into: first) {
            $0.append($1)
            $0 += behind[$1] ?? []
        }
    }

    /// Neighbours in a list that are in the set, with their positions, counted from 1. With `closesGaps`, each is taken
    /// out before the next is looked at.
    private static func runs(
        of list: [UInt32], in set: NumberSet, closesGaps: Bool, _ numbers: ([UInt32]) -> [UInt32]
    ) -> [(position: Int, numbers: ResultList)] {
        var runs: [(position: Int, numbers: ResultList)] = []
        var (run, taken): ([UInt32], Int) = ([], 0)
        func end(at index: Int) {
            guard !run.isEmpty else { return }
            let start = index - run.count
            runs.append((1 + start - (closesGaps ? taken : 0), ResultList(inOrder: numbers(run))))
            taken += run.count
            run = []
        }
        for (index, uid) in list.enumerated() {
            if set.contains(uid) { run.append(uid) } else { end(at: index) }
        }
        end(at: list.count)
        return runs
    }
}

extension SearchKey {
    /// With sequence numbers, and what was saved, replaced by the UIDs they mean now.
    func frozen(in mailbox: SelectedMailbox) -> SearchKey {
        switch self {
        case .sequenceNumbers(let set):
            SearchKey(uids: mailbox.uids(at: mailbox.positions(set, uid: false, allowsEmptyMailbox: true) ?? []))
        case .uid(.saved): SearchKey(uids: mailbox.saved)
        case .not(let key): .not(key.frozen(in: mailbox))
        case .fuzzy(let key): .fuzzy(key.frozen(in: mailbox))
        case .or(let a, let b): .or(a.frozen(in: mailbox), b.frozen(in: mailbox))
        case .and(let keys): .and(keys.map { $0.frozen(in: mailbox) })
        case _: self
        }
    }

    private init(uids: NumberSet) {
        let ranges = uids.ranges.map { SequenceRange($0.lowerBound, $0.upperBound) }
        self = ranges.isEmpty ? .not(.all) : .uid(.ranges(ranges))
    }
}
