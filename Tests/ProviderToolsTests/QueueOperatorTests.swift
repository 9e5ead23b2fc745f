import Logging
import MailStore
import MailTestSupport
import MailVocabulary
import ProviderTools
import SMTPSyntax
import Synchronization
import Testing

@Suite("Operator's commands for the queue")
struct QueueOperatorTests {
    let fixture: StoreFixture
    let administration: Administration

    init() async throws {
        fixture = try await StoreFixture(InMemoryStore())
        administration = Administration(store: fixture.store)
    }

    private func ask(_ request: QueueRequest, of administering: (any Administering)? = nil) async throws -> [QueueReply]
    {
        let replies = Mutex<[QueueReply]>([])
        try await (administering ?? administration).perform(.queue(request)) { reply in
            if case .queue(let reply) = reply { replies.withLock { $0.append(reply) } }
        }
        return replies.withLock { $0 }
    }

    private func list(_ change: (inout QueueSelection) -> Void = { _ in }) async throws -> [QueuedMessageRecord] {
        var selection = QueueSelection()
        change(&selection)
        return try await ask(.list(selection)).flatMap { reply in
            if case .messages(let part) = reply { part } else { [QueuedMessageRecord]() }
        }
    }

    private func change(_ action: QueueAction, _ select: (inout QueueSelection) -> Void = { _ in }) async throws -> Int
    {
        var selection = QueueSelection()
        select(&selection)
        guard case .changed(let count) = try await ask(.change(selection, action)).first else { return -1 }
        return count
    }

    @Test("lists what waits, for what, and what was heard")
    func lists() async throws {
        let ids = try await fixture.enqueue(
            fixture.queued("one", to: "a@one.net", "b@two.net"), fixture.queued("two", to: "c@one.net", hold: "odd"))
        try await fixture.settle(ids[0], at: "one.net", [0: .stays], due: 4_000_000_000)
        try await fixture.settle(ids[0], at: "two.net", [1: .stays], failures: 2, retry: 4_000_000_007)
        let all = try await list()
        #expect(all.map(\.name) == ["one", "two"])
        #expect(all.map(\.number) == ids.map(\.value))
        #expect(all[0].sender == "joe@example.org")
        #expect(all[0].recipients.map(\.address) == ["a@one.net", "b@two.net"])
        #expect(all[0].recipients.map(\.state) == [.waiting, .waiting])
        #expect(all[0].recipients.map(\.nextAttempt) == [4_000_000_000, 4_000_000_007])
        #expect(all[0].recipients[0].diagnostic == "no")
        #expect(all[1].recipients.map(\.state) == [.held])
        #expect(all[1].holdReason == "odd")
        #expect(try await list { $0.isHeld = true }.map(\.name) == ["two"])
        #expect(try await list { $0.destination = "TWO.net" }.map(\.name) == ["one"])
        #expect(try await list { $0.messages = ["two", "\(ids[0].value)"] }.map(\.name) == ["two", "one"])
    }

    @Test("a long queue comes in parts")
    func parts() async throws {
        for number in 0..<450 { try await fixture.enqueue(fixture.queued("\(number)", to: "a@one.net")) }
        let parts = try await ask(.list(QueueSelection()))
        #expect(parts.count == 3)
        #expect(try await list().map(\.name) == (0..<450).map { "\($0)" })
        #expect(try await change(.hold(reason: "all")) == 450)
        #expect(try await change(.drop) == 450)
        #expect(try await list().isEmpty)
    }

    @Test("changes what is named, and says how much that was")
    func changes() async throws {
        try await fixture.enqueue(fixture.queued("one", to: "a@one.net"), fixture.queued("two", to: "a@two.net"))
        #expect(try await change(.hold(reason: "x")) { $0.messages = ["one"] } == 1)
        #expect(try await change(.retry) == 1)
        #expect(try await change(.release) == 1)
        #expect(try await change(.release) == 0)
        #expect(try await change(.drop) { $0.destination = "one.net" } == 1)
        #expect(try await list().map(\.name) == ["two"])
        #expect(try await change(.giveBack(reason: "spam")) { $0.sender = "joe@example.org" } == 1)
        #expect(try await list().first?.recipients.map(\.state) == [.failed])
        #expect(try await list().first?.recipients.first?.diagnostic == "spam")
    }

    @Test("a message that is not there is named, a bad domain too")
    func errors() async throws {
        await #expect(throws: OperatorError.self) { try await list { $0.messages = ["nix"] } }
        await #expect(throws: OperatorError.self) { try await list { $0.messages = ["12"] } }
        await #expect(throws: OperatorError.self) { try await list { $0.destination = "not a domain" } }
    }

    @Test("counts; the running server's work when there is one")
    func status() async throws {
        try await fixture.enqueue(fixture.queued("one", to: "a@one.net", "b@two.net"))
        guard case .status(let status) = try await ask(.status).first else { throw OperatorError(.software, "none") }
        #expect(status.messages == 1 && status.recipients == 2 && status.octets == 3)
        #expect(status.deliveriesDue == 2 && status.oldestArrival == 1_000_000)
        #expect(status.activity == nil)
    }

    @Test("the same through the control socket")
    func socket() async throws {
        let directory = try TemporaryDirectory()
        try await fixture.enqueue(fixture.queued("one", to: "a@one.net"))
        let server = try ControlServer(
            directory: directory.path, administration: administration, logger: Logger(label: "test"))
        defer { server.stop() }
        let client = try #require(try ControlClient(directory: directory.path))
        guard case .messages(let part) = try await ask(.list(QueueSelection()), of: client).first else {
            throw OperatorError(.software, "no list")
        }
        #expect(part.map(\.name) == ["one"])
        #expect(part == (try await list()))
    }
}
