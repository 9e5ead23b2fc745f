package import MailVocabulary
package import WireFraming

/// What a search found, as ESEARCH tells it: nil, what was not asked for or does not exist.
package struct SearchResult: Sendable, Hashable {
    package var min: UInt32?
    package var max: UInt32?
    /// Left out when empty (RFC 4731 §3.1).
    package var all: ResultList?
    /// RFC 9394 §3.1: the range asked for, and which results are in it.
    package var partial: PartialResults?
    package var count: Int?
    /// 1...100 each, in the order of the results told (RFC 6203 §4).
    package var relevancy: [UInt8]?
    /// RFC 7162 §3.1.10; only beside one of the others.
    package var modSeq: ModSeq?

    package struct PartialResults: Sendable, Hashable {
        package var range: ResultRange
        package var results: ResultList

        package init(_ range: ResultRange, of all: ResultList) {
            self.range = range
            results = all[range.indices(ofCount: all.count)]
        }
    }

    package init(
        min: UInt32? = nil, max: UInt32? = nil, all: ResultList? = nil, count: Int? = nil, modSeq: ModSeq? = nil
    ) {
        self.min = min
        self.max = max
        self.all = all
        self.count = count
        self.modSeq = modSeq
    }

    /// What of the numbers found was asked for. The lowest and the highest of a sorted list are its first and its last
    /// (RFC 5267 §3.1).
    package init(_ found: ResultList, _ returns: SearchReturns, partial: ResultRange? = nil) {
        if returns.contains(.min) { min = found.first }
        if returns.contains(.max) { max = found.last }
        if returns.contains(.all) { all = found }
        if returns.contains(.count) { count = found.count }
        self.partial = partial.map { PartialResults($0, of: found) }
    }

    package init(_ found: NumberSet, _ returns: SearchReturns, partial: ResultRange? = nil) {
        self.init(ResultList(found), returns, partial: partial)
    }
}

/// Where the results of an ESEARCH are from, if not from the selected mailbox (RFC 7377 §2.1).
package struct SearchedMailbox: Sendable, Hashable {
    package var name: MailboxName
    package var uidValidity: UIDValidity

    package init(name: MailboxName, uidValidity: UIDValidity) {
        self.name = name
        self.uidValidity = uidValidity
    }
}

/// A part of a response that may be long: it is written bit by bit.
package enum ResponsePiece: Sendable {
    case bytes([UInt8])
    case numbers(NumberListWriter)
}

/// What a response is made of, in order.
package struct ResponsePieces {
    package private(set) var pieces: [ResponsePiece] = []
    private var bytes = OutputBuffer()

    package init() {}

    mutating func append(_ text: StaticString) { bytes.append(text) }
    mutating func append(_ name: StaticString, _ value: UInt64) {
        bytes.append(name)
        bytes.append(decimal: value)
    }

    mutating func append(_ numbers: NumberListWriter) {
        pieces.append(.bytes(bytes.take()))
        pieces.append(.numbers(numbers))
    }

    mutating func write(_ write: (inout OutputBuffer) -> Void) { write(&bytes) }

    mutating func end() {
        bytes.appendLineEnd()
        pieces.append(.bytes(bytes.take()))
    }

    // obsolete-search-response = "SEARCH" *(SP nz-number)          RFC 9051 §9; RFC 7162 §7 adds "(MODSEQ n)"
    // sort-data                = "SORT" *(SP nz-number)            RFC 5256 §5
    package static func plain(_ name: StaticString, _ found: ResultList, modSeq: ModSeq? = nil) -> [ResponsePiece] {
        var response = ResponsePieces()
        response.append("* " as StaticString)
        response.append(name)
        response.append(NumberListWriter(found, .spaced))
        if let modSeq, !found.isEmpty {
            response.append(" (MODSEQ ", modSeq.value)
            response.append(")" as StaticString)
        }
        response.end()
        return response.pieces
    }

    // esearch-response  = "ESEARCH" [search-correlator] [SP "UID"] *(SP search-return-data)          RFC 9051 §9
    // search-correlator = SP "(" one-correlator *(SP one-correlator) ")"
    // one-correlator    = ("TAG" SP tag-string) / ("MAILBOX" SP astring) / ("UIDVALIDITY" SP nz-number)
    //                                                                                                RFC 7377 §4
    package static func esearch(
        _ result: SearchResult, tag: String, uid: Bool, in mailbox: SearchedMailbox? = nil,
        _ encoding: MailboxEncoding = .modifiedUTF7
    ) -> [ResponsePiece] {
        var response = ResponsePieces()
        response.begin(tag: tag, uid: uid, in: mailbox, encoding)
        if let min = result.min { response.append(" MIN ", UInt64(min)) }
        if let max = result.max { response.append(" MAX ", UInt64(max)) }
        if let all = result.all, !all.isEmpty {
            response.append(" ALL " as StaticString)
            response.append(NumberListWriter(all, .set))
        }
        if let partial = result.partial { response.append(partial) }
        if let count = result.count { response.append(" COUNT ", UInt64(count)) }
        if let relevancy = result.relevancy { response.append(relevancy: relevancy) }
        if let modSeq = result.modSeq { response.append(" MODSEQ ", modSeq.value) }
        response.end()
        return response.pieces
    }

    mutating func begin(
        tag: String, uid: Bool, in mailbox: SearchedMailbox? = nil, _ encoding: MailboxEncoding = .modifiedUTF7
    ) {
        append("* ESEARCH (TAG " as StaticString)
        bytes.append(string: tag)
        if let mailbox {
            append(" MAILBOX " as StaticString)
            bytes.append(mailbox: mailbox.name, encoding)
            append(" UIDVALIDITY ", UInt64(mailbox.uidValidity.value))
        }
        append(")" as StaticString)
        if uid { append(" UID" as StaticString) }
    }

    // ret-data-partial = "PARTIAL" SP "(" partial-range SP partial-results ")"
    // partial-results  = sequence-set / "NIL"          RFC 9394 §4
    private mutating func append(_ partial: SearchResult.PartialResults) {
        let sign: StaticString = partial.range.isFromEnd ? "-" : ""
        append(" PARTIAL (" as StaticString)
        append(sign, UInt64(partial.range.first))
        append(":" as StaticString)
        append(sign, UInt64(partial.range.last))
        append(" " as StaticString)
        if partial.results.isEmpty {
            append("NIL" as StaticString)
        } else {
            append(NumberListWriter(partial.results, .set))
        }
        append(")" as StaticString)
    }

    // search-return-data =/ "RELEVANCY" SP score-list
    // score-list         = "(" [score *(SP score)] ")"          RFC 6203 §7
    private mutating func append(relevancy scores: [UInt8]) {
        append(" RELEVANCY (" as StaticString)
        append(NumberListWriter(ResultList(each: scores.lazy.map(UInt32.init)), .list))
        append(")" as StaticString)
    }
}

extension OutputBuffer {
    /// A whole response at once; for one that cannot be long.
    package mutating func append(_ pieces: [ResponsePiece]) {
        for piece in pieces {
            switch piece {
            case .bytes(let bytes): append(bytes)
            case .numbers(var numbers): _ = numbers.write(&self, upTo: .max)
            }
        }
    }

    package mutating func append(search found: NumberSet, modSeq: ModSeq? = nil) {
        append(ResponsePieces.plain("SEARCH", ResultList(found), modSeq: modSeq))
    }

    package mutating func append(esearch result: SearchResult, tag: String, uid: Bool) {
        append(ResponsePieces.esearch(result, tag: tag, uid: uid))
    }
}
