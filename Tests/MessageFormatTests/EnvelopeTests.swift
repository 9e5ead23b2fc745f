import MessageFormat
import Testing

@Suite("Envelope (RFC 9051 §7.5.2)")
struct EnvelopeTests {
    @Test("A plain message")
    func plain() {
        let envelope = summary(
            """
            Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)
            From: Ann Other <ann@example.org>
            Subject: one
             two
            To: list@example.net
            cc: "Joe Q. Public" <joe@example.com>, bob@example.com
            Message-Id: <B27397-0100000@example.org>
            In-Reply-To: <a@b> <c@d>

            Body
            """
        ).envelope
        #expect(text(envelope.date) == "Wed, 17 Jul 1996 02:23:25 -0700 (PDT)")
        #expect(text(envelope.subject) == "one two")
        let ann = EnvelopeAddress(name: octets("Ann Other"), mailbox: octets("ann"), host: octets("example.org"))
        #expect(envelope.from == [ann])
        #expect(envelope.to == [EnvelopeAddress(mailbox: octets("list"), host: octets("example.net"))])
        #expect(envelope.cc.count == 2)
        #expect(envelope.cc.first?.name == octets("Joe Q. Public"))
        #expect(envelope.bcc.isEmpty)
        #expect(text(envelope.messageID) == "<B27397-0100000@example.org>")
        #expect(text(envelope.inReplyTo) == "<a@b> <c@d>")
    }

    @Test("Sender and Reply-To that are absent or empty are as From")
    func senderDefaults() {
        let absent = summary("From: ann@example.org\n\n").envelope
        #expect(absent.sender == absent.from)
        #expect(absent.replyTo == absent.from)
        let empty = summary("From: ann@example.org\nSender:\nReply-To: (nobody)\n\n").envelope
        #expect(empty.sender == empty.from)
        #expect(empty.replyTo == empty.from)
        let given = summary("From: ann@example.org\nSender: bob@example.org\nReply-To: list@example.org\n\n").envelope
        #expect(given.sender.first?.mailbox == octets("bob"))
        #expect(given.replyTo.first?.mailbox == octets("list"))
    }

    @Test("An absent field is nil, an empty one empty")
    func absentAndEmpty() {
        let absent = summary("X: y\n\n").envelope
        #expect(absent == Envelope())
        let empty = summary("Date:\nSubject: \nIn-Reply-To:\t\nMessage-ID:\nTo:\n\n").envelope
        #expect(empty == Envelope(date: [], subject: [], inReplyTo: [], messageID: []))
    }

    @Test("Of a field that stands twice, the first counts")
    func duplicates() {
        let envelope = summary("Subject: a\nFrom: a@x\nsubject: b\nFROM: b@x\n\n").envelope
        #expect(text(envelope.subject) == "a")
        #expect(envelope.from.map(\.mailbox) == [octets("a")])
    }

    @Test("Values hold no CR, LF or NUL, and keep octets above 127")
    func rawOctets() {
        let bytes = octets("Subject: a\rb\0c\r\n\td \u{E9}\n e\r\nFrom: \"a\r\n b\0\" <x\0y@z>\r\n\r\n")
        let envelope = parse(bytes).envelope
        #expect(text(envelope.subject) == "abc\td \u{E9} e")
        #expect(envelope.from.first?.name == octets("a b"))
        let latin = [UInt8](octets("Subject: ")) + [0xE9, 0x0D, 0x0A]
        #expect(parse(latin).envelope.subject == [0xE9])
    }

    @Test(
        "Address lists",
        arguments: [
            ("ann@example.org", ["- <ann@example.org>"]),
            ("<ann@example.org>", ["- <ann@example.org>"]),
            ("Ann Other <ann@example.org>", ["Ann Other <ann@example.org>"]),
            ("\"Joe Q. Public\" <john.q.public@example.com>", ["Joe Q. Public <john.q.public@example.com>"]),
            ("J. R. Doe <j@x>", ["J. R. Doe <j@x>"]),
            (#""Giant; \"Big\" Box" <sysservices@example.net>"#, [#"Giant; "Big" Box <sysservices@example.net>"#]),
            // RFC 5322 appendix A.1.2, A.1.3, A.5, A.6
            ("Who? <one@y.test>", ["Who? <one@y.test>"]),
            (
                "A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
                [
                    "- <A Group@->", "Ed Jones <c@a.test>", "- <joe@where.test>", "John <jdoe@one.test>", "- <-@->",
                ]
            ),
            ("Undisclosed recipients:;", ["- <Undisclosed recipients@->", "- <-@->"]),
            (
                "Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", ["Pete <pete@silly.test>"]
            ),
            (
                "(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;",
                ["- <Hidden recipients@->", "- <-@->"]
            ),
            (
                "Mary Smith <@node.test,@other.test:mary@example.net>",
                ["Mary Smith <@node.test,@other.test:mary@example.net>"]
            ),
            (", jdoe@test   . example, ,", ["- <jdoe@test.example>"]),
            // In the wild
            ("ann@example.org (Ann (the) Other)", ["Ann (the) Other <ann@example.org>"]),
            ("ann", ["- <ann@>"]),
            ("Ann <ann>", ["Ann <ann@>"]),
            ("Ann Other", ["Ann Other <@>"]),
            ("Ann <>", ["Ann <@>"]),
            ("ann@example.org <ann@example.org>", ["ann@example.org <ann@example.org>"]),
            ("Ann Other ann@example.org", ["Ann Other <ann@example.org>"]),
            ("a@x; b@y", ["- <a@x>", "- <b@y>"]),
            ("Ann <ann@x, Bob <bob@y>", ["Ann <ann@x>", "Bob <bob@y>"]),
            ("[list] Ann <ann@[192.0.2.1]>", ["[list] Ann <ann@[192.0.2.1]>"]),
            (#""a b"@x"#, ["- <a b@x>"]),
            ("Friends: a@x, b@y", ["- <Friends@->", "- <a@x>", "- <b@y>", "- <-@->"]),
            ("=?utf-8?Q?J=C3=BCrgen?= <j@x>", ["=?utf-8?Q?J=C3=BCrgen?= <j@x>"]),
            ("\"unclosed <a@b>", ["- <unclosed <a@b>@>"]),
            ("a@b@c", ["- <a@b>"]),
            ("<@x>", ["- <@x>"]),
            ("", []),
            ("(only a comment)", []),
            (",,;,", []),
        ])
    func addressList(list: String, expected: [String]) {
        #expect(addresses(list) == expected)
    }

    @Test("A folded list is one list")
    func folded() {
        #expect(addresses("a@x,\n\tAnn\n Other\n <b@y>") == ["- <a@x>", "Ann Other <b@y>"])
    }

    @Test("Addresses beyond the limit are left out")
    func tooManyAddresses() {
        let list = String(repeating: "a,", count: MessageLimits.addresses + 100)
        #expect(summary("To: \(list)\n\n").envelope.to.count == MessageLimits.addresses)
    }

    @Test("Values are cut at the limit, and all together are bounded")
    func longValues() {
        let long = String(repeating: "x", count: MessageLimits.valueOctets + 1)
        #expect(summary("Subject: \(long)\n\n").envelope.subject?.count == MessageLimits.valueOctets)
        let header = "Content-Description: \(long)\nContent-ID: \(long)\n\n"
        let whole =
            "Content-Type: multipart/mixed; boundary=b\n\n"
            + String(repeating: "--b\n\(header)", count: 30)
        #expect(summary(whole).encoded().count < MessageLimits.retainedOctets + 10_000)
    }
}
