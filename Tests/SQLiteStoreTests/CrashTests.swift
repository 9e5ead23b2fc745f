import Foundation
import Glibc
import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import SQLiteStore

@Suite("Killed at any moment", .serialized)
struct CrashTests {
    @Test("what was acknowledged is there once, what was removed is gone, and all is sound")
    func killed() async throws {
        let driver = try #require(CrashDriver.path, "the driver is built beside the tests")
        try await withStorePath { path in
            var history = History()
            // Ten rounds, and more on a machine so busy that the driver has come to little in them.
            for round in 0..<200 where round < 10 || !history.isTelling {
                let output = try CrashDriver.run(driver, path, round, milliseconds: Int.random(in: 5...150))
                history.add(output)
                try await withStore(path, options: indexedOptions) { store in
                    try await store.updateTextIndex()
                    let fixture = try await store.firstFixture()
                    let inbox = try await fixture.mailbox("INBOX").id
                    let texts = try await fixture.texts(inbox).map { String($0.prefix { $0 != "\n" }) }
                    history.check(texts)
                    try await expectFound(texts, in: inbox, fixture)
                    history.checkFlags(texts, try await store.open(inbox))
                    history.checkMailboxes(Set(try await fixture.names()))
                    let notices = try await fixture.texts(fixture.mailbox("Junk").id)
                    history.checkQueue(try await allQueued(store), notices)
                    try await fixture.expectSound()
                }
            }
            #expect(history.isTelling)
        }
    }

    private func allQueued(_ store: SQLiteStore) async throws -> [String] {
        var (names, last) = ([String](), QueueID?.none)
        while true {
            let part = try await store.queuedMessages(QueueFilter(), after: last, limit: 1000)
            guard let end = part.last else { return names }
            names += part.map(\.message.identifier)
            last = end.message.id
        }
    }

    /// Whatever became of the index: what is there is found with it, and what is not is known not to be.
    private func expectFound(_ texts: [String], in inbox: MailboxID, _ fixture: StoreFixture) async throws {
        for (position, text) in texts.enumerated() where position % 7 == 0 {
            guard let may = try await fixture.mayContain(text, in: inbox) else { continue }
            #expect(may[position], "an index hides a message")
        }
        let may = try await fixture.mayContain("tulips", in: inbox)
        #expect(may?.contains(true) != true)
    }

    private struct History {
        var added: Set<String> = []
        var removing: Set<String> = []
        var removed: Set<String> = []
        var flagged: Set<String> = []
        /// All UIDs below have `\Seen`.
        var seen: UInt32 = 1
        var made: Set<String> = []
        var deleting: Set<String> = []
        var deleted: Set<String> = []
        var queued: Set<String> = []
        var finishing: Set<String> = []
        var finished: Set<String> = []
        var telling: Set<String> = []
        var told: Set<String> = []

        /// Whether enough was done for the checks to mean something.
        var isTelling: Bool {
            added.count > 20 && seen > 1 && !flagged.isEmpty && !deleted.isEmpty && queued.count > 20
                && !finished.isEmpty && !told.isEmpty
        }

        mutating func add(_ output: String) {
            for line in output.split(separator: "\n") {
                let words = line.split(separator: " ").map(String.init)
                switch words[0] {
                case "added": added.insert(words[1])
                case "removing": removing.insert(words[1])
                case "removed": removed.insert(words[1])
                case "flagged": flagged.insert(words[1])
                case "seen": seen = max(seen, UInt32(words[1]) ?? 0)
                case "made": made.insert(words[1])
                case "deleting": deleting.insert(words[1])
                case "queued": queued.insert(words[1])
                case "finishing": finishing.insert(words[1])
                case "finished": finished.insert(words[1])
                case "telling": telling.insert(words[1])
                case "told": told.insert(words[1])
                case _: deleted.insert(words[1])
                }
            }
        }

        func check(_ texts: [String]) {
            let present = Set(texts)
            #expect(present.count == texts.count, "a message is there twice")
            #expect(added.subtracting(removing).isSubset(of: present), "an acknowledged message is lost")
            #expect(removed.isDisjoint(with: present), "a removed message came back")
        }

        func checkFlags(_ texts: [String], _ snapshot: MailboxSnapshot) {
            #expect(texts.count == snapshot.count)
            for (position, text) in texts.enumerated() {
                let row = snapshot[position]
                #expect(row.flags.contains(.flagged) || !flagged.contains(text), "an acknowledged flag is lost")
                #expect(row.flags.contains(.seen) || row.uid.value >= seen, "an acknowledged flag of many is lost")
            }
        }

        func checkQueue(_ names: [String], _ notices: [String]) {
            let (present, noticed) = (Set(names), Set(notices))
            #expect(present.count == names.count && noticed.count == notices.count, "something is there twice")
            #expect(
                queued.subtracting(finishing).subtracting(telling).isSubset(of: present), "queued mail is lost")
            #expect(finished.isDisjoint(with: present), "what is finished came back")
            #expect(told.isSubset(of: noticed), "a notice is lost")
            for name in telling {
                #expect(present.contains(name) != noticed.contains(name), "told of without being removed, or lost")
            }
        }

        func checkMailboxes(_ names: Set<String>) {
            #expect(made.subtracting(deleting).isSubset(of: names), "an acknowledged mailbox is lost")
            #expect(deleted.isDisjoint(with: names), "a deleted mailbox came back")
        }
    }
}

enum CrashDriver {
    /// Beside the test bundle this code was loaded from.
    static var path: String? {
        guard let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8) else { return nil }
        for line in maps.split(separator: "\n") {
            guard let start = line.firstIndex(of: "/") else { continue }
            let directory = URL(fileURLWithPath: String(line[start...])).deletingLastPathComponent()
            let driver = directory.appendingPathComponent("StoreCrashDriver").path
            if FileManager.default.isExecutableFile(atPath: driver) { return driver }
        }
        return nil
    }

    /// Runs it, kills it so long after its first word, and returns what it said.
    static func run(_ driver: String, _ store: String, _ round: Int, milliseconds: Int) throws -> String {
        let (process, pipe) = (ChildProcess(driver, [store, "\(round)"]), ProgramPipe())
        process.standardOutput = pipe
        try process.run()
        var output = pipe.fileHandleForReading.availableData
        usleep(UInt32(milliseconds) * 1000)
        kill(process.processIdentifier, SIGKILL)
        output += pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return String(decoding: output, as: UTF8.self)
    }
}
