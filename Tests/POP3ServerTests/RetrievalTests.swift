import MailStore
import MailTestSupport
import MailVocabulary
import POP3Server
import Testing
import WireFraming

@Suite("POP3 RETR and TOP")
struct RetrievalTests {
    private static let bodies: [[UInt8]] = [
        Array("Subject: dots\r\n\r\n.\r\n..\r\n.a\r\nb.\r\n.\r\n".utf8),
        Array("Subject: no end".utf8),
        Array("Subject: cut\r\n\r\nlast line ends in CR\r".utf8),
        Array(".".utf8),
        [],
        Array("Subject: 8-bit\r\n\r\n".utf8) + [0xFF, 0xFE, 0x80, 0x00, 0x0D, 0x0A],
        Array("X: \(text("long ", 5000))\r\n\r\n\(text("y", 100_000))\r\n".utf8),
        [UInt8](repeating: 0x2E, count: 70_000),
        Array(text("\r\n.", 30_000).utf8),
    ]

    @Test("What was stored is what comes, with a last CRLF", arguments: [false, true])
    func unchanged(sequential: Bool) async throws {
        var driver = try await Fixture(Self.bodies).loggedIn()
        let order = sequential ? Array(Self.bodies.indices) : Self.bodies.indices.reversed()
        for index in order {
            let body = Self.bodies[index]
            let reply = await driver.send(Array("RETR \(index + 1)\r\n".utf8))
            #expect(String(decoding: reply.prefix(30), as: UTF8.self).hasPrefix("+OK \(body.count) octets\r\n"))
            let isEnded = body.isEmpty || body.suffix(2) == [0x0D, 0x0A]
            #expect(unstuffed(reply) == (isEnded ? body : body + [0x0D, 0x0A]), "message \(index + 1)")
        }
    }

    @Test("TOP gives the header, the empty line, and so many lines; no more")
    func top() async throws {
        var driver = try await Fixture([
            Array("A: 1\r\nB: 2\r\n\r\none\r\n.two\r\n\r\nfour\r\n".utf8), Array("A: no body\r\n".utf8), [],
        ]).loggedIn()
        let header = "+OK top of message follows\r\nA: 1\r\nB: 2\r\n\r\n"
        #expect(await driver.send("TOP 1 0\r\n") == header + ".\r\n")
        #expect(await driver.send("TOP 1 1\r\n") == header + "one\r\n.\r\n")
        #expect(await driver.send("TOP 1 2\r\n") == header + "one\r\n..two\r\n.\r\n")
        #expect(await driver.send("TOP 1 4\r\n") == header + "one\r\n..two\r\n\r\nfour\r\n.\r\n")
        #expect(await driver.send("TOP 1 4294967295\r\n") == header + "one\r\n..two\r\n\r\nfour\r\n.\r\n")
        #expect(await driver.send("TOP 2 7\r\n") == "+OK top of message follows\r\nA: no body\r\n.\r\n")
        #expect(await driver.send("TOP 3 1\r\n") == "+OK top of message follows\r\n.\r\n")
    }

    @Test("20 MiB: bounded output at each step, bounded reads")
    func streaming() async throws {
        let line = Array(text(".0123456789", 7).utf8) + [0x0D, 0x0A]
        var body = Array("Subject: big\r\n\r\n".utf8)
        let count = 20 * 1024 * 1024 / line.count
        var expected = Array("+OK \(body.count + count * line.count) octets\r\n".utf8) + body
        for _ in 0..<count {
            body += line
            expected.append(0x2E)
            expected += line
        }
        expected += Array(".\r\n".utf8)
        let fixture = try await Fixture([body])
        let replies = try await step(through: "RETR 1\r\n", of: fixture)
        #expect(replies.largestOutput <= productionChunk)
        #expect(replies.largestRead <= 256 * 1024)
        let isRight = replies.bytes == expected
        #expect(isRight, "\(replies.bytes.count) octets, not \(expected.count), for \(body.count)")
        let top = try await step(through: "TOP 1 10\r\n", of: fixture)
        #expect(top.largestRead <= 16 * 1024 && top.bytes.count < 1000)
    }

    @Test("A listing of 20,000 messages: bounded output at each step")
    func longListing() async throws {
        let message = Array("A: b\r\n\r\n".utf8)
        let fixture = try await Fixture([[UInt8]](repeating: message, count: 20_000))
        for command in ["LIST\r\n", "UIDL\r\n"] {
            let replies = try await step(through: command, of: fixture)
            #expect(replies.largestOutput <= productionChunk)
            #expect(replies.bytes.count { $0 == 0x0A } == 20_002)
        }
    }

    @Test("A client that sends commands and reads nothing is made to wait")
    func paced() async throws {
        let fixture = try await Fixture([Fixture.message(of: 4000, subject: "s")])
        let replies = try await step(through: text("TOP 1 9\r\n", 100), of: fixture)
        #expect(replies.bytes.count > 100 * 4000)
        #expect(replies.largestUndrained <= 2 * productionChunk)
    }

    @Test("Small messages in a row share reads; the answers are the same")
    func prefetch() async throws {
        let bodies = (1...100).map { Fixture.message(of: 4096, subject: "number \($0)") }
        let fixture = try await Fixture(bodies)
        let commands = (1...100).map { "RETR \($0)\r\n" }.joined()
        let replies = try await step(through: commands, of: fixture)
        #expect(replies.works <= 10)
        var expected: [UInt8] = []
        for body in bodies {
            expected += Array("+OK 4096 octets\r\n".utf8)
            expected += body
            expected += Array(".\r\n".utf8)
        }
        #expect(replies.bytes == expected)
    }

    @Test("A message expunged by another session since login answers -ERR; the others stay")
    func gone() async throws {
        let fixture = try await Fixture([Fixture.message(of: 100, subject: "only here")] + Fixture.classic)
        var driver = try await fixture.loggedIn()
        var uids = NumberSet()
        uids.appendAscending(1)
        for inbox in try await allInboxes(of: fixture) {
            _ = try await fixture.store.remove(uids, from: inbox, onlyDeleted: false)
        }
        #expect(await driver.send("STAT\r\n") == "+OK 3 420\r\n")
        #expect(await driver.send("LIST 1\r\n") == "+OK 1 100\r\n")
        #expect(await driver.send("RETR 1\r\n") == "-ERR the message is no longer there\r\n")
        #expect(await driver.send("TOP 1 0\r\n") == "-ERR the message is no longer there\r\n")
        #expect(await driver.send("RETR 2\r\n").hasPrefix("+OK 120 octets\r\n"))
        #expect(await driver.send("DELE 1\r\nDELE 2\r\nQUIT\r\n").hasSuffix("+OK signing off, messages deleted\r\n"))
        #expect(try await fixture.uids() == [3])
    }

    private func allInboxes(of fixture: Fixture) async throws -> [MailboxID] {
        var inboxes: [MailboxID] = []
        for account in try await fixture.store.accounts() {
            if let inbox = try await fixture.store.mailbox(.inbox, of: account.id) { inboxes.append(inbox.id) }
        }
        return inboxes
    }

    @Test("A read that fails: -ERR before the first octet, the end of the connection after it")
    func failedRead() async throws {
        var session = try await machine(bodySize: 600_000)
        var output = SessionOutput()
        #expect(isPerform(session.send("RETR 1\r\n", &output)))
        #expect(isReady(session.completed(.readFailed(reason: "disk"), &output)))
        #expect(output.bytes.text == "-ERR [SYS/TEMP] the message cannot be read now\r\n")
        _ = session.send("RETR 1\r\n", &output)
        _ = session.completed(.bytes([UInt8](repeating: 0x61, count: 256 * 1024)), &output)
        var step = session.produce(&output)
        while case .produce = step { step = session.produce(&output) }
        output = SessionOutput()
        step = session.completed(.readFailed(reason: "disk"), &output)
        guard case .close = step else {
            Issue.record("the connection stays open")
            return
        }
        #expect(output.bytes.isEmpty)
        #expect(output.events == [.notice("message not sent: disk")])
    }

    @Test("A body shorter than the index says is damage, not a message")
    func shortBody() async throws {
        var session = try await machine(bodySize: 1000)
        var output = SessionOutput()
        _ = session.send("RETR 1\r\n", &output)
        #expect(isReady(session.completed(.bytes([0x61]), &output)))
        #expect(output.bytes.text.hasPrefix("-ERR [SYS/TEMP]"))
    }
}

/// What a run of steps did.
struct Steps {
    var bytes: [UInt8] = []
    var largestOutput = 0
    /// Octets written between two moments at which the socket was known to have drained.
    var largestUndrained = 0
    var largestRead = 0
    var works = 0
}

extension RetrievalTests {
    /// Logs in, then drives the machine step by step, as the driver does, and measures.
    private func step(through text: String, of fixture: Fixture) async throws -> Steps {
        var session = POP3Session(
            SessionContext(hostname: "h", tls: Fixture.tls), authenticator: fixture.service.authenticator)
        var login = SessionOutput()
        _ = session.connected(&login)
        guard case .perform(let work) = session.send("AUTH PLAIN \(plain("", "mrose", "tanstaaf"))\r\n", &login)
        else { throw FixtureError() }
        _ = session.completed(await fixture.service.perform(work, notify: {}), &login)
        return await run(&session, Array(text.utf8), fixture.service)
    }

    private func run(_ session: inout POP3Session, _ input: [UInt8], _ service: POP3Service) async -> Steps {
        var steps = Steps()
        var rest = input[...]
        var undrained = 0
        var step: POP3Session.Step = .ready
        while true {
            var output = SessionOutput()
            switch step {
            case .ready:
                let given = Array(rest)
                var consumed = 0
                step = session.received(given.span, consumed: &consumed, &output)
                rest = rest.dropFirst(consumed)
            case .perform(let work):
                steps.works += 1
                if case .read(_, let range) = work { steps.largestRead = max(steps.largestRead, range.count) }
                step = session.completed(await service.perform(work, notify: {}), &output)
            case .produce:
                undrained = 0
                step = session.produce(&output)
            case .needInput, .startTLS, .startCompression, .stopCompression, .close: return steps
            }
            undrained += output.bytes.count
            steps.largestOutput = max(steps.largestOutput, output.bytes.count)
            steps.largestUndrained = max(steps.largestUndrained, undrained)
            steps.bytes += output.bytes.take()
        }
    }

    /// A machine in TRANSACTION whose store is the test.
    private func machine(bodySize: UInt32) async throws -> POP3Session {
        var session = POP3Session(SessionContext(hostname: "h", tls: Fixture.tls), authenticator: ClosedDoor())
        var output = SessionOutput()
        _ = session.send("AUTH PLAIN \(plain("", "mrose", "tanstaaf"))\r\n", &output)
        let fixture = try await Fixture()
        let row = MessageRow(
            uid: UID(known: 1), flags: [], modSeq: ModSeq(1), size: bodySize, internalDate: Timestamp(seconds: 0),
            body: BodyID(1))
        let view = MailboxSnapshot(
            mailbox: fixture.inbox, uidValidity: try #require(UIDValidity(1)), uidNext: 2, rows: [row])
        let lock = try #require(MaildropLocks().acquire(fixture.account.id))
        _ = session.completed(.opened(AuthenticatedUser(fixture.account, loginName: "mrose"), view, lock), &output)
        return session
    }
}

extension POP3Session {
    /// One line in.
    mutating func send(_ text: String, _ output: inout SessionOutput) -> Step {
        output = SessionOutput()
        let bytes = Array(text.utf8)
        var consumed = 0
        return received(bytes.span, consumed: &consumed, &output)
    }
}

func isReady(_ step: POP3Session.Step) -> Bool { if case .ready = step { true } else { false } }
func isPerform(_ step: POP3Session.Step) -> Bool { if case .perform = step { true } else { false } }
