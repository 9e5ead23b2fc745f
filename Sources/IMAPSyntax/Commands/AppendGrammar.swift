import MailVocabulary
import WireFraming

/// Reads an APPEND or REPLACE in the pieces between its messages' literals.
///
///     start ─► message ─► literal ─► ended ─► message …
///                 │                    │  └─► end
///                 └─► part ─► literal, URL ─► partEnded ─► part …
///                                              └─► ended
package struct AppendParser: Sendable, Hashable {
    private enum Position: Sendable, Hashable {
        case start
        /// Before a message's flags.
        case message
        /// Behind a message.
        case ended
        /// Within the parentheses of CATENATE: before a part, and behind one.
        case part
        case partEnded
        /// Before the parenthesis that closes UTF8's.
        case utf8(inCatenate: Bool)
    }

    private var position = Position.start
    private var isReplace = false
    private var parts = 0

    package init() {}

    /// The events that the bytes come to: a command up to a literal's header, or what follows a literal of it, or the
    /// rest of its line. Nil, and nothing changed, when the literal is another argument: its octets are needed first.
    package mutating func parse(
        _ bytes: Span<UInt8>, _ encoding: MailboxEncoding
    ) throws(SyntaxError) -> [AppendEvent]? {
        var parser = CommandParser(bytes, encoding)
        return try parse(&parser)
    }

    /// The same, from where the parser stands: behind the command's name when `command` is told.
    mutating func parse(
        _ parser: inout CommandParser, behind command: (isReplace: Bool, uid: Bool)? = nil
    ) throws(SyntaxError) -> [AppendEvent]? {
        var next = self
        var events: [AppendEvent] = []
        if let command {
            next.isReplace = command.isReplace
            guard try next.target(&parser, uid: command.uid, &events) else { return nil }
        }
        while true {
            guard let goesOn = try next.step(&parser, &events) else { return nil }
            guard goesOn else { break }
        }
        self = next
        return events
    }

    /// False when there is nothing more to read; nil when octets are missing.
    private mutating func step(
        _ parser: inout CommandParser, _ events: inout [AppendEvent]
    ) throws(SyntaxError) -> Bool? {
        switch position {
        case .start: return try start(&parser, &events) ? true : nil
        case .message:
            try message(&parser, &events)
            return try appendData(&parser, &events)
        case .ended:
            events.append(.endOfMessage)
            position = .message
            guard parser.cursor.isAtEnd else {
                guard !isReplace else { throw SyntaxError("REPLACE takes one message") }
                return true
            }
            events.append(.end)
            return false
        case .part: return try part(&parser, &events)
        case .partEnded:
            position = .part
            guard !parser.cursor.take(UInt8(ascii: ")")) else {
                position = .ended
                return true
            }
            try parser.space()
            return true
        case .utf8(let inCatenate):
            try parser.expect(UInt8(ascii: ")"))
            position = inCatenate ? .partEnded : .ended
            return true
        }
    }

    // append  = "APPEND" SP mailbox 1*append-message          RFC 3502
    // replace = "REPLACE" SP seq-number SP mailbox append-message          RFC 8508 §5
    private mutating func start(
        _ parser: inout CommandParser, _ events: inout [AppendEvent]
    ) throws(SyntaxError) -> Bool {
        _ = try parser.tag()
        try parser.space()
        var name = try parser.commandName()
        let uid = name == "UID"
        if uid {
            try parser.space()
            name = try parser.commandName()
        }
        isReplace = name == IMAPCommandName.replace.rawValue
        guard isReplace || name == IMAPCommandName.append.rawValue && !uid else {
            throw SyntaxError("Expected APPEND or REPLACE")
        }
        try parser.space()
        return try target(&parser, uid: uid, &events)
    }

    private mutating func target(
        _ parser: inout CommandParser, uid: Bool, _ events: inout [AppendEvent]
    ) throws(SyntaxError) -> Bool {
        var replaced: ReplacedMessage?
        if isReplace {
            replaced = ReplacedMessage(set: try parser.oneMessage(), uid: uid)
            try parser.space()
        }
        if parser.isAtOpenLiteral { return false }
        events.append(.target(AppendTarget(mailbox: try parser.mailbox(), replaced: replaced)))
        position = .message
        return true
    }

    // append-message = [SP flag-list] [SP date-time] SP append-data
    private mutating func message(
        _ parser: inout CommandParser, _ events: inout [AppendEvent]
    ) throws(SyntaxError) {
        var flags: [Flag] = []
        var date: Timestamp?
        try parser.space()
        if parser.cursor.peek == UInt8(ascii: "(") {
            flags = try parser.flagList()
            try parser.space()
        }
        if parser.cursor.peek == UInt8(ascii: "\"") {
            date = try parser.dateTime()
            try parser.space()
        }
        events.append(.message(flags: flags, internalDate: date))
    }

    // append-data  = literal / literal8
    // append-data =/ "CATENATE" SP "(" cat-part *(SP cat-part) ")"          RFC 4469 §5
    // append-data =/ "UTF8" SP "(" literal8 ")"          RFC 6855 §4; RFC 9755 has it no more
    private mutating func appendData(
        _ parser: inout CommandParser, _ events: inout [AppendEvent]
    ) throws(SyntaxError) -> Bool? {
        switch parser.cursor.peek {
        case UInt8(ascii: "{"), UInt8(ascii: "~"):
            return try literal(&parser, &events, isWholeMessage: true, then: .ended)
        case _:
            switch try parser.word("a message as a literal") {
            case "CATENATE":
                try parser.space()
                try parser.expect(UInt8(ascii: "("))
                position = .part
                return true
            case "UTF8":
                return try utf8Literal(&parser, &events, inCatenate: false)
            case _: throw SyntaxError("A message comes as a literal, or with CATENATE")
            }
        }
    }

    // cat-part  = "TEXT" SP literal / "URL" SP astring
    // cat-part =/ "UTF8" SP "(" literal8 ")"
    private mutating func part(
        _ parser: inout CommandParser, _ events: inout [AppendEvent]
    ) throws(SyntaxError) -> Bool? {
        parts += 1
        guard parts <= IMAPLimits.catenatedParts else { throw SyntaxError("Too many parts", code: .limit) }
        switch try parser.word("TEXT or URL") {
        case "TEXT":
            try parser.space()
            return try literal(&parser, &events, isWholeMessage: false, then: .partEnded)
        case "UTF8": return try utf8Literal(&parser, &events, inCatenate: true)
        case "URL":
            try parser.space()
            if parser.isAtOpenLiteral { return nil }
            events.append(.url(try parser.textArgument("a URL")))
            position = .partEnded
            return true
        case _: throw SyntaxError("A part is TEXT or URL")
        }
    }

    private mutating func utf8Literal(
        _ parser: inout CommandParser, _ events: inout [AppendEvent], inCatenate: Bool
    ) throws(SyntaxError) -> Bool? {
        try parser.space()
        try parser.expect(UInt8(ascii: "("))
        guard parser.cursor.peek == UInt8(ascii: "~") else { throw SyntaxError("UTF8 takes a literal8") }
        return try literal(&parser, &events, isWholeMessage: !inCatenate, then: .utf8(inCatenate: inCatenate))
    }

    private mutating func literal(
        _ parser: inout CommandParser, _ events: inout [AppendEvent], isWholeMessage: Bool, then next: Position
    ) throws(SyntaxError) -> Bool {
        let header = try parser.literalHeader()
        position = next
        guard !parser.cursor.isAtEnd else {
            events.append(.literal(header, isWholeMessage: isWholeMessage))
            return false
        }
        let octets = try parser.literalOctets(header)
        guard header.isBinary || !octets.contains(0) else { throw SyntaxError("A literal may not hold NUL") }
        events.append(.text(octets, isBinary: header.isBinary))
        return true
    }
}

extension CommandParser {
    // seq-number = nz-number / "*"
    fileprivate mutating func oneMessage() throws(SyntaxError) -> SequenceSet {
        let set = try sequenceSet()
        guard case .ranges(let ranges) = set, ranges.count == 1, let only = ranges.first, only.first == only.last else {
            throw SyntaxError("REPLACE takes one message")
        }
        return set
    }

    /// Whether a literal's header is next, and nothing behind it.
    fileprivate var isAtOpenLiteral: Bool {
        var ahead = CommandParser(cursor.bytes, encoding)
        ahead.cursor.position = cursor.position
        guard (try? ahead.literalHeader()) != nil else { return false }
        return ahead.cursor.isAtEnd
    }
}
