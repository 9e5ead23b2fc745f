import MailVocabulary
import WireFraming

extension CommandParser {
    // list = "LIST" [SP list-select-opts] SP mailbox SP mbox-or-pat [SP list-return-opts]     RFC 5258 §6, RFC 9051 §9
    mutating func listRequest() throws(SyntaxError) -> ListRequest {
        var request = ListRequest(reference: "", patterns: [])
        if cursor.peek == UInt8(ascii: "(") {
            request.selection = try listSelection()
            request.isExtended = true
            try space()
        }
        request.reference = try decoded(try astring("a reference name"))
        try space()
        // patterns = "(" list-mailbox *(SP list-mailbox) ")"          RFC 5258 §6
        if cursor.peek == UInt8(ascii: "(") {
            request.isExtended = true
            request.patterns = try list("patterns", limit: IMAPLimits.shortList) { parser throws(SyntaxError) in
                try parser.listMailbox()
            }
        } else {
            request.patterns = [try listMailbox()]
        }
        if cursor.take(UInt8(ascii: " ")) {
            request.returns = try listReturns()
            request.isExtended = true
        }
        return request
    }

    // lsub = "LSUB" SP mailbox SP list-mailbox          RFC 3501 §9
    mutating func lsub() throws(SyntaxError) -> IMAPRequest {
        let reference = try decoded(try astring("a reference name"))
        try space()
        return .lsub(reference: reference, pattern: try listMailbox())
    }

    // list-mailbox = 1*list-char / string
    private mutating func listMailbox() throws(SyntaxError) -> String {
        switch cursor.peek {
        case UInt8(ascii: "\""), UInt8(ascii: "{"): return try decoded(try string("a pattern"))
        case _:
            let range = cursor.take(while: CharacterClass.isList)
            guard !range.isEmpty else { throw SyntaxError("Expected a mailbox name with wildcards") }
            return try decoded(cursor.array(range))
        }
    }

    // list-select-opts = "(" [list-select-opt *(SP list-select-opt)] ")"
    private mutating func listSelection() throws(SyntaxError) -> ListSelection {
        var selection = ListSelection()
        _ = try list("options", limit: IMAPLimits.shortList, mayBeEmpty: true) { parser throws(SyntaxError) in
            switch try parser.word("a selection option") {
            case "SUBSCRIBED": selection.subscribed = true
            case "REMOTE": selection.remote = true
            case "RECURSIVEMATCH": selection.recursiveMatch = true
            case "SPECIAL-USE": selection.specialUse = true
            case _: throw SyntaxError("There is no such selection option")
            }
        }
        guard !selection.recursiveMatch || selection.subscribed || selection.specialUse else {
            throw SyntaxError("RECURSIVEMATCH needs another selection option than REMOTE beside it")
        }
        return selection
    }

    // list-return-opts = "RETURN" SP "(" [return-option *(SP return-option)] ")"
    private mutating func listReturns() throws(SyntaxError) -> ListReturns {
        guard try word("RETURN") == "RETURN" else { throw SyntaxError("Expected RETURN") }
        try space()
        var returns = ListReturns()
        _ = try list("options", limit: IMAPLimits.shortList, mayBeEmpty: true) { parser throws(SyntaxError) in
            switch try parser.word("a return option") {
            case "SUBSCRIBED": returns.subscribed = true
            case "CHILDREN": returns.children = true
            case "SPECIAL-USE": returns.specialUse = true
            case "MYRIGHTS": returns.rights = true
            case "METADATA":
                // return-option =/ "METADATA" SP "(" entry *(SP entry) ")"          RFC 9590 §5
                try parser.space()
                returns.annotations = try parser.entryList()
            case "STATUS":
                // status-option = "STATUS" SP "(" status-att *(SP status-att) ")"          RFC 5819 §4
                try parser.space()
                returns.status = try parser.statusItems()
            case _: throw SyntaxError("There is no such return option")
            }
        }
        return returns
    }
}
