import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import IMAPServer

/// What a client with NOTIFY knows of mailboxes that it has not selected, from untagged responses alone.
private struct KnownMailboxes {
    private(set) var values: [String: [String: UInt64]] = [:]
    private(set) var names: Set<String> = []
    private(set) var problem: String?

    mutating func read(_ told: String) {
        for line in told.split(separator: "\r\n") {
            if let match = line.wholeMatch(of: /\* STATUS (\S+) \(([^)]*)\)/) {
                let words = match.2.split(separator: " ").map(String.init)
                for index in stride(from: 0, to: words.count - 1, by: 2) {
                    values[String(match.1), default: [:]][words[index]] = UInt64(words[index + 1])
                }
            } else if let match = line.wholeMatch(of: /\* LIST \(([^)]*)\) "\/" (\S+)(?: \("OLDNAME" \((\S+)\)\))?/) {
                if let old = match.3 { rename(String(old), to: String(match.2)) }
                if match.1.contains("NonExistent") {
                    names.remove(String(match.2))
                } else {
                    names.insert(String(match.2))
                }
            } else {
                problem = problem ?? "unexpected: \(line)"
            }
        }
    }

    /// RFC 5465 §5.4: with its children.
    private mutating func rename(_ old: String, to new: String) {
        for name in names where name == old || name.hasPrefix(old + "/") {
            names.remove(name)
            names.insert(new + name.dropFirst(old.count))
        }
    }
}

/// Sessions watch while others work; at rest each knows what is.
@Suite("NOTIFY: agreement") struct NotifyAgreementTests {
    private static let names = ["INBOX", "Sent", "Drafts", "Archive"]

    @Test("What was told last of each mailbox is what is", arguments: NotifyWorld.Kind.allCases)
    func counts(_ kind: NotifyWorld.Kind) async throws {
        try await NotifyWorld.with(kind) { world in
            var sessions: [(client: Client, known: KnownMailboxes)] = []
            for _ in 0..<3 {
                let groups = "STATUS (personal (MessageNew MessageExpunge FlagChange))"
                let client = await world.session()
                var known = KnownMailboxes()
                let answer = await client.send("n NOTIFY SET \(groups)\r\n")
                known.read(String(answer.split(separator: "n OK")[0]))
                sessions.append((client, known))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<4 { group.addTask { try await Self.work(UInt64(writer), world) } }
                for _ in 0..<60 {
                    for index in sessions.indices {
                        sessions[index].known.read(await sessions[index].client.changes())
                    }
                    try await Task.sleep(for: .milliseconds(2))
                }
                try await group.waitForAll()
            }
            for index in sessions.indices {
                sessions[index].known.read(await sessions[index].client.changes())
                #expect(sessions[index].known.problem == nil)
                for name in Self.names {
                    let actual = try await world.fred.mailbox(name)
                    let known = sessions[index].known.values[name] ?? [:]
                    #expect(known["MESSAGES"] == UInt64(actual.messageCount), "\(name)")
                    #expect(known["UNSEEN"] == UInt64(actual.unseenCount), "\(name)")
                    #expect(known["UIDNEXT"] == actual.uidNext, "\(name)")
                }
            }
        }
    }

    private static func work(_ seed: UInt64, _ world: NotifyWorld) async throws {
        var random = SeededGenerator(seed)
        for _ in 0..<40 {
            let name = names[Int.random(in: 0..<names.count, using: &random)]
            let id = try await world.fred.mailbox(name).id
            let uid = UInt32.random(in: 1...20, using: &random)
            let some = NumberSet(uid...uid + 3)
            switch Int.random(in: 0..<6, using: &random) {
            case 0, 1, 2: try await world.deliver(Int.random(in: 1...3, using: &random), to: name)
            case 3: _ = try await world.store.changeFlags(id, some, .add([.seen]), unchangedSince: nil)
            case 4: _ = try await world.store.changeFlags(id, some, .remove([.seen]), unchangedSince: nil)
            case _: _ = try await world.store.remove(some, from: id, onlyDeleted: false)
            }
        }
    }

    @Test("Names that come, go and change are known in the end", arguments: NotifyWorld.Kind.allCases, 1...4)
    func tree(_ kind: NotifyWorld.Kind, _ seed: UInt64) async throws {
        try await NotifyWorld.with(kind) { world in
            var random = SeededGenerator(seed)
            let client = await world.session(notify: "(personal (MailboxName))")
            var known = KnownMailboxes()
            let names = ["a", "b", "a/x", "b/x", "a/x/y", "c"]
            for _ in 0..<60 {
                let first = names[Int.random(in: 0..<names.count, using: &random)]
                let second = names[Int.random(in: 0..<names.count, using: &random)]
                // What cannot be is refused.
                switch Int.random(in: 0..<3, using: &random) {
                case 0: _ = try? await world.fred.create(first)
                case 1: try? await world.fred.delete(first)
                case _: try? await world.fred.rename(first, second)
                }
                if Int.random(in: 0..<3, using: &random) == 0 { known.read(await client.changes()) }
            }
            known.read(await client.changes())
            #expect(known.problem == nil)
            let defaults = Set(DefaultMailboxes.all.map(\.name.text))
            let actual = Set(try await world.fred.names()).subtracting(defaults)
            #expect(known.names == actual, "seed \(seed)")
        }
    }
}
