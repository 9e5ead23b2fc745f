import MailTestSupport
import MailVocabulary
import SMTPSyntax
import Testing
import WireFraming

private func features(_ extensions: Set<ServerFeatures.Extension>) -> ServerFeatures {
    var features = ServerFeatures()
    features.extensions = extensions
    return features
}

private func mailbox(_ local: String, _ domain: String = "example.net") throws -> SMTPMailbox {
    SMTPMailbox(localPart: local, host: .domain(try #require(Domain(domain))))
}

@Suite struct CommandWriterTests {
    private static let all = features(Set(ServerFeatures.Extension.allCases))

    private func envelope() throws -> SMTPEnvelope {
        var envelope = SMTPEnvelope(reversePath: .mailbox(try mailbox("ann")))
        envelope.identifier = "QQ=31+4 é"
        envelope.returned = .headers
        envelope.requiresTLS = true
        envelope.priority = -3
        envelope.deadline = DeliveryDeadline(time: 1_120, mode: .returned, isTraced: true)
        return envelope
    }

    @Test("MAIL carries what the server offers, and nothing else")
    func mail() throws {
        var output = OutputBuffer()
        let parameters = CommandWriter.MailParameters(
            size: 1234, body: .eightBit, isInternationalized: true, hidesSubmitter: true, now: 1_000)
        try CommandWriter.mail(envelope(), parameters, Self.all, to: &output)
        try CommandWriter.mail(
            envelope(), .init(size: 1234, body: .eightBit, hidesSubmitter: true), features([]), to: &output)
        try CommandWriter.mail(
            SMTPEnvelope(reversePath: .null), .init(size: nil, body: .binary), Self.all, to: &output)
        #expect(
            String(decoding: output.take(), as: UTF8.self) == """
                MAIL FROM:<ann@example.net> SIZE=1234 BODY=8BITMIME SMTPUTF8 AUTH=<> RET=HDRS \
                ENVID=QQ+3D31+2B4+20+C3+A9 REQUIRETLS MT-PRIORITY=-3 BY=120;RT\r
                MAIL FROM:<ann@example.net>\r
                MAIL FROM:<> BODY=BINARYMIME\r

                """)
    }

    @Test("A deadline that has passed asks for a return at once, or for a notice (RFC 2852 §4)")
    func deadline() throws {
        var output = OutputBuffer()
        for mode in [DeliveryDeadline.Mode.returned, .notified] {
            var envelope = SMTPEnvelope(reversePath: .null)
            envelope.deadline = DeliveryDeadline(time: 0, mode: mode)
            try CommandWriter.mail(envelope, .init(size: nil, body: .sevenBit, now: 50), Self.all, to: &output)
        }
        #expect(
            String(decoding: output.take(), as: UTF8.self) == "MAIL FROM:<> BY=1;R\r\nMAIL FROM:<> BY=-50;N\r\n")
    }

    @Test("RCPT: NOTIFY and ORCPT in xtext where DSN is offered (RFC 3461 §4)")
    func rcpt() throws {
        var output = OutputBuffer()
        let recipients = [
            SMTPRecipient(mailbox: try mailbox("bob smith"), original: "rfc822;a+b@x.org", notifications: []),
            SMTPRecipient(
                mailbox: try mailbox("bob"), original: "utf-8;jü@x.org", notifications: [.success, .failure, .delay]),
            SMTPRecipient(mailbox: try mailbox("bob"), original: "no type", notifications: nil),
        ]
        for recipient in recipients {
            try CommandWriter.rcpt(recipient, isInternationalized: false, Self.all, to: &output)
        }
        try CommandWriter.rcpt(recipients[1], isInternationalized: false, features([]), to: &output)
        #expect(
            String(decoding: output.take(), as: UTF8.self) == #"""
                RCPT TO:<"bob smith"@example.net> NOTIFY=NEVER ORCPT=rfc822;a+2Bb@x.org\#r
                RCPT TO:<bob@example.net> NOTIFY=SUCCESS,FAILURE,DELAY ORCPT=utf-8;j\x{FC}@x.org\#r
                RCPT TO:<bob@example.net>\#r
                RCPT TO:<bob@example.net>\#r

                """#)
    }

    @Test("An address that would be another command is not written; nor non-ASCII without SMTPUTF8")
    func unsendable() throws {
        for local in ["a\r\nRSET", "a\n", "a\u{0}", "ü"] {
            var output = OutputBuffer()
            let recipient = SMTPRecipient(mailbox: try mailbox(local))
            #expect(throws: UnsendableArgument()) {
                try CommandWriter.rcpt(recipient, isInternationalized: false, Self.all, to: &output)
            }
            let envelope = SMTPEnvelope(reversePath: .mailbox(recipient.mailbox))
            #expect(throws: UnsendableArgument()) {
                try CommandWriter.mail(envelope, .init(size: 1, body: .sevenBit), Self.all, to: &output)
            }
            #expect(output.isEmpty)
        }
        for name in ["", "a b", "a\r\nMAIL", "ü.example"] {
            var output = OutputBuffer()
            #expect(throws: UnsendableArgument()) { try CommandWriter.hello("EHLO", name, to: &output) }
        }
    }

    @Test("xtext comes back as it was")
    func xtext() {
        var random = SeededGenerator(seed: 5)
        for _ in 0..<200 {
            let bytes = (0..<20).map { _ in UInt8.random(in: 0...255, using: &random) }
            #expect(XText.decode(Array(XText.encode(bytes).utf8)) == bytes)
        }
    }
}

@Suite struct MessageDataEncoderTests {
    /// In pieces that end at `cuts`.
    private func encode(_ message: [UInt8], cuts: [Int] = []) throws(MessageDataDefect) -> [UInt8] {
        var encoder = MessageDataEncoder()
        var output = OutputBuffer()
        var start = 0
        for end in cuts + [message.count] {
            try encoder.encode(Array(message[start..<end]).span, to: &output)
            start = end
        }
        try encoder.finish(&output)
        return output.take()
    }

    private func encode(_ text: String) throws -> String {
        String(decoding: try encode(Array(text.utf8)), as: UTF8.self)
    }

    @Test("Dots at the start of lines are doubled, and the end is on a line of its own (RFC 5321 §4.5.2)")
    func stuffing() throws {
        #expect(try encode("a\r\n.b\r\n..\r\n") == "a\r\n..b\r\n...\r\n.\r\n")
        #expect(try encode(".\r\n") == "..\r\n.\r\n")
        #expect(try encode("") == ".\r\n")
        #expect(try encode("no end") == "no end\r\n.\r\n")
        #expect(try encode("a.b\r\n") == "a.b\r\n.\r\n")
    }

    @Test("No forged end gets through: lone CRs and LFs and NULs are refused")
    func smuggling() {
        let ends = [
            "\n.\n", "\n.\r\n", "\r.\r\n", "\r\n.\n", "\r\n.\r", "\r.\r", "\r\r\n.\r\n", "\u{0}", "\r\n.\r\r\n",
        ]
        for end in ends {
            #expect(throws: MessageDataDefect.self) { try encode("text\(end)MAIL FROM:<>\r\n") }
        }
        #expect(throws: MessageDataDefect.bareCR) { try encode("text\r") }
    }

    @Test("Whatever the message and its pieces: the server's decoder finds it again, or nothing was sent")
    func roundTrip() {
        var random = SeededGenerator(seed: 21)
        for _ in 0..<4000 {
            let message = random.bytes(upTo: 24, from: [0x0D, 0x0A, 0x0D, 0x0A, 0x2E, 0x2E, 0x41])
            let cuts = (0..<3).map { _ in Int.random(in: 0...message.count, using: &random) }.sorted()
            let whole = Result { () throws(MessageDataDefect) in try encode(message) }
            #expect(whole == Result { () throws(MessageDataDefect) in try encode(message, cuts: cuts) })
            guard case .success(let sent) = whole else { continue }
            var decoder = MessageDataDecoder()
            var received: [UInt8] = []
            var position = 0
            decoding: while true {
                switch decoder.next(sent.span, position: &position) {
                case .run(let range): received += sent[range]
                case .lineEnd: received += [0x0D, 0x0A]
                case .needInput:
                    Issue.record("no end in \(sent)")
                    break decoding
                case .end: break decoding
                }
            }
            let isComplete = message.isEmpty || message.suffix(2) == [0x0D, 0x0A]
            #expect(position == sent.count && decoder.defect == nil)
            #expect(received == message + (isComplete ? [] : [0x0D, 0x0A]))
        }
    }
}
