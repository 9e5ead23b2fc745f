import Glibc
import MailStore
import MailTestSupport
import MailVocabulary
import MessageFormat
import SQLiteStore

/// Writes to a store until it is killed, and says on standard output what was acknowledged, one line each:
/// `added TEXT`, `removing TEXT`, `removed TEXT`, `flagged TEXT`, `seen UID` (all below that are), `made NAME`,
/// `deleting NAME`, `deleted NAME`; of the queue `queued NAME`, `finishing NAME`, `finished NAME`, `telling NAME`, `told
/// NAME`. Arguments: the store's path, a number that makes texts unique.
@main
enum StoreCrashDriver {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let round = Int(arguments[2]) else { exit(64) }
        var options = SQLiteStore.Options()
        // Small, so that segments are begun while being killed.
        options.segmentSize = 256 << 10
        options.parkedOctets = 20_000
        // Index files, folding and purging all the time, in many small steps.
        options.upkeepInterval = .milliseconds(3)
        options.upkeep.leastRows = 8
        options.upkeep.records = 4
        options.upkeep.foldedAtOnce = 5
        options.upkeep.purgedAtOnce = 3
        // Texts are indexed, and taken out again, as they come and go.
        options.textIndex = .maintained
        options.textIndexing.interval = .milliseconds(3)
        options.textIndexing.rest = 0
        options.textIndexing.erasing = 0
        options.textIndexing.tidying = .milliseconds(20)
        let store = try SQLiteStore(path: arguments[1], options: options)
        let known = try await store.accounts().first
        let fixture = if let known { StoreFixture(store, known) } else { try await StoreFixture(store) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<6 {
                group.addTask { try await work(worker, round, fixture) }
            }
            for worker in 6..<8 {
                group.addTask { try await workQueue(worker, round, fixture) }
            }
            try await group.waitForAll()
        }
    }

    private static func work(_ worker: Int, _ round: Int, _ fixture: StoreFixture) async throws {
        let inbox = try await fixture.mailbox("INBOX").id
        var random = SeededRandom(seed: UInt64(round * 100 + worker))
        for number in 0... {
            let text = "\(round).\(worker).\(number)"
            let isLarge = Int.random(in: 0..<20, using: &random) == 0
            let filling = isLarge ? 1_200_000 : Int.random(in: 0..<9000, using: &random)
            let octets = text + "\n" + String(repeating: "x", count: filling)
            var message = try await fixture.message(octets)
            message.summary = MessageSummary(parsing: octets.utf8.span).encoded()
            let result = try await fixture.store.append([(inbox, [message])])
            say("added \(text)")
            guard let uid = result.first?.uids.first else { continue }
            if Int.random(in: 0..<2, using: &random) == 0 {
                _ = try await fixture.store.changeFlags(
                    inbox, uids(uid.value...uid.value), .add([.flagged]), unchangedSince: nil)
                say("flagged \(text)")
            }
            if worker == 0 { try await changeMany(text, fixture, inbox) }
            guard Int.random(in: 0..<3, using: &random) == 0 else { continue }
            _ = try await fixture.store.changeFlags(
                inbox, uids(uid.value...uid.value), .add([.deleted]), unchangedSince: nil)
            say("removing \(text)")
            _ = try await fixture.store.remove(uids(uid.value...uid.value), from: inbox, onlyDeleted: true)
            say("removed \(text)")
        }
    }

    /// What concerns the whole mailbox: a flag change, and a copy that is deleted again.
    private static func changeMany(_ text: String, _ fixture: StoreFixture, _ inbox: MailboxID) async throws {
        let next = try await fixture.store.open(inbox).uidNext
        _ = try await fixture.store.changeFlags(inbox, uids(1...UInt32(next)), .add([.seen]), unchangedSince: nil)
        say("seen \(next)")
        let made = try await fixture.create(text).id
        _ = try await fixture.store.copy(uids(1...UInt32(next)), from: inbox, to: made)
        say("made \(text)")
        say("deleting \(text)")
        try await fixture.delete(text)
        say("deleted \(text)")
    }

    /// Takes mail into the queue, and out of it again: delivered, or returned with a notice in Junk.
    private static func workQueue(_ worker: Int, _ round: Int, _ fixture: StoreFixture) async throws {
        let junk = try await fixture.mailbox("Junk").id
        var random = SeededRandom(seed: UInt64(round * 100 + worker))
        for number in 0... {
            let text = "\(round).\(worker).\(number)"
            let filling = Int.random(in: 0..<4000, using: &random)
            let body = try await fixture.staged(Array((text + "\n" + String(repeating: "x", count: filling)).utf8))
            let queued = try fixture.queued(body, name: text, to: ["a@one.net", "b@two\(number % 3).net"])
            guard let id = try await fixture.enqueue(queued).first else { continue }
            say("queued \(text)")
            _ = try await fixture.due(2)
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                try await fixture.settle(id, at: "one.net", [0: .stays], due: 1_000_300)
            case 1:
                try await fixture.settle(id, at: "one.net", [0: .finished])
                say("finishing \(text)")
                try await fixture.settle(id, at: "two\(number % 3).net", [1: .finished])
                say("finished \(text)")
            case _:
                try await fixture.settle(id, at: "one.net", [0: .finished])
                try await fixture.settle(id, at: "two\(number % 3).net", [1: .owes(.owesFailure)])
                say("telling \(text)")
                let told = QueueSettlement(message: id, recipients: [.init(1, .told(.owesFailure))])
                let notice = try await fixture.message(text)
                _ = try await fixture.store.settle(told, adding: [(junk, [notice])], queue: [])
                say("told \(text)")
            }
        }
    }

    /// One call, one line: a line is whole or not there.
    private static func say(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        _ = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    }
}
