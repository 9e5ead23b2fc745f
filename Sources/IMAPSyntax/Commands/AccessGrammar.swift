import MailVocabulary
import WireFraming

// Access control (RFC 4314) and annotations (RFC 5464).

extension CommandParser {
    mutating func accessArguments(of command: IMAPCommandName) throws(SyntaxError) -> IMAPRequest {
        try space()
        switch command {
        case .setACL: return try setACL()
        case .deleteACL:
            let (mailbox, identifier) = try mailboxAndIdentifier()
            return .deleteACL(mailbox, identifier: identifier)
        case .getACL: return .getACL(try mailbox())
        case .listRights:
            let (mailbox, identifier) = try mailboxAndIdentifier()
            return .listRights(mailbox, identifier: identifier)
        case .myRights: return .myRights(try mailbox())
        case .getMetadata: return .getMetadata(try getMetadata())
        case _: return try setMetadata()
        }
    }

    // deleteacl  = "DELETEACL" SP mailbox SP identifier
    // listrights = "LISTRIGHTS" SP mailbox SP identifier
    // identifier = astring          RFC 4314 §7
    private mutating func mailboxAndIdentifier() throws(SyntaxError) -> (MailboxName, String) {
        let name = try mailbox()
        try space()
        return (name, try textArgument("an identifier"))
    }

    // setacl     = "SETACL" SP mailbox SP identifier SP mod-rights
    // mod-rights = astring          ;; +rights to add, -rights to remove, rights to replace
    private mutating func setACL() throws(SyntaxError) -> IMAPRequest {
        let (mailbox, identifier) = try mailboxAndIdentifier()
        try space()
        let text = try textArgument("rights")
        let isSigned = text.hasPrefix("+") || text.hasPrefix("-")
        guard let rights = MailboxRights(isSigned ? text.dropFirst() : text[...]) else {
            throw SyntaxError("There is no such right: lrswipkxtea, and c and d, are known")
        }
        let change: RightsChange =
            isSigned ? (text.hasPrefix("+") ? .add(rights) : .remove(rights)) : .replace(rights)
        return .setACL(mailbox, identifier: identifier, change)
    }

    // getmetadata = "GETMETADATA" [SP getmetadata-options] SP mailbox SP entries          RFC 5464 §5
    /// The options stand behind the mailbox's name in the RFC's examples, and in clients that were made from them.
    private mutating func getMetadata() throws(SyntaxError) -> MetadataRequest {
        var request = MetadataRequest(place: .server, selection: AnnotationSelection([]))
        if cursor.peek == UInt8(ascii: "(") {
            try metadataOptions(&request)
            try space()
        }
        request.place = try annotatedPlace()
        try space()
        if isAtMetadataOptions {
            try metadataOptions(&request)
            try space()
        }
        request.selection.names = try entries()
        return request
    }

    /// A list that does not begin with an entry, which begins with a slash, quoted or not.
    private var isAtMetadataOptions: Bool {
        let next = cursor.position + 1
        guard cursor.peek == UInt8(ascii: "("), next < cursor.bytes.count else { return false }
        switch cursor.bytes[next] {
        case UInt8(ascii: "/"), UInt8(ascii: "\""), UInt8(ascii: "{"): return false
        case _: return true
        }
    }

    // getmetadata-options = "(" getmetadata-option *(SP getmetadata-option) ")"
    // maxsize-opt = "MAXSIZE" SP number
    // scope-opt   = "DEPTH" SP ("0" / "1" / "infinity")
    private mutating func metadataOptions(_ request: inout MetadataRequest) throws(SyntaxError) {
        var (size, depth) = (request.maximumSize, request.selection.depth)
        _ = try list("options", limit: IMAPLimits.shortList) { parser throws(SyntaxError) in
            switch try parser.word("an option") {
            case "MAXSIZE":
                try parser.space()
                size = try parser.number("a size")
            case "DEPTH":
                try parser.space()
                depth = try parser.metadataDepth()
            case _: throw SyntaxError("There is no such option")
            }
        }
        (request.maximumSize, request.selection.depth) = (size, depth)
    }

    private mutating func metadataDepth() throws(SyntaxError) -> AnnotationSelection.Depth {
        switch try word("a depth") {
        case "0": return .zero
        case "1": return .one
        case "INFINITY": return .infinity
        case _: throw SyntaxError("A depth is 0, 1 or infinity")
        }
    }

    /// A mailbox's name, or the empty string for the server.
    private mutating func annotatedPlace() throws(SyntaxError) -> AnnotatedPlace {
        let octets = try astring("a mailbox name")
        return octets.isEmpty ? .server : .mailbox(try mailboxName(try decoded(octets)))
    }

    // entries = entry / "(" entry *(SP entry) ")"
    /// Several without parentheses are in the RFC's examples too (§4.4.1).
    private mutating func entries() throws(SyntaxError) -> [AnnotationName] {
        if cursor.peek == UInt8(ascii: "(") { return try entryList() }
        var names: [AnnotationName] = []
        repeat {
            guard names.count < IMAPLimits.annotations else { throw SyntaxError("Too many entries", code: .limit) }
            names.append(try entry())
        } while cursor.take(UInt8(ascii: " "))
        return names
    }

    mutating func entryList() throws(SyntaxError) -> [AnnotationName] {
        try list("entries", limit: IMAPLimits.annotations) { parser throws(SyntaxError) in try parser.entry() }
    }

    // entry = astring          ; slash-separated path, MUST NOT contain "*" or "%"
    private mutating func entry() throws(SyntaxError) -> AnnotationName {
        guard let name = AnnotationName(try astring("an entry's name")) else {
            throw SyntaxError("An entry's name is a path below /private or /shared")
        }
        return name
    }

    // setmetadata  = "SETMETADATA" SP mailbox SP entry-values
    // entry-values = "(" entry-value *(SP entry-value) ")"
    // entry-value  = entry SP value
    private mutating func setMetadata() throws(SyntaxError) -> IMAPRequest {
        let place = try annotatedPlace()
        try space()
        let changes = try list("entries", limit: IMAPLimits.annotations) { parser throws(SyntaxError) in
            let name = try parser.entry()
            guard name.canBeSet else { throw SyntaxError("No entry can have the name \(name)") }
            try parser.space()
            return MetadataChange(name: name, value: try parser.metadataValue())
        }
        guard Set(changes.map(\.name)).count == changes.count else { throw SyntaxError("An entry is there twice") }
        return .setMetadata(place, changes)
    }

    // value = nstring / literal8
    private mutating func metadataValue() throws(SyntaxError) -> [UInt8]? {
        guard cursor.peek == UInt8(ascii: "~") else { return try nstring("a value") }
        return try literalOctets(try literalHeader())
    }
}
