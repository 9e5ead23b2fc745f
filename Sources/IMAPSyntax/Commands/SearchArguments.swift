package import MailVocabulary

/// SEARCH with what stands around its keys (RFC 9051 §6.4.4).
package struct SearchRequest: Sendable, Hashable {
    /// Nil without `RETURN`: the answer is then an untagged SEARCH in IMAP4rev1, `ESEARCH … ALL` in IMAP4rev2.
    package var returns: SearchReturns?
    /// `RETURN (PARTIAL …)`; never beside `.all`.
    package var partial: ResultRange?
    /// What is to be told of new messages that come into the results: `RETURN (UPDATE (…))` (RFC 5465 §7).
    package var updateItems: [FetchItem] = []
    /// The charset of the strings, in upper case; nil when none was named.
    package var charset: String?
    /// All of them must hold when it is `.and`.
    package var key: SearchKey

    package init(
        returns: SearchReturns? = nil, partial: ResultRange? = nil, charset: String? = nil, key: SearchKey
    ) {
        self.returns = returns
        self.partial = partial
        self.charset = charset
        self.key = key
    }
}

/// `RETURN (…)`: RFC 4731 §3.1, RFC 5182 for SAVE, RFC 6203 §4 for RELEVANCY, RFC 5267 §4 for UPDATE and CONTEXT.
/// Empty only beside PARTIAL.
package struct SearchReturns: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16

    package init(rawValue: UInt16) { self.rawValue = rawValue }

    package static let min = SearchReturns(rawValue: 1)
    package static let max = SearchReturns(rawValue: 2)
    package static let all = SearchReturns(rawValue: 4)
    package static let count = SearchReturns(rawValue: 8)
    package static let save = SearchReturns(rawValue: 16)
    package static let relevancy = SearchReturns(rawValue: 32)
    package static let update = SearchReturns(rawValue: 64)
    package static let context = SearchReturns(rawValue: 128)
}

/// Which of the results are wanted, counted from 1 in their order: `1:100`; or, `-1:-100`, from the last one backwards
/// (RFC 9394 §3.1). In the order written, for it is sent back.
package struct ResultRange: Sendable, Hashable {
    package var first: UInt32
    package var last: UInt32
    package var isFromEnd: Bool

    package init(_ first: UInt32, _ last: UInt32, isFromEnd: Bool = false) {
        self.first = first
        self.last = last
        self.isFromEnd = isFromEnd
    }

    /// The indices meant, from 0, in a list of `count` results; empty when there are none.
    package func indices(ofCount count: Int) -> Range<Int> {
        let low = min(Int(min(first, last)) - 1, count)
        let high = min(Int(max(first, last)), count)
        return isFromEnd ? count - high..<count - low : low..<high
    }
}

/// One condition of SEARCH. Strings are octets in the request's charset.
package indirect enum SearchKey: Sendable, Hashable {
    case all
    /// ANSWERED, KEYWORD …
    case has(Flag)
    /// UNANSWERED, UNKEYWORD …
    case lacks(Flag)
    /// RECENT (IMAP4rev1): told to this session as recent.
    case recent
    /// NEW: `RECENT UNSEEN`.
    case new
    /// OLD: `NOT RECENT`.
    case old
    /// FROM, TO, CC, BCC, SUBJECT.
    case envelope(EnvelopeField, contains: [UInt8])
    /// With empty text: the field is there at all.
    case header(name: String, contains: [UInt8])
    case body(contains: [UInt8])
    case text(contains: [UInt8])
    /// BEFORE, ON, SINCE: INTERNALDATE's day, its time and zone disregarded.
    case internalDate(DateRelation, CivilDate)
    /// SENTBEFORE, SENTON, SENTSINCE: the Date field's day, its time and zone disregarded.
    case sentDate(DateRelation, CivilDate)
    /// SAVEDBEFORE, SAVEDON, SAVEDSINCE (RFC 8514 §4.3).
    case savedDate(DateRelation, CivilDate)
    /// RFC 8474 §6; what case they are in counts.
    case emailID(String)
    case threadID(String)
    case larger(UInt64)
    case smaller(UInt64)
    /// OLDER, YOUNGER (RFC 5032): INTERNALDATE at least, or at most, so many seconds ago.
    case older(seconds: UInt32)
    case younger(seconds: UInt32)
    case uid(SequenceSet)
    /// UIDAFTER, UIDBEFORE (RFC 9738 §3.2): a higher UID, a lower one.
    case uidAfter(UInt32)
    case uidBefore(UInt32)
    case sequenceNumbers(SequenceSet)
    /// RFC 7162 §3.1.5; its entry name and type are of no meaning to a server that keeps one sequence per message.
    case modSeq(atLeast: UInt64)
    /// FUZZY (RFC 6203).
    case fuzzy(SearchKey)
    case not(SearchKey)
    case or(SearchKey, SearchKey)
    /// At least two.
    case and([SearchKey])

    package enum EnvelopeField: Sendable, Hashable {
        case from, to, cc, bcc, subject
    }

    package enum DateRelation: Sendable, Hashable {
        case before
        case on
        /// That day or later.
        case since
    }
}
