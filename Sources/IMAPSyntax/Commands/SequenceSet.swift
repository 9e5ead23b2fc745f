package import MailVocabulary

/// A client's set of sequence numbers or UIDs, unresolved: `*` depends on the mailbox, `$` on the last search.
package enum SequenceSet: Sendable, Hashable {
    /// At least one.
    case ranges([SequenceRange])
    /// `$` (RFC 5182).
    case saved

    /// The numbers meant. A range that ends in `*` holds the largest number even when it begins above it
    /// (RFC 9051 §9, `seq-range`).
    ///
    /// - Parameters:
    ///   - largest: what `*` is: the number of messages, or the last UID; 0 in an empty mailbox, where `*` is nothing.
    ///   - saved: what `$` is, in the same kind of number.
    package func resolved(largest: UInt32, saved: NumberSet = NumberSet()) -> NumberSet {
        switch self {
        case .saved: saved
        case .ranges(let ranges): NumberSet(ranges.lazy.compactMap { $0.resolved(largest: largest) })
        }
    }

    /// The largest number written out; nil when there is only `*` or `$`. A sequence number above the mailbox's
    /// number of messages is an error (RFC 9051 §9, `seq-number`); a UID is not.
    package var largestNumber: UInt32? {
        switch self {
        case .saved: nil
        case .ranges(let ranges): ranges.lazy.flatMap { [$0.first, $0.last] }.compactMap { $0 }.max()
        }
    }

    /// Whether `*` stands in the set.
    package var hasWildcard: Bool {
        switch self {
        case .saved: false
        case .ranges(let ranges): ranges.contains { $0.first == nil || $0.last == nil }
        }
    }
}

/// `first:last` in the order written; the same twice for one number. Nil is `*`; no number is 0.
package struct SequenceRange: Sendable, Hashable {
    package var first: UInt32?
    package var last: UInt32?

    package init(_ first: UInt32?, _ last: UInt32?) {
        self.first = first
        self.last = last
    }

    /// Nil when it means nothing: `*` of an empty mailbox.
    package func resolved(largest: UInt32) -> ClosedRange<UInt32>? {
        let (a, b) = (first ?? largest, last ?? largest)
        let range = min(a, b)...max(a, b)
        guard range.lowerBound == 0 else { return range }
        return range.upperBound == 0 ? nil : range.upperBound...range.upperBound
    }
}
