import MailVocabulary
import WireFraming

extension CommandParser {
    // select-params = SP "(" select-param *(SP select-param) ")"          RFC 4466 §2.1
    // select-param  = "CONDSTORE" / "QRESYNC" SP "(" … ")"                RFC 7162 §7
    mutating func selectParameters() throws(SyntaxError) -> SelectParameters {
        var parameters = SelectParameters()
        guard cursor.take(UInt8(ascii: " ")) else { return parameters }
        _ = try list("parameters", limit: IMAPLimits.shortList) { parser throws(SyntaxError) in
            switch try parser.word("a parameter") {
            case "CONDSTORE": parameters.condstore = true
            case "QRESYNC":
                try parser.space()
                parameters.qresync = try parser.quickResync()
            case _: throw SyntaxError("There is no such parameter")
            }
        }
        return parameters
    }

    // "(" uidvalidity SP mod-sequence-value [SP known-uids] [SP seq-match-data] ")"          RFC 7162 §7
    private mutating func quickResync() throws(SyntaxError) -> QuickResync {
        try expect(UInt8(ascii: "("))
        let validity = try nonzero("a UIDVALIDITY")
        try space()
        let modSeq = try number("a modification sequence")
        guard modSeq > 0 else { throw SyntaxError("A modification sequence is not 0") }
        var resync = QuickResync(uidValidity: validity, modSeq: modSeq)
        var isSpaceTaken = cursor.take(UInt8(ascii: " "))
        if isSpaceTaken, cursor.peek != UInt8(ascii: "(") {
            resync.knownUIDs = try numberSet()
            isSpaceTaken = cursor.take(UInt8(ascii: " "))
        }
        if isSpaceTaken { resync.matches = try sequenceMatches() }
        try expect(UInt8(ascii: ")"))
        return resync
    }

    // seq-match-data = "(" known-sequence-set SP known-uid-set ")"
    private mutating func sequenceMatches() throws(SyntaxError) -> QuickResync.SequenceMatches {
        try expect(UInt8(ascii: "("))
        let numbers = try numberSet()
        try space()
        let uids = try numberSet()
        try expect(UInt8(ascii: ")"))
        guard numbers.count == uids.count else { throw SyntaxError("As many UIDs as sequence numbers are needed") }
        return QuickResync.SequenceMatches(sequenceNumbers: numbers, uids: uids)
    }

    // create-param =/ "USE" SP "(" [use-attr *(SP use-attr)] ")"          RFC 6154 §6
    mutating func createUses() throws(SyntaxError) -> [SpecialUse] {
        guard cursor.take(UInt8(ascii: " ")) else { return [] }
        try expect(UInt8(ascii: "("))
        guard try word("USE") == "USE" else { throw SyntaxError("There is no such parameter") }
        try space()
        let uses = try list("uses", limit: IMAPLimits.shortList, mayBeEmpty: true) { parser throws(SyntaxError) in
            try parser.specialUse()
        }
        try expect(UInt8(ascii: ")"))
        return uses
    }

    private mutating func specialUse() throws(SyntaxError) -> SpecialUse {
        try expect(UInt8(ascii: "\\"))
        let name = "\\" + (try word("a special use")).asciiLowercased()
        guard let use = SpecialUse.allCases.first(where: { $0.rawValue.asciiLowercased() == name }) else {
            throw SyntaxError("There is no such special use", answer: .no, code: .useAttribute)
        }
        return use
    }

    // status = "STATUS" SP mailbox SP "(" status-att *(SP status-att) ")"
    mutating func status() throws(SyntaxError) -> IMAPRequest {
        let name = try mailbox()
        try space()
        return .status(name, try statusItems())
    }

    mutating func statusItems() throws(SyntaxError) -> [StatusItem] {
        try list("items", limit: IMAPLimits.shortList) { parser throws(SyntaxError) in
            guard let item = StatusItem(rawValue: try parser.word("a status item")) else {
                throw SyntaxError("There is no such status item")
            }
            return item
        }
    }
}
