import MailVocabulary
import WireFraming

// flag-list = "(" [flag *(SP flag)] ")"
// flag      = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword / flag-extension
extension CommandParser {
    mutating func flagList() throws(SyntaxError) -> [Flag] {
        try list("flags", limit: IMAPLimits.flags, mayBeEmpty: true) { parser throws(SyntaxError) in
            try parser.flag()
        }
    }

    mutating func flag() throws(SyntaxError) -> Flag {
        guard cursor.take(UInt8(ascii: "\\")) else { return .keyword(try keyword()) }
        switch try word("a flag's name") {
        case "ANSWERED": return .answered
        case "FLAGGED": return .flagged
        case "DELETED": return .deleted
        case "SEEN": return .seen
        case "DRAFT": return .draft
        case "RECENT": throw SyntaxError("\\Recent is the server's to set")
        case _: throw SyntaxError("There is no such system flag")
        }
    }

    mutating func keyword() throws(SyntaxError) -> Keyword {
        let name = try atom("a flag")
        guard let keyword = Keyword(name) else {
            throw SyntaxError(
                "A keyword is longer than \(Keyword.maximumLength) characters", answer: .no, code: .limit)
        }
        return keyword
    }
}
