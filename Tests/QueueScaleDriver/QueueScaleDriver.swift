import Glibc
import Logging
import MailDelivery
import MailRelay
import MailStore
import MailTestSupport
import MailVocabulary
import SMTPSyntax
import SQLiteStore
import Synchronization

/// Fills a queue, opens it anew and drains it; says on standard output what that took: `NAME NUMBER` lines, times in
/// milliseconds, memory (resident) in KiB. Arguments: the store's path, messages, destinations.
@main
enum QueueScaleDriver {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let messages = Int(arguments[2]), let destinations = Int(arguments[3]) else {
            exit(64)
        }
        let clock = ContinuousClock()
        say("fill", try await clock.measure { try await fill(arguments[1], messages, destinations) })
        let before = memory()
        let opening = clock.now
        let store = try SQLiteStore(path: arguments[1])
        let query = DeliveryQuery(now: 1_000_000, limit: 50, perDestination: 5)
        let first = try await store.dueDeliveries(query).count
        say("open", clock.now - opening)
        say("first", first)
        say("counting", try await clock.measure { _ = try await store.queueCounts() })
        say("drain", try await clock.measure { try await drain(store, messages) })
        say("memory", memory().peak - before.now)
        say("left", try await store.queueCounts().messages)
        try await store.close()
    }

    private static func fill(_ path: String, _ messages: Int, _ destinations: Int) async throws {
        let store = try SQLiteStore(path: path)
        let fixture = try await StoreFixture(store)
        for start in stride(from: 0, to: messages, by: 500) {
            var batch: [NewQueuedMessage] = []
            for number in start..<min(start + 500, messages) {
                let text = "Subject: \(number)\r\n\r\n" + String(repeating: "x", count: 500) + "\r\n"
                let body = InMemoryBody(Array(text.utf8))
                batch.append(
                    try fixture.queued(
                        body, name: "\(number)", to: ["someone@d\(number % destinations).example"],
                        submitter: AccountID(Int64(number % 97 + 1))))
            }
            _ = try await store.accept([], queue: batch)
        }
        try await store.close()
    }

    private static func drain(_ store: SQLiteStore, _ messages: Int) async throws {
        let logger = Logger(label: "queue", factory: { _ in SwiftLogNoOpLogHandler() })
        let runner = QueueRunner(
            store: store, agent: Taker(),
            router: RecipientNoticeRouter(
                store: store, resolver: RecipientResolver(store: store, settings: DeliverySettings())),
            host: "mail.example.org",
            clock: SystemQueueClock(now: { 1_000_000 }), logger: logger)
        let running = Task { await runner.run() }
        while try await runner.snapshot().activity.relayed < messages { try await Task.sleep(for: .milliseconds(100)) }
        await runner.stop()
        await running.value
    }

    /// Takes everything.
    private struct Taker: DeliveryAgent {
        func deliver(_ message: OutgoingMessage, to destination: String) async -> [RecipientOutcome] {
            message.recipients.map { _ in
                RecipientOutcome(.relayed(keepsPromises: true), status: "2.0.0", diagnostic: "250 ok")
            }
        }
    }

    /// Resident now and at most since the start, in KiB.
    private static func memory() -> (now: Int, peak: Int) {
        guard let file = fopen("/proc/self/status", "r") else { return (0, 0) }
        defer { fclose(file) }
        var (line, result) = ([CChar](repeating: 0, count: 256), (now: 0, peak: 0))
        while fgets(&line, Int32(line.count), file) != nil {
            let words = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                .split(whereSeparator: \.isWhitespace)
            guard words.count > 1, let number = Int(words[1]) else { continue }
            if words[0] == "VmRSS:" { result.now = number }
            if words[0] == "VmHWM:" { result.peak = number }
        }
        return result
    }

    private static func say(_ name: String, _ number: Int) {
        print("\(name) \(number)")
        fflush(nil)
    }

    private static func say(_ name: String, _ time: Duration) {
        say(name, Int(time.components.seconds * 1000 + time.components.attoseconds / 1_000_000_000_000_000))
    }
}
