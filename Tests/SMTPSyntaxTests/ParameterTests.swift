import MailTestSupport
import MailVocabulary
import SMTPSyntax
import Testing

@Suite("Parameters of MAIL and RCPT, and BDAT and BURL")
struct ParameterTests {
    private static let all: SMTPExtensions = [
        .authentication, .chunking, .binaryMIME, .notifications, .requireTLS, .futureRelease, .deliverBy, .priority,
        .burl,
    ]

    private func mail(
        _ parameters: String, _ offered: SMTPExtensions = all
    ) -> Result<MailCommand, SMTPSyntaxError> {
        let bytes = Array("FROM:<a@b.example> \(parameters)".utf8)
        return Result { () throws(SMTPSyntaxError) in try MailCommand(parsing: bytes.span, offered) }
    }

    private func rcpt(_ parameters: String, _ offered: SMTPExtensions = all) -> Result<RcptCommand, SMTPSyntaxError> {
        let bytes = Array("TO:<a@b.example> \(parameters)".utf8)
        return Result { () throws(SMTPSyntaxError) in try RcptCommand(parsing: bytes.span, offered) }
    }

    @Test("What MAIL can carry, all at once")
    func wholeMail() throws {
        let command = try mail(
            "SIZE=10 BODY=binarymime SMTPUTF8 AUTH=<> RET=hdrs ENVID=a+2Bb+3D REQUIRETLS HOLDFOR=999999999 by=-5;NT mt-priority=-9"
        ).get()
        #expect(command.body == .binaryMIME && command.isInternationalized && command.requiresTLS)
        #expect(command.returned == .headers && command.identifier == "a+b=")
        #expect(command.release == .interval(999_999_999) && command.priority == -9)
        #expect(command.deliverBy?.seconds == -5 && command.deliverBy?.isTraced == true)
        #expect(command.deliverBy?.deadline(from: 100) == DeliveryDeadline(time: 95, mode: .notified, isTraced: true))
        #expect(try mail("HOLDUNTIL=2023-11-15T01:00:00.5+01:00").get().release == .time(1_700_006_400))
        #expect(FutureRelease.interval(5).time(from: 100) == 105)
    }

    @Test(
        "Values out of bounds",
        arguments: [
            "RET", "RET=", "RET=BOTH", "ENVID", "ENVID=+", "ENVID=+0A", "ENVID=a=b",
            "ENVID=\(String(repeating: "x", count: 101))",
            "REQUIRETLS=1", "HOLDFOR", "HOLDFOR=-1", "HOLDFOR=1234567890", "HOLDFOR=1x", "HOLDUNTIL=x",
            "HOLDUNTIL=2023-02-30T00:00:00Z", "HOLDUNTIL=2023-01-01T00:00:00", "HOLDUNTIL=2023-01-01T24:00:00Z",
            "HOLDFOR=1 HOLDUNTIL=2023-11-15T01:00:00Z", "BY=1", "BY=;R", "BY=1;", "BY=1;RN", "BY=0;R", "BY=-1;R",
            "BY=+;N", "BY=--1;N", "BY=1;N;T", "MT-PRIORITY=", "MT-PRIORITY=-", "MT-PRIORITY=-0", "MT-PRIORITY=10",
            "MT-PRIORITY=+1", "RET=FULL RET=FULL", "BODY=8BIT",
        ])
    func badMail(_ parameters: String) {
        guard case .failure(let error) = mail(parameters) else {
            Issue.record("taken: \(parameters)")
            return
        }
        #expect(error == .badParameter || error == .badArgument)
    }

    @Test(
        "What is not offered is unknown",
        arguments: [
            "RET=FULL", "ENVID=x", "REQUIRETLS", "HOLDFOR=1", "HOLDUNTIL=2023-11-15T01:00:00Z", "BY=1;R",
            "MT-PRIORITY=1", "AUTH=<>",
        ])
    func notOffered(_ parameter: String) {
        #expect(mail(parameter, []) == .failure(.unknownParameter))
    }

    @Test("NOTIFY and ORCPT")
    func wholeRcpt() throws {
        let command = try rcpt("notify=success,Delay ORCPT=rfc822;a+2Bb@c.example").get()
        #expect(command.notifications == [.success, .delay] && command.original == "rfc822;a+b@c.example")
        #expect(try rcpt("NOTIFY=NEVER").get().notifications == [])
        #expect(try rcpt("").get().notifications == nil)
        #expect(try rcpt("ORCPT=utf-8;грета@c.example").get().original == "utf-8;грета@c.example")
        for bad in [
            "NOTIFY", "NOTIFY=", "NOTIFY=NEVER,DELAY", "NOTIFY=SUCCESS,", "NOTIFY=x", "ORCPT", "ORCPT=", "ORCPT=;x",
            "ORCPT=x",
            "ORCPT=rfc822;", "ORCPT=rfc822;a+0Db", "ORCPT=rfc822;+4", "ORCPT=a b;x",
            "ORCPT=rfc822;\(String(repeating: "x", count: 500))",
        ] {
            guard case .failure = rcpt(bad) else {
                Issue.record("taken: \(bad)")
                continue
            }
        }
        #expect(rcpt("NOTIFY=NEVER", []) == .failure(.unknownParameter))
        #expect(rcpt("RET=FULL") == .failure(.unknownParameter))
    }

    private func bdat(_ text: String) -> BdatCommand? {
        let bytes = Array(text.utf8)
        return try? BdatCommand(parsing: bytes.span)
    }

    private func burl(_ text: String) -> BurlCommand? {
        let bytes = Array(text.utf8)
        return try? BurlCommand(parsing: bytes.span)
    }

    @Test("Chunk sizes and end marks")
    func chunks() {
        #expect(bdat("0").map { [$0.size == 0, $0.isLast] } == [true, false])
        #expect(bdat("2147483647 last").map { [$0.size == 2_147_483_647, $0.isLast] } == [true, true])
        for bad in [
            "", " 1", "-1", "1LAST", "1 LASTS", "1 LAST x", "2147483648", "18446744073709551616", "0x10", "1 2",
        ] {
            #expect(bdat(bad) == nil, "\(bad)")
        }
        #expect(burl("imap://a/b LAST")?.url == "imap://a/b" && burl("imap://a/b LAST")?.isLast == true)
        #expect(burl("x")?.isLast == false && burl("") == nil && burl("x y") == nil)
    }

    @Test("Dates of RFC 3339 and back")
    func dates() throws {
        for (text, seconds) in [
            ("2023-11-14T22:13:20Z", 1_700_000_000), ("2023-11-14t23:13:20.999+01:00", 1_700_000_000),
        ] {
            #expect(Timestamp(internet: Array(text.utf8))?.seconds == Int64(seconds))
        }
        #expect(Timestamp(seconds: 1_700_000_000, zoneMinutes: 60).internetDate == "2023-11-14T22:13:20Z")
        for bad in [
            "2023-11-14T22:13:20", "2023-11-14T22:13:20.Z", "2023-11-14T22:13:20+0100", "2023-13-14T22:13:20Z", "",
        ] {
            #expect(Timestamp(internet: Array(bad.utf8)) == nil, "\(bad)")
        }
    }

    @Test("Mutated commands are taken or refused, and what is taken can be written down")
    func mutated() {
        var generator = SeededGenerator(seed: 3461)
        let seeds = [
            "FROM:<a@b.example> RET=FULL ENVID=QQ314159 BY=120;RT MT-PRIORITY=-4 HOLDUNTIL=2023-11-15T01:00:00+01:00",
            "FROM:<> SIZE=1 BODY=BINARYMIME REQUIRETLS HOLDFOR=60", "TO:<a@b.example> NOTIFY=SUCCESS,FAILURE,DELAY",
            "TO:<a@b.example> ORCPT=rfc822;a+2Bb@c.example NOTIFY=NEVER", "123 LAST", "imap://a/b;UID=1 LAST",
        ].map { Array($0.utf8) }
        for _ in 0..<20_000 {
            let bytes = generator.mutation(of: seeds.randomElement(using: &generator) ?? [])
            if let command = try? MailCommand(parsing: bytes.span, Self.all) {
                let envelope = command.identifier ?? ""
                #expect(envelope.utf8.allSatisfy { (0x20...0x7E).contains($0) })
                #expect((-9...9).contains(command.priority ?? 0))
            }
            if let command = try? RcptCommand(parsing: bytes.span, Self.all) {
                #expect(!(command.original ?? "").utf8.contains { $0 < 0x20 || $0 == 0x7F })
            }
            if let command = try? BdatCommand(parsing: bytes.span) { #expect(command.size >= 0) }
            if let command = try? BurlCommand(parsing: bytes.span) { #expect(!command.url.isEmpty) }
        }
    }
}
