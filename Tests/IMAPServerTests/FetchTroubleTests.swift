import Foundation
import IMAPSyntax
import MailStore
import MailTestSupport
import MailVocabulary
import Synchronization
import Testing
import WireFraming

@testable import IMAPServer

/// What FETCH does with messages that are too heavy, gone or damaged.
@Suite struct FetchTroubleTests {
    /// A message whose envelope has some 100 KiB.
    private static let heavy =
        "To: " + (0..<5000).map { "a\($0)@mail.example.org" }.joined(separator: ",\n ") + "\n\nx\n"

    /// The sizes of the pieces that a FETCH of everything comes in.
    private func pieces(_ fixture: Fixture, _ items: [FetchItem]) async throws -> [Int] {
        let work = IMAPWork.open(
            OpenTask(user: fixture.account, name: .inbox, claimsRecent: false, resync: nil))
        guard case .opened(let opened) = await fixture.service.perform(work, notify: {}) else { return [] }
        let mailbox = SelectedMailbox(opened, isReadOnly: true)
        let plan = try #require(FetchPlan(items, withUID: false))
        var request = FetchRequest(
            writer: FetchWriter(plan: plan, mailbox: mailbox), positions: [0..<mailbox.view.count],
            cursor: FetchCursor())
        var sizes: [Int] = []
        while true {
            var run = FetchRun(store: fixture.served, request: request)
            let piece = await run.run()
            #expect(piece.problem == nil)
            sizes.append(piece.bytes.count)
            guard let next = piece.next else { return sizes }
            request.cursor = next
        }
    }

    @Test("A piece of heavy summaries is not much more than a piece") func heavySummaries() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver([String](repeating: Self.heavy, count: 20))
        let one = 3 * Self.heavy.utf8.count
        for items: [FetchItem] in [
            [.envelope], [.envelope, .bodyStructure, .section(peek: true, BodySection(.header), partial: nil)],
        ] {
            let sizes = try await pieces(fixture, items)
            #expect(sizes.allSatisfy { $0 <= FetchRun.ahead + one })
            #expect(sizes.reduce(0, +) > 20 * 100_000)
        }
        let most = fixture.served.condition.withLock(\.mostSummaryOctets)
        #expect(most < FetchRun.summaries + one)
    }

    @Test("An item that is asked for twice is told once") func duplicates() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver([Fixture.simple(1)])
        let client = await fixture.session("INBOX")
        let once = await client.send("a FETCH 1 (ENVELOPE BODY.PEEK[TEXT] BODY.PEEK[TEXT]<0.3>)\r\n")
        await client.expect(
            "a FETCH 1 (ENVELOPE ENVELOPE BODY.PEEK[TEXT] ENVELOPE BODY.PEEK[TEXT]<0.3> BODY.PEEK[TEXT])\r\n", once)
    }

    @Test("Only the headers of larger messages are read when only headers are wanted") func headersOnly() async throws {
        let fixture = try await Fixture()
        let body = String(repeating: String(repeating: "x", count: 76) + "\n", count: 1000)
        try await fixture.deliver((1...3).map { "Subject: s\($0)\n\n" + body })
        let client = await fixture.session("INBOX")
        await client.expect(
            "a FETCH 1:3 BODY.PEEK[HEADER.FIELDS (SUBJECT)]\r\n",
            (1...3).map { "* \($0) FETCH (BODY[HEADER.FIELDS (SUBJECT)] {15}\r\nSubject: s\($0)\r\n\r\n)\r\n" }.joined()
                + "a OK FETCH completed\r\n")
        #expect(fixture.served.condition.withLock(\.octetsRead) == 0)
    }

    private func damage(_ fixture: Fixture, _ position: Int) async throws -> BodyID {
        try await fixture.store.open(try await fixture.mailbox("INBOX").id)[position].body
    }

    @Test("A damaged body is no loss of the others") func damagedBody() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver((1...4).map(Fixture.simple))
        let body = try await damage(fixture, 2)
        fixture.served.condition.withLock { $0.damagedBodies = [body] }
        let client = await fixture.session("INBOX")
        let all = await client.send("a FETCH 1:4 BODY.PEEK[TEXT]\r\n")
        #expect(
            all == [1, 2, 4].map { "* \($0) FETCH (BODY[TEXT] {16}\r\nHello number \($0)\r\n)\r\n" }.joined()
                + "a NO [CORRUPTION] Some of the messages cannot be read\r\n")
        await client.expect("b SEARCH BODY number\r\n", "* SEARCH 1 2 4\r\nb OK SEARCH completed\r\n")
        #expect(client.events.contains(.notice("a search left out 1 stored messages that cannot be read")))
    }

    @Test("Nothing is made up for a damaged summary", arguments: ["ENVELOPE", "BODYSTRUCTURE", "(UID BODY.PEEK[1])"])
    func damagedSummary(_ items: String) async throws {
        let fixture = try await Fixture()
        try await fixture.deliver((1...4).map(Fixture.simple))
        let body = try await damage(fixture, 1)
        let client = await fixture.session("INBOX")
        let whole = await client.send("a FETCH 1:4 \(items)\r\n")
        fixture.served.condition.withLock { $0.damagedSummaries = [body] }
        let lines = whole.components(separatedBy: "* ").filter { !$0.hasPrefix("2 ") }.joined(separator: "* ")
        await client.expect(
            "a FETCH 1:4 \(items)\r\n",
            lines.replacing("a OK FETCH completed", with: "a NO [CORRUPTION] Some of the messages cannot be read"))
        await client.expect("b SEARCH SUBJECT message\r\n", "* SEARCH 1 3 4\r\nb OK SEARCH completed\r\n")
    }

    @Test("A large body that cannot be read is left out, with what came before it") func damagedLarge() async throws {
        let fixture = try await Fixture()
        let line = String(repeating: "x", count: 76) + "\n"
        try await fixture.deliver(["Subject: large\n\n" + String(repeating: line, count: 3000), Fixture.simple(2)])
        let body = try await damage(fixture, 0)
        fixture.served.condition.withLock { $0.damagedBodies = [body] }
        let client = await fixture.session("INBOX")
        await client.expect(
            "a FETCH 1:2 (UID BODY.PEEK[TEXT])\r\n",
            "* 2 FETCH (UID 2 BODY[TEXT] {16}\r\nHello number 2\r\n)\r\n"
                + "a NO [CORRUPTION] Some of the messages cannot be read\r\n")
    }

    @Test("UIDs of messages that others removed are passed over") func goneByUID() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver([Fixture.simple(1), Fixture.simple(2)])
        let client = await fixture.session("INBOX")
        let second = await fixture.session("INBOX")
        let other = await fixture.session("INBOX")
        _ = await other.send("x STORE 1 +FLAGS.SILENT (\\Deleted)\r\ny EXPUNGE\r\n")
        await client.expect(
            "a UID FETCH 1:2 BODY.PEEK[TEXT]\r\n",
            "* 2 FETCH (UID 2 BODY[TEXT] {16}\r\nHello number 2\r\n)\r\n"
                + "* 1 EXPUNGE\r\n* 1 RECENT\r\na OK FETCH completed\r\n")
        let stored = await second.send("c UID STORE 1:2 +FLAGS (\\Seen)\r\n")
        #expect(stored.hasPrefix("* 1 EXPUNGE\r\n") && stored.hasSuffix("c OK STORE completed\r\n"))
    }
}
