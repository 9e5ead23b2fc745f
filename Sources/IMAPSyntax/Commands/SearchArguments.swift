package import MailVocabulary

/// SEARCH with what stands around its keys (RFC 9051 §6.4.4).
package struct SearchRequest: Sendable, Hashable {
    /// Nil without `RETURN`: the answer is then an untagged SEARCH in IMAP4rev1, `ESEARCH … ALL` in IMAP4rev2.
    package var returns: SearchReturns?
    /// The charset of the strings, in upper case; nil when none was named.
    package var charset: String?
    /// All of them must hold when it is `.and`.
    package var key: SearchKey

    package init(returns: SearchReturns? = nil, charset: String? = nil, key: SearchKey) {
        self.returns = returns
        self.charset = charset
        self.key = key
    }
}

/// `RETURN (…)`: RFC 4731 §3.1, RFC 5182 for SAVE.
package struct SearchReturns: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let min = SearchReturns(rawValue: 1)
    package static let max = SearchReturns(rawValue: 2)
    package static let all = SearchReturns(rawValue: 4)
    package static let count = SearchReturns(rawValue: 8)
    package static let save = SearchReturns(rawValue: 16)
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
    case uid(SequenceSet)
    case sequenceNumbers(SequenceSet)
    /// RFC 7162 §3.1.5; its entry name and type are of no meaning to a server that keeps one sequence per message.
    case modSeq(atLeast: UInt64)
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
