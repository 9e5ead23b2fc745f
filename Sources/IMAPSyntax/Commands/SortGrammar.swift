import MailVocabulary
import WireFraming

extension CommandParser {
    // sort          = ["UID" SP] "SORT" SP sort-criteria SP search-criteria          RFC 5256 §5
    // extended-sort = ["UID" SP] "SORT" search-return-opts SP sort-criteria SP search-criteria          RFC 5267 §5
    mutating func sort(uid: Bool) throws(SyntaxError) -> IMAPRequest {
        var request = SearchRequest(key: .all)
        try searchReturns(of: &request)
        let criteria = try sortCriteria()
        try space()
        try searchCriteria(of: &request)
        return .sort(criteria, request, uid: uid)
    }

    // sort-criteria  = "(" sort-criterion *(SP sort-criterion) ")"
    // sort-criterion = ["REVERSE" SP] sort-key
    private mutating func sortCriteria() throws(SyntaxError) -> [SortCriterion] {
        try list("sort criteria", limit: IMAPLimits.sortCriteria) { parser throws(SyntaxError) in
            let isReverse = parser.takeKeyword("REVERSE")
            guard let key = SortKey(rawValue: try parser.word("a sort key")) else {
                throw SyntaxError("There is no such sort key")
            }
            return SortCriterion(key, isReverse: isReverse)
        }
    }

    // thread = ["UID" SP] "THREAD" SP thread-alg SP search-criteria
    mutating func thread(uid: Bool) throws(SyntaxError) -> IMAPRequest {
        guard let algorithm = ThreadAlgorithm(rawValue: try word("a threading algorithm")) else {
            throw SyntaxError("There is no such threading algorithm")
        }
        try space()
        var request = SearchRequest(key: .all)
        try searchCriteria(of: &request)
        return .thread(algorithm, request, uid: uid)
    }

    // search-criteria = charset 1*(SP search-key)
    private mutating func searchCriteria(of request: inout SearchRequest) throws(SyntaxError) {
        request.charset = try textArgument("a charset").uppercased()
        try space()
        request.key = try searchProgramKeys()
    }

    // esearch             = "ESEARCH" [SP esearch-source-opts] [SP search-return-opts] SP search-program
    // esearch-source-opts = "IN" SP "(" source-mbox [SP "(" scope-options ")"] ")"
    // source-mbox         = filter-mailboxes *(SP filter-mailboxes)          RFC 7377 §4
    mutating func multiSearch() throws(SyntaxError) -> IMAPRequest {
        var sources: [MailboxFilter]?
        if takeKeyword("IN") {
            sources = try list("mailboxes", limit: IMAPLimits.shortList) { parser throws(SyntaxError) in
                // Scope options are for extensions, of which there are none.
                let filter = try parser.mailboxFilter()
                guard filter != .selectedDelayed else { throw SyntaxError("SELECTED-DELAYED is for NOTIFY") }
                return filter
            }
            try space()
        }
        var request = SearchRequest(key: .all)
        try searchReturns(of: &request)
        try searchProgram(of: &request)
        return .multiSearch(sources, request)
    }

    // filter-mailboxes-other = "inboxes" / "personal" / "subscribed" / ("subtree" SP one-or-more-mailbox) /
    //                          ("mailboxes" SP one-or-more-mailbox)          RFC 5465 §8
    // filter-mailboxes-other =/ ("subtree-one" SP one-or-more-mailbox)       RFC 7377 §4
    mutating func mailboxFilter() throws(SyntaxError) -> MailboxFilter {
        switch try word("mailboxes") {
        case "SELECTED": return .selected
        case "SELECTED-DELAYED": return .selectedDelayed
        case "INBOXES": return .inboxes
        case "PERSONAL": return .personal
        case "SUBSCRIBED": return .subscribed
        case "SUBTREE": return .subtree(try namedMailboxes())
        case "SUBTREE-ONE": return .subtreeOne(try namedMailboxes())
        case "MAILBOXES": return .mailboxes(try namedMailboxes())
        case _: throw SyntaxError("There is no such choice of mailboxes")
        }
    }

    // one-or-more-mailbox = mailbox / "(" mailbox *(SP mailbox) ")"
    private mutating func namedMailboxes() throws(SyntaxError) -> [MailboxName] {
        try space()
        guard cursor.peek == UInt8(ascii: "(") else { return [try mailbox()] }
        return try list("mailboxes", limit: IMAPLimits.sourceMailboxes) { parser throws(SyntaxError) in
            try parser.mailbox()
        }
    }

    // command-select =/ "CANCELUPDATE" 1*(SP quoted)          RFC 5267 §5
    mutating func cancelUpdate() throws(SyntaxError) -> IMAPRequest {
        var tags: [String] = []
        repeat {
            guard tags.count < IMAPLimits.shortList else { throw SyntaxError("Too many tags", code: .limit) }
            tags.append(String(decoding: try quoted(), as: UTF8.self))
        } while cursor.take(UInt8(ascii: " "))
        return .cancelUpdate(tags)
    }

    // partial-range-first = nz-number ":" nz-number
    // partial-range-last  = MINUS nz-number ":" MINUS nz-number          RFC 9394 §4
    mutating func resultRange() throws(SyntaxError) -> ResultRange {
        let isFromEnd = cursor.take(UInt8(ascii: "-"))
        let first = try nonzero("a result's number")
        try expect(UInt8(ascii: ":"))
        if isFromEnd { try expect(UInt8(ascii: "-")) }
        return ResultRange(first, try nonzero("a result's number"), isFromEnd: isFromEnd)
    }
}
