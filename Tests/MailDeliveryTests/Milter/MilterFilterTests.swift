import MailDelivery
import MailStore
import MailVocabulary
import SMTPSyntax
import Synchronization
import Testing
import WireFraming

private let received = "Received: from client by mx.example; Sat, 21 Nov 2026 10:00:00 +0000\r\n"
private let message = received + "From: a@x.example\r\nSubject: one\r\nSubject: two\r\n  folded\r\n\r\nline\r\n"

private func mailbox(_ text: String) throws -> SMTPMailbox { SMTPMailbox(try #require(Address(text))) }

@Suite struct MilterFilterTests {
    private let client = FilteredClient(
        name: "client.example", peer: "192.0.2.1", port: 4711, hostname: "client.example", login: "ann",
        mechanism: "PLAIN", tlsVersion: "TLSv1.3", tlsSuite: "TLS_AES_128_GCM_SHA256")

    private func filter(
        _ scripts: [ScriptedFilter], failure: MilterSettings.Failure = .tempfail, timeout: Duration = .seconds(30),
        reports: @escaping @Sendable (String) -> Void = { _ in }
    ) throws -> MilterFilter {
        let settings = try (1...scripts.count).map {
            MilterSettings(
                try #require(MilterAddress("inet:\($0)@127.0.0.1")), failure: failure, connectTimeout: timeout,
                commandTimeout: timeout, messageTimeout: timeout)
        }
        return MilterFilter(
            settings, server: MilterServer(hostname: "mx.example", version: "1") { _ in .local },
            connector: Switch(scripts), report: reports)
    }

    /// Connects each filter with its script, by port.
    private struct Switch: ByteStreamConnector {
        let scripts: [ScriptedFilter]
        init(_ scripts: [ScriptedFilter]) { self.scripts = scripts }
        func connect(to address: StreamAddress, timeout: Duration) async throws -> any ByteStream {
            guard case .internet(_, let port) = address else { throw MilterError.closed }
            return try await scripts[port - 1].connect(to: address, timeout: timeout)
        }
    }

    private struct Outcome {
        var sender: FilterVerdict
        var recipients: [FilterVerdict] = []
        var message: FilteredMessage?
        var text: String?
    }

    /// A whole transaction, as a server would go through it.
    private func run(
        _ filter: MilterFilter, _ text: String = message, to recipients: [String] = ["b@y.example"]
    ) async throws -> Outcome {
        let transaction = await filter.begin(client)
        var outcome = Outcome(
            sender: await transaction.sender(SMTPEnvelope(reversePath: .mailbox(try mailbox("a@x.example")))))
        if outcome.sender == .accept {
            for recipient in recipients {
                outcome.recipients.append(
                    await transaction.recipient(SMTPRecipient(mailbox: try mailbox(recipient))))
            }
            let filtered = await transaction.message(body(text), identifier: "id1") { CountingWriter() }
            outcome.message = filtered
            outcome.text = try filtered.body?.text
        }
        await transaction.finish()
        return outcome
    }

    private let deferred = FilterVerdict.refuse(
        SMTPReply(451, EnhancedStatus(7, 1), "Service unavailable, try again later"))

    // [8314-A-2] What TLS the client had goes to whoever looks at its mail.
    @Test func `goes through all steps with their macros, without this server's trace`() async throws {
        let script = ScriptedFilter()
        let outcome = try await run(filter([script]))
        #expect(outcome.message?.verdict == .accept)
        #expect(outcome.message?.body == nil)
        let told = script.told.map(\.description)
        #expect(
            told.dropFirst() == [
                "D Cj|mx.example|{daemon_name}|submission|v|Latchmail 1|_|client.example [192.0.2.1]"
                    + "|{client_addr}|192.0.2.1|{client_name}|client.example|{client_port}|4711"
                    + "|{client_ptr}|client.example|",
                "C client.example|4\u{12}g192.0.2.1|",
                "D H{tls_version}|TLSv1.3|{cipher}|TLS_AES_128_GCM_SHA256|{cipher_bits}|128|",
                "H client.example|",
                "D M{auth_type}|PLAIN|{auth_authen}|ann|{mail_addr}|a@x.example|{mail_host}|x.example"
                    + "|{mail_mailer}|local|",
                "M <a@x.example>|",
                "D R{rcpt_addr}|b@y.example|{rcpt_host}|y.example|{rcpt_mailer}|local|",
                "R <b@y.example>|",
                "D Ti|id1|", "T ",
                "L From|a@x.example|", "L Subject|one|", "L Subject|two\n  folded|",
                "D Ni|id1|", "N ", "B line\r\n", "D Ei|id1|", "E ", "K ",
            ])
    }

    @Test func `tells ESMTP parameters`() async throws {
        let script = ScriptedFilter()
        let transaction = try await filter([script]).begin(client)
        var envelope = SMTPEnvelope(reversePath: .null)
        envelope.body = .eightBitMIME
        envelope.isInternationalized = true
        envelope.returned = .headers
        envelope.identifier = "a=b c"
        #expect(await transaction.sender(envelope) == .accept)
        let recipient = SMTPRecipient(
            mailbox: try mailbox("b@y.example"), original: "rfc822;b+c@z.example", notifications: [.failure, .delay])
        #expect(await transaction.recipient(recipient) == .accept)
        await transaction.finish()
        let told = script.told.map(\.description)
        #expect(told.contains("M <>|BODY=8BITMIME|SMTPUTF8|RET=HDRS|ENVID=a+3Db+20c|"))
        #expect(told.contains("R <b@y.example>|NOTIFY=FAILURE,DELAY|ORCPT=rfc822;b+2Bc@z.example|"))
        #expect(script.codes.hasSuffix("AQ"))
    }

    @Test func `changes the header and keeps the octets of the rest`() async throws {
        let changes =
            packet("h", "X-End\0e\0") + packet("i", number(0) + Array("X-Top\0t\0".utf8))
            + packet("i", number(2) + Array("X-Third\0a\n\tb\nEvil: c\n\0".utf8))
            + packet("m", number(2) + Array("SUBJECT\0changed\0".utf8))
            + packet("m", number(1) + Array("From\0\0".utf8)) + packet("m", number(3) + Array("Subject\0new\0".utf8))
            + packet("m", number(1) + Array("Received\0\0".utf8)) + packet("c")
        let outcome = try await run(filter([ScriptedFilter(["E": changes])]))
        #expect(
            outcome.text == "X-Top: t\r\n" + received + "X-Third: a\r\n\tb\r\n\tEvil: c\r\n"
                + "Subject: one\r\nSUBJECT: changed\r\nX-End: e\r\nSubject: new\r\n\r\nline\r\n")
    }

    @Test func `writes values as they come when the filter keeps the leading space`() async throws {
        let changes = packet("h", "A\0 one\0") + packet("h", "B\0two\0") + packet("h", "C\0\r\n three\0") + packet("c")
        let outcome = try await run(filter([ScriptedFilter(options: 0x10_0000, ["E": changes])]))
        #expect(outcome.text == message.replacing("\r\n\r\n", with: "\r\nA: one\r\nB:two\r\nC:\r\n three\r\n\r\n"))
    }

    @Test func `replaces the body piece by piece, with line ends that mail has`() async throws {
        let changes =
            packet("b", "new\r") + packet("p") + packet("h", "X-A\0b\0") + packet("b", "\nlines\nof text\r\r\n.\r")
            + packet("b") + packet("c")
        let outcome = try await run(filter([ScriptedFilter(["E": changes])]))
        #expect(outcome.text?.hasSuffix("X-A: b\r\n\r\nnew\r\nlines\r\nof text\r\n\r\n.\r\n") == true)
        #expect(outcome.text?.hasPrefix(received + "From: a@x.example\r\n") == true)
    }

    @Test func `empties a body, and gives a message without blank line one when its body is replaced`() async throws {
        let emptying = ScriptedFilter(["E": packet("b") + packet("c")])
        #expect(try await run(filter([emptying]), "A: b\r\n\r\ntext\r\n").text == "A: b\r\n\r\n")
        let replacing = ScriptedFilter(["E": packet("b", "text") + packet("c")])
        #expect(try await run(filter([replacing]), "A: b\r\n").text == "A: b\r\n\r\ntext")
        #expect(try await run(filter([replacing]), "A: b").text == "A: b\r\n\r\ntext")
        #expect(try await run(filter([replacing]), "").text == "\r\ntext")
        let adding = ScriptedFilter(["E": packet("h", "X\0y\0") + packet("c")])
        #expect(try await run(filter([adding]), "A: b\r\nno field\r\n").text == "A: b\r\nX: y\r\n\r\nno field\r\n")
        #expect(try await run(filter([adding]), "A: b").text == "A: b\r\nX: y\r\n")
        #expect(try await run(filter([adding]), " blank\r\n").text == "X: y\r\n\r\n blank\r\n")
        #expect(try await run(filter([adding]), "\r\nbody").text == "X: y\r\n\r\nbody")
    }

    @Test func `changes the envelope`() async throws {
        let changes =
            packet("e", "<new@x.example>\0SIZE=1\0") + packet("+", "<c@y.example>\0") + packet("2", "<d@y.example>\0\0")
            + packet("-", "<b@y.example>\0") + packet("-", "<c@y.example>\0") + packet("q", "look at it\0")
            + packet("a")
        let outcome = try await run(filter([ScriptedFilter(["E": changes])]))
        let filtered = try #require(outcome.message)
        #expect(filtered.verdict == .accept)
        #expect(filtered.body == nil)
        #expect(filtered.sender?.reversePath.text == "<new@x.example>")
        #expect(filtered.addedRecipients.map(\.mailbox.description) == ["d@y.example"])
        #expect(filtered.removedRecipients.map(\.description) == ["b@y.example", "c@y.example"])
        #expect(filtered.quarantine == "look at it")
    }

    @Test func `shows each filter what those before have made of the message`() async throws {
        let first = ScriptedFilter(["E": packet("h", "X-First\01\0") + packet("b", "changed\r\n") + packet("c")])
        let second = ScriptedFilter(["E": packet("m", number(1) + Array("X-First\02\0".utf8)) + packet("c")])
        let third = ScriptedFilter()
        let outcome = try await run(filter([first, second, third]))
        #expect(second.told.map(\.description).contains("L X-First|1|"))
        #expect(third.told.map(\.description).contains("L X-First|2|"))
        #expect(third.told.map(\.description).contains("B changed\r\n"))
        #expect(outcome.text?.hasSuffix("  folded\r\nX-First: 2\r\n\r\nchanged\r\n") == true)
    }

    @Test func `tells bodies in pieces of 65,535 octets and copies them in such`() async throws {
        let script = ScriptedFilter(["E": packet("h", "X\0y\0") + packet("c")])
        let long = "A: b\r\n\r\n" + String(repeating: "0123456789abcde\n", count: 20_000)
        let writer = CountingWriter()
        let transaction = try await filter([script]).begin(client)
        _ = await transaction.sender(SMTPEnvelope(reversePath: .null))
        let filtered = await transaction.message(body(long), identifier: "i") { writer }
        await transaction.finish()
        #expect(try filtered.body?.text == "A: b\r\nX: y\r\n" + long.dropFirst(5))
        #expect(script.told.filter { $0.code == "B" }.map(\.data.count) == [65535, 65535, 65535, 65535, 57860])
        #expect(writer.largestPiece <= 65_535)
    }

    @Test(arguments: Array("CHMTLNBE"))
    func `refuses at each step as the filter says`(_ step: Character) async throws {
        let script = ScriptedFilter([step: packet("y", "554 5.7.9 no\0")])
        let outcome = try await run(filter([script]))
        let refusal = FilterVerdict.refuse(SMTPReply(554, EnhancedStatus(7, 9), "no"))
        #expect((outcome.message?.verdict ?? outcome.sender) == refusal)
        #expect("CHM".contains(step) == (outcome.message == nil))
        #expect(script.codes.filter { $0 == step }.count == 1)
    }

    @Test func `refuses one recipient and goes on with others`() async throws {
        let script = ScriptedFilter { told, _ in
            switch told.code {
            case "O": agreement()
            case "D", "A", "K", "Q": []
            case "R": told.text.contains("<c@") ? packet("r") : packet("c")
            case _: packet("c")
            }
        }
        let outcome = try await run(filter([script]), to: ["b@y.example", "c@y.example", "d@y.example"])
        #expect(outcome.recipients[0] == .accept && outcome.recipients[2] == .accept)
        #expect(outcome.recipients[1] != .accept)
        #expect(outcome.message?.verdict == .accept)
    }

    @Test(arguments: Array("MRTLNBE"))
    func `discards from each step on, whoever comes after`(_ step: Character) async throws {
        let (first, second) = (ScriptedFilter([step: packet("d")]), ScriptedFilter())
        let outcome = try await run(filter([first, second]))
        #expect(outcome.message?.verdict == .discard)
        #expect(!second.codes.contains("E"))
        #expect(second.codes.hasSuffix("AQ"))
    }

    @Test(arguments: Array("CHMRTLNB"))
    func `asks a filter nothing more that has accepted, and the next one all`(_ step: Character) async throws {
        let (first, second) = (ScriptedFilter([step: packet("a")]), ScriptedFilter())
        let outcome = try await run(filter([first, second]))
        #expect(outcome.message?.verdict == .accept)
        #expect(!first.codes.contains("E"))
        #expect(second.codes.contains("E"))
    }

    // Failing closed

    @Test(arguments: Array("OCHMRTLNBE"), [MilterSettings.Failure.tempfail, .reject])
    func `takes nothing in past a filter that goes away`(
        _ step: Character, _ failure: MilterSettings.Failure
    ) async throws {
        let script = ScriptedFilter { told, _ in
            if told.code == step { return nil }
            return told.code == "O" ? agreement() : told.code == "D" ? [] : packet("c")
        }
        let reports = Mutex<[String]>([])
        let outcome = try await run(
            filter([ScriptedFilter(), script], failure: failure) { report in reports.withLock { $0.append(report) } })
        let verdict = outcome.message?.verdict ?? outcome.recipients.first ?? outcome.sender
        let refusal = SMTPReply(550, EnhancedStatus(7, 1), "Service unavailable")
        #expect(verdict == (failure == .tempfail ? deferred : .refuse(refusal)))
        #expect(reports.withLock { $0 } == ["filter inet:2@127.0.0.1: closed"])
    }

    @Test(arguments: Array("OCHMRTLNBE"))
    func `takes nothing in past a filter that does not answer in time`(_ step: Character) async throws {
        let script = ScriptedFilter { told, _ in
            if told.code == step { return [] }
            return told.code == "O" ? agreement() : told.code == "D" ? [] : packet("c")
        }
        let outcome = try await run(filter([script], timeout: .milliseconds(30)))
        #expect((outcome.message?.verdict ?? outcome.sender) == deferred)
    }

    @Test func `takes nothing in past a filter that breaks the rules, and lets no change through`() async throws {
        let script = ScriptedFilter(["E": packet("h", "X\0y\0") + packet("b", [0]) + packet("c")])
        let outcome = try await run(filter([script]))
        #expect(outcome.message?.verdict == deferred)
        #expect(outcome.message?.body == nil)
    }

    @Test func `takes nothing in past a filter that is not there`() async throws {
        struct Nobody: ByteStreamConnector {
            func connect(to address: StreamAddress, timeout: Duration) async throws -> any ByteStream {
                throw MilterError.closed
            }
        }
        let settings = MilterSettings(try #require(MilterAddress("unix:/nowhere")))
        let filter = MilterFilter(
            [settings], server: MilterServer(hostname: "mx.example", version: "1"), connector: Nobody()
        ) { _ in }
        #expect(try await run(filter).sender == deferred)
    }

    @Test func `refuses for good what a filter cannot be told`() async throws {
        let outcome = try await run(
            filter([ScriptedFilter()]), "A: " + String(repeating: "x", count: 70_000) + "\r\n\r\nbody")
        guard case .refuse(let reply)? = outcome.message?.verdict else { throw MilterError.closed }
        #expect(reply.code == 552)
        let many = try await run(filter([ScriptedFilter()]), String(repeating: "A: b\r\n", count: 10_001) + "\r\nbody")
        guard case .refuse(let reply)? = many.message?.verdict else { throw MilterError.closed }
        #expect(reply.code == 552)
    }

    @Test func `bounds what a filter may write`() async throws {
        let wide = packet("h", "X\0" + String(repeating: "y", count: 60_000) + "\0")
        let outcome = try await run(
            filter([ScriptedFilter(["E": Array((0..<20).map { _ in wide }.joined()) + packet("c")])]))
        #expect(outcome.message?.verdict == deferred)
        let many = Array((0..<1001).map { _ in packet("h", "X\0y\0") }.joined()) + packet("c")
        #expect(try await run(filter([ScriptedFilter(["E": many])])).message?.verdict == deferred)
    }

    // Connections

    @Test func `serves one client after the other on a connection`() async throws {
        let script = ScriptedFilter()
        let filter = try filter([script])
        for _ in 0..<3 { #expect(try await run(filter).message?.verdict == .accept) }
        #expect(script.connectionCount == 1)
        #expect(script.codes.filter { $0 == "O" }.count == 1)
        #expect(script.codes.filter { $0 == "C" }.count == 3)
        filter.close()
    }

    @Test func `opens another connection when one has died meanwhile`() async throws {
        let script = ScriptedFilter { told, connection in
            switch told.code {
            case "O": agreement()
            case "D": []
            case "K": connection == 1 ? nil : []
            case _: packet("c")
            }
        }
        let filter = try filter([script])
        for _ in 0..<2 { #expect(try await run(filter).message?.verdict == .accept) }
        #expect(script.connectionCount == 2)
    }

    @Test(arguments: Array("ar")) func `shares no connection that libmilter would not`(_ answer: Character) async throws
    {
        let script = ScriptedFilter(["E": packet(answer)])
        let filter = try filter([script])
        for _ in 0..<2 { _ = try await run(filter) }
        #expect(script.connectionCount == 2)
        #expect(script.codes.hasSuffix("EQ"))
    }

    @Test func `ends the connection to a filter that serves only one client`() async throws {
        let script = ScriptedFilter { told, _ in
            told.code == "O" ? agreement(version: 4) : told.code == "D" || told.code == "Q" ? [] : packet("c")
        }
        let filter = try filter([script])
        for _ in 0..<2 { #expect(try await run(filter).message?.verdict == .accept) }
        #expect(script.connectionCount == 2)
        #expect(script.codes.hasSuffix("EQ"))
    }

    @Test(arguments: [
        ("inet:8891@127.0.0.1", StreamAddress.internet(address: "127.0.0.1", port: 8891)),
        ("inet:localhost:8891", .internet(address: "127.0.0.1", port: 8891)),
        ("inet6:8891@::1", .internet(address: "::1", port: 8891)),
        ("inet:[2001:db8::1]:25", .internet(address: "2001:db8::1", port: 25)),
        ("unix:/run/a.sock", .local(path: "/run/a.sock")), ("local:/run/a.sock", .local(path: "/run/a.sock")),
    ])
    func `knows where filters listen`(_ text: String, _ address: StreamAddress) {
        #expect(MilterAddress(text)?.stream == address)
    }

    @Test(arguments: [
        "", "inet:", "inet:8891", "inet:0@127.0.0.1", "inet:70000@127.0.0.1", "inet:1@mail.example",
        "unix:relative", "tcp:1@127.0.0.1", "unix:/" + String(repeating: "x", count: 110),
    ])
    func `knows where no filter listens`(_ text: String) {
        #expect(MilterAddress(text) == nil)
    }
}
