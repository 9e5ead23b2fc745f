import Glibc
import MailStore
import MailTestSupport
import MailVocabulary
import SQLiteStore

/// Writes to a store until it is killed, and says on standard output what was acknowledged, one line each:
/// `added TEXT`, `removing TEXT`, `removed TEXT`. Arguments: the store's path, a number that makes texts unique.
@main
enum StoreCrashDriver {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let round = Int(arguments[2]) else { exit(64) }
        var options = SQLiteStore.Options()
        // Small, so that segments are begun while being killed.
        options.segmentSize = 256 << 10
        options.parkedOctets = 20_000
        let store = try SQLiteStore(path: arguments[1], options: options)
        let known = try await store.accounts().first
        let fixture = if let known { StoreFixture(store, known) } else { try await StoreFixture(store) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<6 {
                group.addTask { try await work(worker, round, fixture) }
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
            let message = try await fixture.message(text + "\n" + String(repeating: "x", count: filling))
            let result = try await fixture.store.append([(inbox, [message])])
            say("added \(text)")
            guard let uid = result.first?.uids.first, Int.random(in: 0..<3, using: &random) == 0 else { continue }
            _ = try await fixture.store.changeFlags(
                inbox, uids(uid.value...uid.value), .add([.deleted]), unchangedSince: nil)
            say("removing \(text)")
            _ = try await fixture.store.remove(uids(uid.value...uid.value), from: inbox, onlyDeleted: true)
            say("removed \(text)")
        }
    }

    /// One call, one line: a line is whole or not there.
    private static func say(_ line: String) {
        let bytes = Array("\(line)\n".utf8)
        _ = bytes.withUnsafeBytes { write(STDOUT_FILENO, $0.baseAddress, $0.count) }
    }
}
