import MailTestSupport
import SMTPSyntax
import Testing

/// All replies in a stream, fed in pieces that end at `cuts`.
private func replies(_ stream: [UInt8], cuts: [Int] = []) throws(ReplyDefect) -> [ReceivedReply] {
    var parser = ReplyParser()
    var found: [ReceivedReply] = []
    var pending: [UInt8] = []
    var start = 0
    for end in cuts + [stream.count] {
        pending += stream[start..<end]
        start = end
        var consumed = 0
        while let reply = try parser.next(pending.span, consumed: &consumed) { found.append(reply) }
        pending.removeFirst(consumed)
    }
    return found
}

private func replies(_ text: String) throws(ReplyDefect) -> [ReceivedReply] { try replies(Array(text.utf8)) }

@Suite struct ReplyParserTests {
    @Test("One line, several lines, no text, and enhanced codes (RFC 5321 §4.2, RFC 2034 §4)")
    func accepted() throws {
        #expect(try replies("220 mx.example ESMTP\r\n") == [ReceivedReply(220, lines: ["mx.example ESMTP"])])
        #expect(try replies("250\r\n") == [ReceivedReply(250, lines: [""])])
        #expect(try replies("354 \r\n") == [ReceivedReply(354, lines: [""])])
        #expect(
            try replies("250-mx\r\n250-\r\n250 SIZE 10\r\n") == [ReceivedReply(250, lines: ["mx", "", "SIZE 10"])])
        #expect(
            try replies("550-5.1.1 No such\r\n550 5.1.1 user\r\n250 ok\r\n") == [
                ReceivedReply(550, EnhancedStatus(1, 1), lines: ["No such", "user"]), ReceivedReply(250, lines: ["ok"]),
            ])
    }

    @Test("An enhanced code of another class, or none at all, is text")
    func status() throws {
        #expect(try replies("250 5.1.1 odd\r\n") == [ReceivedReply(250, lines: ["5.1.1 odd"])])
        #expect(try replies("550 5.1 odd\r\n") == [ReceivedReply(550, lines: ["5.1 odd"])])
        #expect(try replies("550 5.7.1234 odd\r\n") == [ReceivedReply(550, lines: ["5.7.1234 odd"])])
        let reply = try #require(try replies("450 4.2.0 try\r\n").first)
        #expect(reply.text == "450 4.2.0 try" && reply.statusText == "4.2.0")
        let plain = try #require(try replies("451 try\r\n").first)
        #expect(plain.text == "451 try" && plain.statusText == "4.0.0")
    }

    @Test("Control characters, escapes and text that turns writing around are left out of what is shown")
    func controls() throws {
        let reply = try #require(
            try replies("550 a\u{1B}[2Jb\u{0}\tc\u{7F}\u{202E}d\u{85}e\r\n").first)
        #expect(reply.lines == ["a[2Jb cde"])
        let broken = try #require(try replies(Array("550 a".utf8) + [0xFF, 0x0D, 0x0A]).first)
        #expect(broken.lines == ["a\u{FFFD}"])
    }

    @Test(
        "What is no reply is refused, and a lone CR or LF ends nothing",
        arguments: [
            ("HTTP/1.1 400\r\n", ReplyDefect.malformed), ("25 ok\r\n", .malformed), ("2500 ok\r\n", .malformed),
            ("250ok\r\n", .malformed), ("150 ok\r\n", .malformed), ("650 ok\r\n", .malformed), ("\r\n", .malformed),
            ("250-a\r\n251 b\r\n", .differentCodes), ("250 ok\n", .bareLineEnd), ("250 o\rk\r\n", .bareLineEnd),
            ("250-a\n250 b\r\n", .bareLineEnd),
        ])
    func rejected(_ text: String, _ defect: ReplyDefect) {
        #expect(throws: defect) { try replies(text) }
    }

    @Test("An incomplete reply waits; lines and their number have a cap")
    func bounds() throws {
        #expect(try replies("250-a\r\n250 b").isEmpty)
        #expect(try replies("250 b\r").isEmpty)
        let longest = String(repeating: "x", count: ReplyParser.maximumLineLength - 4)
        #expect(try replies("250 \(longest)\r\n").count == 1)
        #expect(throws: ReplyDefect.lineTooLong) { try replies("250 \(longest)x\r\n") }
        #expect(throws: ReplyDefect.lineTooLong) { try replies("250 \(longest)xxxxxxx") }
        let most = String(repeating: "250-a\r\n", count: ReplyParser.maximumLines - 1)
        #expect(try replies(most + "250 b\r\n").count == 1)
        #expect(throws: ReplyDefect.tooManyLines) { try replies(most + "250-a\r\n250 b\r\n") }
        let large = String(repeating: "250-\(longest)\r\n", count: 20) + "250 end\r\n"
        let kept = try #require(try replies(large).first)
        #expect(kept.lines.reduce(0) { $0 + $1.utf8.count } <= ReplyParser.maximumText)
    }

    @Test("Wherever the stream is cut, and whatever is changed in it, the replies are the same")
    func mutated() {
        var random = SeededGenerator(seed: 11)
        let seeds = [
            "250-mx\r\n250-SIZE 1\r\n250 DSN\r\n", "550 5.1.1 no\r\n250 2.0.0 ok\r\n", "354 go\r\n421 bye\r\n",
        ]
        for seed in seeds {
            for _ in 0..<400 {
                let stream = random.mutation(of: Array(seed.utf8))
                let cuts = (0..<3).map { _ in Int.random(in: 0...stream.count, using: &random) }.sorted()
                let whole = Result { () throws(ReplyDefect) in try replies(stream) }
                let cut = Result { () throws(ReplyDefect) in try replies(stream, cuts: cuts) }
                #expect(whole == cut, "\(stream) \(cuts)")
            }
        }
    }
}

@Suite struct ServerFeaturesTests {
    @Test("Keywords with their parameters; what is not known is passed over")
    func keywords() {
        let reply = ReceivedReply(
            250,
            lines: [
                "MX.Example greets you", "size 35882577", "8BITMIME", "AUTH PLAIN login", "auth CRAM-MD5 PLAIN",
                "LIMITS RCPTMAX=100 MAILMAX=5 RCPTDOMAINMAX=0 X=Y", "DELIVERBY 240", "XCLIENT NAME", "SIZE 3", "",
            ])
        let features = ServerFeatures(reply)
        #expect(features.name == "mx.example")
        #expect(features.extensions == [.size, .eightBitMIME, .auth, .limits, .deliverBy])
        #expect(features.maximumSize == 35_882_577)
        #expect(features.mechanisms == ["PLAIN", "LOGIN", "CRAM-MD5"])
        #expect(features.maximumRecipients == 100 && features.maximumTransactions == 5)
        #expect(features.maximumRecipientDomains == nil)
        #expect(features.minimumDeliveryTime == 240)
    }

    @Test(
        "Numbers that are none, or too large, are no limits",
        arguments: ["SIZE", "SIZE 0", "SIZE x", "SIZE 99999999999999999999999"])
    func malformed(_ line: String) {
        let features = ServerFeatures(ReceivedReply(250, lines: ["mx", line, "LIMITS RCPTMAX=1234567 MAILMAX"]))
        #expect(features.maximumSize == nil && features.offers(.size))
        #expect(features.maximumRecipients == nil && features.maximumTransactions == nil)
    }
}
