import IMAPSyntax
import Testing

/// What a client's bytes led to, with every literal kept, streamed or refused.
struct Dialogue {
    var reader = CommandReader()
    var log: [String] = []
    /// Octets of a streamed message still to come.
    var streaming = 0
    var unread: [UInt8] = []
    var isHopeless = false
    /// An APPEND with streamed literals.
    var append: AppendParser?

    mutating func feed(_ bytes: some Sequence<UInt8>) {
        unread += bytes
        while !isHopeless {
            if streaming > 0 {
                let taken = min(streaming, unread.count)
                streaming -= taken
                unread.removeFirst(taken)
                if streaming > 0 { return }
            }
            var consumed = 0
            let input = unread
            let event = reader.next(input.span, consumed: &consumed)
            unread.removeFirst(consumed)
            guard handle(event) else { return }
        }
    }

    private mutating func handle(_ event: CommandEvent) -> Bool {
        switch event {
        case .needInput: return false
        case .literal(let header): decide(header)
        case .command:
            do {
                if var parser = append {
                    append = nil
                    let tag = reader.prefix?.tag ?? "*"
                    let events = try reader.parseAppend(&parser, .modifiedUTF7)
                    log.append("\(tag) \(events?.last == .end ? "appended" : "not at its end")")
                    return true
                }
                let command = try reader.parse(.modifiedUTF7)
                log.append("\(command.tag) \(command.request)")
            } catch {
                log.append("\(error.tag ?? "*") \(error.answer) \(error.message)")
            }
        case .rejected(let error):
            append = nil
            log.append("\(error.tag ?? "*") rejected: \(error.message)")
        case .hopeless(let reason):
            log.append("hopeless: \(reason)")
            isHopeless = true
        }
        return true
    }

    private mutating func decide(_ header: LiteralHeader) {
        do {
            var parser = append ?? AppendParser()
            let prefix = reader.prefix
            if prefix?.name == .append, let events = try reader.parseAppend(&parser, .modifiedUTF7) {
                append = parser
                for case .target(let target) in events { log.append("\(prefix?.tag ?? "*") for \(target.mailbox)") }
                log.append("\(prefix?.tag ?? "*") message of \(header.count)")
                reader.streamLiteral()
                streaming = Int(header.count)
                return
            }
        } catch {
            append = nil
            log.append("\(error.tag ?? "*") \(error.answer) \(error.message)")
            refuse()
            return
        }
        if reader.prefix?.name == .login, header.isSynchronizing {
            log.append("no literals for LOGIN")
            refuse()
        } else if !reader.keepLiteral() {
            log.append("\(reader.prefix?.tag ?? "*") too big")
            refuse()
        }
    }

    private mutating func refuse() {
        guard reader.refuseLiteral() == .hopeless else { return }
        log.append("hopeless")
        isHopeless = true
    }
}

@Suite struct CommandReaderTests {
    static func log(_ text: String) -> [String] { log(Array(text.utf8)) }

    static func log(_ bytes: [UInt8]) -> [String] {
        var dialogue = Dialogue()
        dialogue.feed(bytes)
        return dialogue.log
    }

    static let streams: [String] = [
        "a1 NOOP\r\na2 CAPABILITY\r\n",
        "a LOGIN {3+}\r\njoe {6+}\r\nse\r\net\r\nb NOOP\r\n",
        "a SEARCH SUBJECT {4}\r\n{1+} TEXT {0+}\r\n\r\nb NOOP\r\n",
        "a APPEND INBOX (\\Seen) {10+}\r\na NOOP\r\n\"\"\r\nb NOOP\r\n",
        "a APPEND {5+}\r\ninbox ~{3}\r\n\0\r\n\r\nb NOOP\r\n",
        "a APPEND INBOX {2+}\r\nxy trailing\r\nb NOOP\r\n",
        "a APPEND INBOX {2+}\r\nxy {3+}\r\nabc\r\nb NOOP\r\n",
        "a APPEND nil(il {10+}\r\na NOOP\r\n\"\"{4+}\r\nb NO{0+}\r\n{0}\r\nc NOOP\r\n",
        "a LOGIN {3}\r\nb NOOP\r\n",
        "a NOOP\nb NOOP\r\n",
        "\r\n*\r\na\r\na NOOP\r\n",
        "a " + String(repeating: "x", count: 9000) + " {5+}\r\na NOO\r\nb NOOP\r\n",
        "a STATUS {70000+}\r\n" + String(repeating: "a NOOP\r\n", count: 8750) + " (UIDNEXT)\r\nb NOOP\r\n",
        "a SEARCH TEXT {9223372036854775807+}\r\nb NOOP\r\n",
        "a SEARCH TEXT {99999999999999999999+}\r\nb NOOP\r\n",
    ]

    @Test func whole() {
        #expect(Self.log(Self.streams[0]) == ["a1 noop", "a2 capability"])
        #expect(Self.log(Self.streams[1]) == ["a login(userID: \"joe\", password: [secret])", "b noop"])
        #expect(Self.log(Self.streams[2]).last == "b noop")
        #expect(Self.log(Self.streams[2]).first?.contains("subject, contains: [123, 49, 43, 125]") == true)
    }

    @Test func streamsMessagesOfAppend() {
        #expect(Self.log(Self.streams[3]) == ["a for INBOX", "a message of 10", "a appended", "b noop"])
        #expect(Self.log(Self.streams[4]) == ["a for INBOX", "a message of 3", "a appended", "b noop"])
        #expect(
            Self.log(Self.streams[5]) == [
                "a for INBOX", "a message of 2", "a bad A message comes as a literal, or with CATENATE", "b noop",
            ])
        #expect(
            Self.log(Self.streams[6]) == [
                "a for INBOX", "a message of 2", "a message of 3", "a appended", "b noop",
            ])
    }

    @Test func passesOverWhatIsRefused() {
        // The refused command's literals hold what look like commands; none of it is one.
        #expect(Self.log(Self.streams[7]) == ["a bad A single space is missing", "c noop"])
        #expect(Self.log(Self.streams[8]) == ["no literals for LOGIN", "b noop"])
        #expect(Self.log(Self.streams[12]) == ["a too big", "b noop"])
        #expect(Self.log(Self.streams[13]) == ["a too big", "hopeless"])
        #expect(Self.log(Self.streams[14]) == ["a too big", "hopeless"])
    }

    @Test func rejectsLinesThatAreNone() {
        #expect(Self.log(Self.streams[9]) == ["a rejected: Lines end in CR and LF", "b noop"])
        #expect(
            Self.log(Self.streams[10]) == [
                "* bad A command begins with a tag and a space", "* bad A command begins with a tag and a space",
                "a bad Something is missing at the end", "a noop",
            ])
        #expect(Self.log(Self.streams[11]) == ["a rejected: The line is longer than 8192 octets", "b noop"])
    }

    @Test("Every split of a stream gives what the whole gives", arguments: streams)
    func drip(_ stream: String) {
        let bytes = Array(stream.utf8)
        let expected = Self.log(bytes)
        let cuts = bytes.count < 300 ? Array(0...bytes.count) : Array(0...100) + [4096, 8191, 8192, 8193, 8194, 8200]
        for cut in cuts where cut <= bytes.count {
            var dialogue = Dialogue()
            dialogue.feed(bytes[..<cut])
            dialogue.feed(bytes[cut...])
            #expect(dialogue.log == expected, "cut at \(cut)")
        }
        guard bytes.count < 20_000 else { return }
        var dialogue = Dialogue()
        for byte in bytes { dialogue.feed([byte]) }
        #expect(dialogue.log == expected)
    }

    @Test func limits() {
        let line = "a X " + String(repeating: "x", count: IMAPLimits.line - 4)
        #expect(Self.log(line + "\r\n") == ["a unknown(name: \"X\")"])
        #expect(Self.log(line + "x\r\n") == ["a rejected: The line is longer than 8192 octets"])
        let literal = "{\(IMAPLimits.command - 100)+}\r\n" + String(repeating: "x", count: IMAPLimits.command - 100)
        #expect(Self.log("a X \(literal)\r\n") == ["a unknown(name: \"X\")"])
        #expect(Self.log("a X \(literal) {100+}\r\n" + String(repeating: "x", count: 100) + "\r\n") == ["a too big"])
        #expect(
            Self.log("a X \(literal) " + String(repeating: "x", count: 200) + "\r\n") == [
                "a rejected: The command is too long"
            ])
        let many = String(repeating: "{0+}\r\n ", count: IMAPLimits.literals)
        #expect(Self.log("a X \(many)\r\n") == ["a unknown(name: \"X\")"])
        #expect(Self.log("a X \(many){0+}\r\n\r\nb NOOP\r\n") == ["a too big", "b noop"])
    }

    @Test func lowerLimitBeforeLogin() {
        var dialogue = Dialogue()
        dialogue.reader.commandLimit = IMAPLimits.commandBeforeLogin
        dialogue.feed("a LOGIN joe {17000+}\r\n\(String(repeating: "x", count: 17_000))\r\nb NOOP\r\n".utf8)
        #expect(dialogue.log == ["a too big", "b noop"])
    }

    @Test func emptyLiteralsWithoutEndCostNoStack() {
        let many = String(repeating: "{0+}\r\n", count: 200_000)
        #expect(Self.log("a APPEND ( \(many)\r\nb NOOP\r\n").last == "b noop")
    }

    @Test func givesUpOnEndlessLines() {
        var reader = CommandReader()
        let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 1 << 20)
        var events: [String] = []
        var consumed = 0
        for _ in 0..<300 {
            consumed = 0
            let event = reader.next(chunk.span, consumed: &consumed)
            if case .needInput = event { continue }
            events.append("\(event)")
            if case .hopeless = event { break }
        }
        #expect(events.count == 2)
        #expect(events.last?.hasPrefix("hopeless") == true)
    }

    @Test func waitingForOneLineLooksAtEachOctetOnce() {
        // 8 KiB byte by byte: a quadratic reader would look at 33 million octets.
        var framer = IMAPFramer()
        let line = Array(String(repeating: "x", count: IMAPLimits.line).utf8)
        for count in 1...line.count { #expect(framer.next(line.span.extracting(0..<count)) == .incomplete) }
    }

    @Test func literalHeaders() {
        func header(_ text: String) -> LiteralHeader? { LiteralHeader(endOf: Array(text.utf8).span, text.utf8.count) }
        #expect(header("a {5}") == LiteralHeader(count: 5))
        #expect(header("a {5+}") == LiteralHeader(count: 5, isSynchronizing: false))
        #expect(header("a ~{0}") == LiteralHeader(count: 0, isBinary: true))
        #expect(header("a ~{0+}") == LiteralHeader(count: 0, isSynchronizing: false, isBinary: true))
        for text in ["", "}", "{}", "{+}", "5}", "{5", "{5-}", "{-5}", "{5 }", "{5++}", "{0x5}", "a {5} "] {
            #expect(header(text) == nil, "\(text)")
        }
        #expect(header("{9223372036854775808}")?.count == UInt64(Int64.max))
    }

    @Test func prefixes() {
        func prefix(_ text: String) -> CommandPrefix? { CommandPrefix(Array(text.utf8).span) }
        #expect(prefix("a uid fetch 1")?.name == .fetch)
        #expect(prefix("a uid fetch 1")?.isUID == true)
        #expect(prefix("a login {3}")?.name == .login)
        #expect(prefix("a")?.tag == "a")
        #expect(prefix("a")?.name == nil)
        #expect(prefix("+a NOOP") == nil)
        #expect(prefix("") == nil)
    }
}
