import MailVocabulary
import SMTPSyntax
import TLSPolicy
import Testing

@Suite("Received")
struct ReceivedFieldTests {
    private func field(
        client: String = "client.example.net", peer: String = "192.0.2.1", recipient: String? = "<a@example.com>",
        tls: TLSDescription? = TLSDescription(
            version: .tls13, cipherSuite: CipherSuite(0x1301), group: NamedGroup(0x001D)),
        transmission: ReceivedField.Transmission = .init(
            isSecured: true, isAuthenticated: true, isInternationalized: false),
        date: Timestamp = Timestamp(seconds: 1_700_000_000)
    ) throws -> ReceivedField {
        var mailbox: SMTPMailbox?
        if let recipient, case .mailbox(let found) = try rcpt("TO:" + recipient).get().forwardPath { mailbox = found }
        return ReceivedField(
            client: try ClientName(parsing: Array(client.utf8).span), peer: peer, hostname: "mail.example.com",
            transmission: transmission, identifier: "S4NN1", recipient: mailbox, tls: tls, date: date)
    }

    // [8314-4-15] [8314-4.3-1] [8314-4.3-2] [8314-4.3-4] [8314-2-5] [8314-4.3-5] [8314-4.3-6] [8314-4.3-8] [8314-4.3-9]
    // [8314-7.4-1] [8314-7.4-2]
    @Test("The field names suite and group by the grammar of RFC 8314")
    func wholeField() throws {
        let text = try field().text
        #expect(
            text
                == "Received: from client.example.net ([192.0.2.1])\r\n\tby mail.example.com with ESMTPSA id S4NN1\r\n"
                + "\tfor <a@example.com>\r\n\ttls TLS_AES_128_GCM_SHA256 group x25519;\r\n"
                + "\tTue, 14 Nov 2023 22:13:20 +0000\r\n")
        let parsed = try TraceGrammar(text)
        #expect(parsed["tls"] == "TLS_AES_128_GCM_SHA256")
        #expect(parsed["group"] == "x25519")
        #expect(parsed["with"] == "ESMTPSA")
        #expect(parsed["for"] == "a@example.com")
    }

    // [8314-4.3-2] [8314-4.3-3] [8314-4.3-7]
    @Test("Every suite is named as IANA does, or numbered")
    func suites() throws {
        for number in UInt16.min...UInt16.max where number % 97 == 0 || number >> 8 == 0x13 || number >> 8 == 0xC0 {
            let suite = CipherSuite(number)
            let text = try field(tls: TLSDescription(version: .tls12, cipherSuite: suite)).text
            let parsed = try TraceGrammar(text)
            #expect(parsed["tls"] == suite.nameOrNumber)
            #expect(parsed["group"] == nil)
        }
        let unknown = TLSDescription(version: .tls13, cipherSuite: CipherSuite(0x13FA), group: NamedGroup(0x0017))
        #expect(try field(tls: unknown).text.contains("tls 0x13FA group secp256r1;"))
    }

    // [8314-4.3-4] [8314-4.3-8]
    @Test("A group stands only behind a suite, and only when it has a name")
    func groups() throws {
        let suite = CipherSuite(0x1302)
        for (number, name) in [(0x11EC, "X25519MLKEM768"), (0x0018, "secp384r1"), (0x001E, "x448")]
            as [(UInt16, String)]
        {
            let tls = TLSDescription(version: .tls13, cipherSuite: suite, group: NamedGroup(number))
            #expect(try TraceGrammar(field(tls: tls).text)["group"] == name)
        }
        let nameless = TLSDescription(version: .tls13, cipherSuite: suite, group: NamedGroup(0x7FFF))
        #expect(try TraceGrammar(field(tls: nameless).text)["group"] == nil)
        let suiteless = TLSDescription(version: .tls13, group: NamedGroup(0x001D))
        let parsed = try TraceGrammar(field(tls: suiteless).text)
        #expect(parsed["tls"] == nil)
        #expect(parsed["group"] == nil)
        #expect(try TraceGrammar(field(tls: nil).text)["tls"] == nil)
    }

    @Test(
        "The protocol says TLS, AUTH and SMTPUTF8 [8314-4.3-10]",
        arguments: [
            (true, true, false, "ESMTPSA"), (true, false, false, "ESMTPS"), (false, true, false, "ESMTPA"),
            (false, false, false, "ESMTP"), (true, true, true, "UTF8SMTPSA"), (true, false, true, "UTF8SMTPS"),
        ])
    func transmissions(_ secured: Bool, _ authenticated: Bool, _ international: Bool, _ name: String) throws {
        let transmission = ReceivedField.Transmission(
            isSecured: secured, isAuthenticated: authenticated, isInternationalized: international)
        #expect(try TraceGrammar(field(transmission: transmission).text)["with"] == name)
    }

    @Test(
        "Names and addresses are Extended-Domains",
        arguments: [
            ("client.example.net", "192.0.2.1", "client.example.net ([192.0.2.1])"),
            ("[192.0.2.7]", "2001:db8::1", "[192.0.2.7] ([IPv6:2001:db8::1])"),
            ("[IPv6:2001:db8::7]", "fe80::1%eth0", "[IPv6:2001:db8::7] ([IPv6:fe80::1])"),
            ("bad'name", "::ffff:192.0.2.1", "[IPv6:::ffff:192.0.2.1] ([IPv6:::ffff:192.0.2.1])"),
            ("client", "", "client"), ("[192.0.2.7]", "/run/socket", "unknown"), ("it's", "?", "unknown"),
        ])
    func clients(_ client: String, _ peer: String, _ from: String) throws {
        #expect(try TraceGrammar(field(client: client, peer: peer).text).from == from)
    }

    @Test("Quoted recipients and none")
    func recipients() throws {
        #expect(
            try TraceGrammar(field(recipient: "<\"a b\\\"@;c\"@example.com>").text)["for"]
                == "\"a b\\\"@;c\"@example.com")
        #expect(try TraceGrammar(field(recipient: nil).text)["for"] == nil)
    }

    @Test(
        "Dates are those of RFC 5322",
        arguments: [
            (0, 0, "Thu, 1 Jan 1970 00:00:00 +0000"), (880_127_706, -360, "Fri, 21 Nov 1997 09:55:06 -0600"),
            (1_709_164_800, 330, "Thu, 29 Feb 2024 05:30:00 +0530"),
            (951_782_400, -30, "Mon, 28 Feb 2000 23:30:00 -0030"),
        ] as [(Int64, Int16, String)])
    func dates(_ seconds: Int64, _ zone: Int16, _ text: String) throws {
        let date = Timestamp(seconds: seconds, zoneMinutes: zone)
        #expect(date.messageDate == text)
        #expect(try TraceGrammar(field(date: date).text).date == text)
    }

    @Test("The checker itself refuses what the grammar does not allow")
    func checkerRefuses() throws {
        let good = try field().text
        for (part, replacement) in [
            ("tls TLS_AES_128_GCM_SHA256 group", "group"), (" group x25519", " group 2x"), ("tls TLS_", "tls 0x12 "),
            ("x25519;", "x25519"), ("ESMTPSA id", "ESMTPSA"), ("\r\n\tfor", "\r\nfor"), ("Nov 2023", "Nov 23"),
            ("([192", "(192"), ("by mail", "mail"), ("tls TLS_AES", "tsl TLS_AES"),
        ] {
            let text = good.replacing(part, with: replacement)
            #expect(text != good)
            #expect(throws: (any Error).self) { try TraceGrammar(text) }
        }
    }
}

@Suite("Replies")
struct ReplyTests {
    @Test("The class of an enhanced code is that of the reply; each line carries it")
    func writing() {
        #expect(text(SMTPReply(550, .init(1, 1), "No")) == "550 5.1.1 No\r\n")
        #expect(text(SMTPReply(354, nil, "Go")) == "354 Go\r\n")
        #expect(text(SMTPReply(250, lines: ["a", "B", "C"])) == "250-a\r\n250-B\r\n250 C\r\n")
    }
}
