import MailVocabulary
import WireFraming

extension CommandParser {
    // search         = "SEARCH" [search-return-opts] SP search-program
    // search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)          RFC 9051 §9
    mutating func searchRequest() throws(SyntaxError) -> SearchRequest {
        var request = SearchRequest(key: .all)
        try searchReturns(of: &request)
        try searchProgram(of: &request)
        return request
    }

    // search-program = ["CHARSET" SP charset SP] search-key *(SP search-key)
    mutating func searchProgram(of request: inout SearchRequest) throws(SyntaxError) {
        if takeKeyword("CHARSET") {
            request.charset = try textArgument("a charset").uppercased()
            try space()
        }
        request.key = try searchProgramKeys()
    }

    mutating func searchProgramKeys() throws(SyntaxError) -> SearchKey {
        var count = 0
        return try searchKeys(&count)
    }

    /// Takes the word and the space behind it, or nothing.
    mutating func takeKeyword(_ word: StaticString) -> Bool {
        let start = cursor.position
        if cursor.take(word: word), cursor.take(UInt8(ascii: " ")) { return true }
        cursor.position = start
        return false
    }

    // search-return-opts = SP "RETURN" SP "(" [search-return-opt *(SP search-return-opt)] ")"
    /// With the space behind them.
    mutating func searchReturns(of request: inout SearchRequest) throws(SyntaxError) {
        guard takeKeyword("RETURN") else { return }
        var (returns, partial): (SearchReturns, ResultRange?) = ([], nil)
        var updateItems: [FetchItem] = []
        _ = try list("options", limit: IMAPLimits.shortList, mayBeEmpty: true) { parser throws(SyntaxError) in
            switch try parser.word("a return option") {
            case "MIN": returns.insert(.min)
            case "MAX": returns.insert(.max)
            case "ALL": returns.insert(.all)
            case "COUNT": returns.insert(.count)
            case "SAVE": returns.insert(.save)
            case "RELEVANCY": returns.insert(.relevancy)
            // modifier-update = "UPDATE" ["(" fetch-att *(SP fetch-att) ")"]          RFC 5465 §8
            case "UPDATE":
                returns.insert(.update)
                updateItems = try parser.fetchItemsInParentheses() ?? updateItems
            case "CONTEXT": returns.insert(.context)
            case "PARTIAL":
                try parser.space()
                guard partial == nil else { throw SyntaxError("PARTIAL may stand once only") }
                partial = try parser.resultRange()
            case _: throw SyntaxError("There is no such return option")
            }
        }
        // RFC 4731 §3.1: "()" is the same as "(ALL)".
        request.returns = returns.isEmpty && partial == nil ? .all : returns
        request.partial = partial
        request.updateItems = updateItems
        // RFC 9394 §3.1
        guard partial == nil || !returns.contains(.all) else { throw SyntaxError("PARTIAL cannot stand beside ALL") }
        try space()
    }

    // search-key *(SP search-key)
    private mutating func searchKeys(_ count: inout Int) throws(SyntaxError) -> SearchKey {
        var keys: [SearchKey] = []
        repeat { keys.append(try searchKey(&count)) } while cursor.take(UInt8(ascii: " "))
        return keys.count == 1 ? keys[0] : .and(keys)
    }

    private mutating func searchKey(_ count: inout Int) throws(SyntaxError) -> SearchKey {
        count += 1
        guard count <= IMAPLimits.searchKeys else { throw SyntaxError("Too many search keys", code: .limit) }
        guard depth < IMAPLimits.nesting else { throw SyntaxError("Nested too deeply", code: .limit) }
        depth += 1
        defer { depth -= 1 }
        switch cursor.peek {
        case UInt8(ascii: "("):
            cursor.position += 1
            let key = try searchKeys(&count)
            try expect(UInt8(ascii: ")"))
            return key
        case .some(UInt8(ascii: "0")...UInt8(ascii: "9")), UInt8(ascii: "*"), UInt8(ascii: "$"):
            return .sequenceNumbers(try sequenceSet())
        case _:
            return try namedKey(try word("a search key"), &count)
        }
    }

    private mutating func namedKey(_ name: String, _ count: inout Int) throws(SyntaxError) -> SearchKey {
        if let key = Self.plainKeys[name] { return key }
        try space()
        switch name {
        case "NOT": return .not(try searchKey(&count))
        case "FUZZY": return .fuzzy(try searchKey(&count))
        case "OLDER": return .older(seconds: try nonzero("seconds"))
        case "YOUNGER": return .younger(seconds: try nonzero("seconds"))
        case "OR":
            let first = try searchKey(&count)
            try space()
            return .or(first, try searchKey(&count))
        case "KEYWORD": return .has(.keyword(try keyword()))
        case "UNKEYWORD": return .lacks(.keyword(try keyword()))
        case "LARGER": return .larger(try number("a size"))
        case "SMALLER": return .smaller(try number("a size"))
        case "UID": return .uid(try sequenceSet())
        case "UIDAFTER": return .uidAfter(try nonzero("a UID"))
        case "UIDBEFORE": return .uidBefore(try nonzero("a UID"))
        case "MODSEQ": return try modSeqKey()
        case "BEFORE", "ON", "SINCE", "SENTBEFORE", "SENTON", "SENTSINCE", "SAVEDBEFORE", "SAVEDON",
            "SAVEDSINCE":
            return try dateKey(name)
        case "EMAILID": return .emailID(try objectID())
        case "THREADID": return .threadID(try objectID())
        case _: return try stringKey(name)
        }
    }

    private static let plainKeys: [String: SearchKey] = [
        "ALL": .all, "ANSWERED": .has(.answered), "DELETED": .has(.deleted), "DRAFT": .has(.draft),
        "FLAGGED": .has(.flagged), "SEEN": .has(.seen), "UNANSWERED": .lacks(.answered),
        "UNDELETED": .lacks(.deleted), "UNDRAFT": .lacks(.draft), "UNFLAGGED": .lacks(.flagged),
        "UNSEEN": .lacks(.seen), "NEW": .new, "OLD": .old, "RECENT": .recent,
        // Every mailbox here has save dates.
        "SAVEDATESUPPORTED": .all,
    ]

    // objectid = 1*255(ALPHA / DIGIT / "_" / "-")          RFC 8474 §7
    private mutating func objectID() throws(SyntaxError) -> String {
        let range = cursor.take { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "-"): true
            case _: false
            }
        }
        guard !range.isEmpty, range.count <= 255 else { throw SyntaxError("Expected an object identifier") }
        return cursor.text(range)
    }

    private mutating func dateKey(_ name: String) throws(SyntaxError) -> SearchKey {
        let date = try date()
        return switch name {
        case "BEFORE": .internalDate(.before, date)
        case "ON": .internalDate(.on, date)
        case "SINCE": .internalDate(.since, date)
        case "SENTBEFORE": .sentDate(.before, date)
        case "SENTON": .sentDate(.on, date)
        case "SENTSINCE": .sentDate(.since, date)
        // search-key =/ "SAVEDBEFORE" SP date / "SAVEDON" SP date / "SAVEDSINCE" SP date          RFC 8514 §5
        case "SAVEDBEFORE": .savedDate(.before, date)
        case "SAVEDON": .savedDate(.on, date)
        case _: .savedDate(.since, date)
        }
    }

    private mutating func stringKey(_ name: String) throws(SyntaxError) -> SearchKey {
        switch name {
        case "FROM": return .envelope(.from, contains: try astring("a string"))
        case "TO": return .envelope(.to, contains: try astring("a string"))
        case "CC": return .envelope(.cc, contains: try astring("a string"))
        case "BCC": return .envelope(.bcc, contains: try astring("a string"))
        case "SUBJECT": return .envelope(.subject, contains: try astring("a string"))
        case "BODY": return .body(contains: try astring("a string"))
        case "TEXT": return .text(contains: try astring("a string"))
        case "HEADER":
            let field = try textArgument("a field's name")
            try space()
            return .header(name: field, contains: try astring("a string"))
        case _: throw SyntaxError("There is no such search key")
        }
    }

    // search-modsequence = "MODSEQ" [SP entry-name SP entry-type-req] SP mod-sequence-valzer     RFC 7162 §7
    private mutating func modSeqKey() throws(SyntaxError) -> SearchKey {
        if cursor.peek == UInt8(ascii: "\"") {
            _ = try quoted()
            try space()
            guard ["PRIV", "SHARED", "ALL"].contains(try word("priv, shared or all")) else {
                throw SyntaxError("Expected priv, shared or all")
            }
            try space()
        }
        return .modSeq(atLeast: try number("a modification sequence"))
    }
}
