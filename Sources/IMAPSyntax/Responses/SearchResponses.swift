package import MailVocabulary
package import WireFraming

/// What a search found, as ESEARCH tells it: nil, what was not asked for or does not exist.
package struct SearchResult: Sendable, Hashable {
    package var min: UInt32?
    package var max: UInt32?
    /// Left out when empty (RFC 4731 §3.1).
    package var all: NumberSet?
    package var count: Int?
    /// RFC 7162 §3.1.10; only beside one of the others.
    package var modSeq: ModSeq?

    package init(
        min: UInt32? = nil, max: UInt32? = nil, all: NumberSet? = nil, count: Int? = nil, modSeq: ModSeq? = nil
    ) {
        self.min = min
        self.max = max
        self.all = all
        self.count = count
        self.modSeq = modSeq
    }

    /// What of the numbers found was asked for.
    package init(_ found: NumberSet, _ returns: SearchReturns) {
        if returns.contains(.min) { min = found.min }
        if returns.contains(.max) { max = found.max }
        if returns.contains(.all) { all = found }
        if returns.contains(.count) { count = found.count }
    }
}

extension OutputBuffer {
    // obsolete-search-response = "SEARCH" *(SP nz-number)          RFC 9051 §9; RFC 7162 §7 adds "(MODSEQ n)"
    package mutating func append(search found: NumberSet, modSeq: ModSeq? = nil) {
        append("* SEARCH" as StaticString)
        for range in found.ranges {
            for number in range {
                append(UInt8(ascii: " "))
                append(decimal: number)
            }
        }
        if let modSeq, !found.isEmpty {
            append(" (MODSEQ " as StaticString)
            append(decimal: modSeq.value)
            append(UInt8(ascii: ")"))
        }
        appendLineEnd()
    }

    // esearch-response  = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)
    // search-correlator = SP "(" "TAG" SP tag-string ")"
    package mutating func append(esearch result: SearchResult, tag: String, uid: Bool) {
        append("* ESEARCH (TAG " as StaticString)
        append(string: tag)
        append(UInt8(ascii: ")"))
        if uid { append(" UID" as StaticString) }
        if let min = result.min { append(" MIN ", UInt64(min)) }
        if let max = result.max { append(" MAX ", UInt64(max)) }
        if let all = result.all, !all.isEmpty {
            append(" ALL " as StaticString)
            append(numberSet: all)
        }
        if let count = result.count { append(" COUNT ", UInt64(count)) }
        if let modSeq = result.modSeq { append(" MODSEQ ", modSeq.value) }
        appendLineEnd()
    }

    private mutating func append(_ name: StaticString, _ value: UInt64) {
        append(name)
        append(decimal: value)
    }
}
