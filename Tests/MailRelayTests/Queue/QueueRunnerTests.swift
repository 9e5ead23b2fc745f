import Logging
import MailDelivery
import MailStore
import MailTestSupport
import MailVocabulary
import SMTPSyntax
import Synchronization
import Testing

@testable import MailRelay

/// A runner on simulated time, over the store that a test chooses.
struct RunnerFixture {
    static let start: Int64 = 1_000_000

    let fixture: StoreFixture
    let clock = SimulatedQueueClock(start)
    let agent: ScriptedAgent
    let runner: QueueRunner
    private let running: Task<Void, Never>

    init(
        _ store: any MailStore = InMemoryStore(), policy: QueuePolicy = QueuePolicy(),
        settings: DeliverySettings = DeliverySettings(),
        _ script: @escaping ScriptedAgent.Script
    ) async throws {
        fixture = try await StoreFixture(store)
        agent = ScriptedAgent(clock, script)
        let runner = QueueRunner(
            store: store, agent: agent,
            router: RecipientNoticeRouter(
                store: store, resolver: RecipientResolver(store: store, settings: settings)), policy: policy,
            host: "mail.example.org", clock: clock,
            logger: Logger(label: "queue", factory: { _ in SwiftLogNoOpLogHandler() }))
        self.runner = runner
        running = Task { await runner.run() }
    }

    func stop() async {
        await runner.stop(within: .seconds(30))
        await running.value
    }

    /// Waits until something holds, while nothing but simulated time stands still.
    func until(_ what: Comment, _ holds: () async throws -> Bool) async throws {
        for _ in 0..<6000 {
            if try await holds() { return }
            try await Task.sleep(for: .milliseconds(5))
        }
        Issue.record("never came true: \(what)")
    }

    /// Lets the clock jump from one waking to the next until something holds.
    func advancing(_ what: Comment, _ holds: () async throws -> Bool) async throws {
        try await until(what) {
            if try await holds() { return true }
            if await runner.isQuiet, let next = clock.nextWaking { clock.advance(to: next) }
            return false
        }
    }

    var isEmpty: Bool { get async throws { try await fixture.store.queueCounts().messages == 0 } }

    func notices() async throws -> [String] { try await fixture.texts(fixture.mailbox("INBOX").id) }
}

@Suite("Taking mail out of the queue")
struct QueueRunnerTests {
    @Test("what is there is delivered, and what comes at once")
    func delivers() async throws {
        let run = try await RunnerFixture { message, _ in message.recipients.map { _ in .relayed } }
        try await run.fixture.enqueue(run.fixture.queued("1", to: "a@one.net", "b@one.net", "c@two.net"))
        try await run.until("the first is delivered") { try await run.isEmpty }
        try await run.fixture.enqueue(run.fixture.queued("2", to: "a@one.net"))
        try await run.until("the second is delivered") { try await run.isEmpty }
        #expect(
            run.agent.calls.withLock { $0.map { "\($0.message) \($0.destination)" }.sorted() } == [
                "1 one.net", "1 two.net", "2 one.net",
            ])
        let snapshot = try await run.runner.snapshot()
        #expect(snapshot.activity.attempts == 3)
        #expect(snapshot.activity.relayed == 4)
        #expect(run.clock.now() == RunnerFixture.start)
        #expect(try await run.notices() == [])
        await run.stop()
    }

    @Test("what fails for now is tried at longer intervals, then returned, the delay having been told of")
    func retries() async throws {
        let run = try await RunnerFixture { message, _ in message.recipients.map { _ in .busy } }
        try await run.fixture.enqueue(run.fixture.queued("1", to: "a@one.net"))
        try await run.advancing("it is returned") { try await run.isEmpty }
        let times = run.agent.calls.withLock { $0.map { $0.time - RunnerFixture.start } }
        #expect(times.first == 0)
        #expect((48...72).contains(times[1]))
        #expect((96...144).contains(times[2] - times[1]))
        #expect(times.count > 100 && times.count < 170, "an attempt an hour, for five days: \(times.count)")
        #expect(times.last.map { $0 <= 5 * 86_400 } == true)
        let notices = try await run.notices()
        #expect(notices.map { $0.contains("Action: delayed") } == [true, false])
        #expect(notices.map { $0.contains("Action: failed") } == [false, true])
        await run.stop()
    }

    @Test("mail to a destination that cannot be reached waits together: one attempt at a time finds out")
    func unreachable() async throws {
        let isUp = Mutex(false)
        let run = try await RunnerFixture { message, _ in
            message.recipients.map { _ in isUp.withLock { $0 } ? .relayed : .unreachable }
        }
        for number in 0..<50 { try await run.fixture.enqueue(run.fixture.queued("\(number)", to: "a@one.net")) }
        try await run.until("it waits") { try await run.fixture.store.queueCounts().failingDestinations == 1 }
        try await run.advancing("an hour has passed") { run.clock.now() > RunnerFixture.start + 3600 }
        let tried = run.agent.calls.withLock { $0.count }
        #expect(tried < 5 + 10, "tried \(tried) times")
        isUp.withLock { $0 = true }
        try await run.advancing("all is delivered") { try await run.isEmpty }
        #expect(run.clock.now() < RunnerFixture.start + 3 * 3600)
        #expect(try await run.notices() == [])
        await run.stop()
    }

    @Test("no more at a time than allowed, in all and to one destination")
    func concurrency() async throws {
        var policy = QueuePolicy()
        (policy.concurrency, policy.perDestination) = (7, 3)
        let here = Mutex<[String: Int]>([:])
        let most = Mutex(0)
        let run = try await RunnerFixture(policy: policy) { message, destination in
            let now = here.withLock { here in
                here[destination, default: 0] += 1
                return here[destination] ?? 0
            }
            most.withLock { $0 = max($0, now) }
            try? await Task.sleep(for: .milliseconds(2))
            here.withLock { $0[destination, default: 0] -= 1 }
            return message.recipients.map { _ in .relayed }
        }
        for number in 0..<60 {
            try await run.fixture.enqueue(run.fixture.queued("\(number)", to: "a@d\(number % 4).net"))
        }
        try await run.until("all is delivered") { try await run.isEmpty }
        #expect(run.agent.mostAtOnce.withLock { $0.most } <= 7)
        #expect(most.withLock { $0 } <= 3)
        #expect(run.agent.calls.withLock { $0.count } == 60)
        await run.stop()
    }

    @Test("a notice for all recipients that shared a fate; the queue takes it on to a sender elsewhere")
    func notices() async throws {
        let run = try await RunnerFixture { message, destination in
            message.recipients.map { _ in destination == "one.net" || destination == "two.net" ? .refused : .relayed }
        }
        var remote = try await run.fixture.queued("2", to: "a@one.net")
        remote.envelope.reversePath = .mailbox(try StoreFixture.mailbox("far@elsewhere.net"))
        var silent = try await run.fixture.queued("3", to: "a@one.net")
        silent.envelope.reversePath = .null
        try await run.fixture.enqueue(
            run.fixture.queued("1", to: "a@one.net", "b@two.net", "c@three.net", "d@one.net"), remote, silent)
        try await run.until("all is settled") { try await run.isEmpty }
        let notices = try await run.notices()
        #expect(notices.count == 1)
        for address in ["a@one.net", "b@two.net", "d@one.net"] {
            #expect(notices[0].contains("Final-Recipient: rfc822; \(address)\r\n"))
        }
        #expect(!notices[0].contains("c@three.net"))
        let forwarded = run.agent.calls.withLock { $0.filter { $0.destination == "elsewhere.net" } }
        #expect(forwarded.count == 1)
        #expect(try await run.runner.snapshot().activity.failureNotices == 2)
        await run.stop()
    }

    @Test("stopping lets an attempt in progress end, and abandons one that does not")
    func stopping() async throws {
        let run = try await RunnerFixture { message, destination in
            if destination == "stuck.net" {
                try? await Task.sleep(for: .seconds(3600))
                return message.recipients.map { _ in .unreachable }
            }
            try? await Task.sleep(for: .milliseconds(50))
            return message.recipients.map { _ in .relayed }
        }
        try await run.fixture.enqueue(
            run.fixture.queued("1", to: "a@one.net"), run.fixture.queued("2", to: "a@stuck.net"))
        try await run.until("both are tried") { run.agent.calls.withLock { $0.count } == 2 }
        await run.runner.stop(within: .milliseconds(500))
        let left = try await run.fixture.store.queuedMessages(QueueFilter(), after: nil, limit: 10)
        #expect(left.map(\.message.identifier) == ["2"])
        #expect(left.first?.deliveries.first?.attempts == 0)
        try await run.fixture.enqueue(run.fixture.queued("3", to: "a@one.net"))
        #expect(run.agent.calls.withLock { $0.count } == 2)
    }
}
