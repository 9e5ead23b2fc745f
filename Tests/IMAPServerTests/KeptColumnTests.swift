import IMAPSyntax
import MailStore
import MailTestSupport
import MailVocabulary
import Synchronization
import Testing

@testable import IMAPServer

#if canImport(SQLiteStore)
    import Foundation
    import SQLiteStore
#endif

@Suite("Columns are kept by the store") struct KeptColumnTests {
    /// Large enough for columns to be kept.
    private static let count = 1200

    @Test("After a restart the answers are the same, and no summary is read") func restarted() async throws {
        let store = TroubledStore(InMemoryStore())
        let searched = try await SearchedStore(store)
        var mail = RandomMail(seed: 1)
        try await searched.deliver(Self.count, &mail)
        let service = searched.service()
        let before = await searched.answers(service)
        #expect(before.allSatisfy { $0.hasSuffix("completed\r\n") })
        await service.columns.settled()
        store.condition.withLock { $0.mostSummaryOctets = 0 }
        #expect(await searched.answers(searched.service()) == before)
        #expect(store.condition.withLock { $0.mostSummaryOctets } == 0)
        // Without what was kept they are the same too.
        #expect(await searched.answers(without: store) == before)
        #expect(store.condition.withLock { $0.mostSummaryOctets } > 0)
    }

    @Test("The first search makes what is likely to be asked for next") func usual() async throws {
        let store = TroubledStore(InMemoryStore())
        let searched = try await SearchedStore(store)
        var mail = RandomMail(seed: 2)
        try await searched.deliver(Self.count, &mail)
        let service = searched.service()
        _ = await searched.client(service).send("a SEARCH SUBJECT x\r\n")
        await service.columns.settled()
        store.condition.withLock { $0.mostSummaryOctets = 0 }
        let client = await searched.client(searched.service())
        for command in ["SEARCH SUBJECT y", "SORT (DATE FROM) UTF-8 ALL", "THREAD REFERENCES UTF-8 ALL"] {
            #expect(await client.send("a \(command)\r\n").hasSuffix("completed\r\n"))
        }
        #expect(store.condition.withLock { $0.mostSummaryOctets } == 0)
        // Of a small mailbox nothing is kept.
        try await StoreFixture(store, searched.account).create("small")
        try await searched.deliver(900, &mail, to: "small")
        let small = try await StoreFixture(store, searched.account).mailbox("small").id
        let other = searched.service()
        _ = await searched.answers(other, "small")
        await other.columns.settled()
        for kind in ColumnKinds(rawValue: .max).each {
            #expect(await store.derived(try #require(ColumnFile.name(kind)), of: small) == nil)
        }
    }

    @Test("Messages come and go; what is kept is brought up to date, not for few", arguments: 1...3)
    func changed(_ seed: UInt64) async throws {
        let store = TroubledStore(InMemoryStore())
        let searched = try await SearchedStore(store)
        let inbox = try await StoreFixture(store, searched.account).mailbox("INBOX").id
        var mail = RandomMail(seed: seed)
        var random = SeededGenerator(seed)
        try await searched.deliver(Self.count, &mail)
        let name = try #require(ColumnFile.name(.subject))
        var kept: [DerivedData?] = []
        for (new, gone) in [(0, 0), (20, 10), (300, 5), (0, 300), (10, 0)] {
            try await searched.deliver(new, &mail)
            let view = try await store.open(inbox)
            let uids = NumberSet(
                numbers: (0..<gone).map { _ in view[Int.random(in: 0..<view.count, using: &random)].uid.value })
            _ = try await store.remove(uids, from: inbox, onlyDeleted: false)
            let service = searched.service()
            let answers = await searched.answers(service)
            await service.columns.settled()
            kept.append(await store.derived(name, of: inbox))
            #expect(await searched.answers(without: store) == answers)
        }
        #expect(kept[0] != nil)
        #expect(kept[1] == kept[0])
        #expect(kept[2] != kept[1])
        // Nothing new was read: only that could have brought it about.
        #expect(kept[3] == kept[2])
        #expect(kept[4] != kept[3])
        let last = try #require(kept[4])
        let column = try #require(ColumnFile.decode(last.octets, .subject))
        let view = try await store.open(inbox)
        #expect(column.uids == view.allUIDs)
        #expect(last.modSeq == view.highestModSeq)
    }

    @Test("A message that is gone, and not told of yet, matches nothing that is looked up") func retained() async throws
    {
        let searched = try await SearchedStore(InMemoryStore())
        var mail = RandomMail(seed: 3)
        try await searched.deliver(Self.count, &mail)
        let inbox = try await StoreFixture(searched.store, searched.account).mailbox("INBOX").id
        let (first, second) = (searched.service(), searched.service())
        let client = await searched.client(second)
        _ = try await searched.store.remove(uids(5...5, 1100...1100), from: inbox, onlyDeleted: false)
        _ = await searched.answers(first)
        await first.columns.settled()
        // Sequence numbers: no EXPUNGE may be told.
        await client.expect(
            "a SEARCH 1:8 NOT SUBJECT nowhere\r\n", "* SEARCH 1 2 3 4 6 7 8\r\na OK SEARCH completed\r\n")
        let answer = await client.send("b SEARCH 1:* NOT SUBJECT nowhere\r\n")
        let numbers = answer.prefix { $0 != "\r\n" }.split(separator: " ").dropFirst(2)
        #expect(numbers.count == Self.count - 2)
        #expect(!numbers.contains("5") && !numbers.contains("1100"))
        // Two that have come, unlike those, are looked up.
        try await searched.deliver(2, &mail)
        _ = await client.send("c NOOP\r\n")
        await client.expect(
            "d SEARCH RETURN (COUNT) NOT SUBJECT nowhere\r\n",
            "* ESEARCH (TAG \"d\") COUNT 1200\r\nd OK SEARCH completed\r\n")
    }

    @Test("Sessions that search at the same time") func concurrent() async throws {
        let searched = try await SearchedStore(InMemoryStore())
        var mail = RandomMail(seed: 4)
        try await searched.deliver(Self.count, &mail)
        let expected = await searched.answers(searched.service())
        let service = searched.service()
        let isRight = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<4 { group.addTask { await searched.answers(service) == expected } }
            return await group.reduce(true) { $0 && $1 }
        }
        #expect(isRight)
        await service.columns.settled()
        #expect(await searched.answers(searched.service()) == expected)
    }

    @Test("A column of another mailbox, kind or version, or of one that has other UIDs, is none") func foreign()
        async throws
    {
        let store = TroubledStore(InMemoryStore())
        let searched = try await SearchedStore(store)
        var mail = RandomMail(seed: 5)
        try await searched.deliver(Self.count, &mail)
        let service = searched.service()
        let expected = await searched.answers(service)
        await service.columns.settled()
        let inbox = try await StoreFixture(store, searched.account).mailbox("INBOX").id
        let subjects = await store.derived(try #require(ColumnFile.name(.subject)), of: inbox)
        let changes: [@Sendable (DerivedName, DerivedData) -> DerivedData?] = [
            { _, _ in subjects },
            { _, data in
                var data = data
                data.octets[4] ^= 1
                return data
            },
            { _, data in
                var data = data
                data.uidValidity = UIDValidity(data.uidValidity.value + 1) ?? data.uidValidity
                return data
            },
            { _, data in
                var data = data
                data.through -= 1
                return data
            },
            { _, data in
                var data = data
                data.octets.removeLast()
                return data
            },
        ]
        for change in changes {
            store.condition.withLock { $0.derived = { name, data in data.flatMap { change(name, $0) } } }
            #expect(await searched.answers(searched.service()) == expected)
        }
    }

    @Test("Of messages that cannot be read, nothing is kept: they may be mended") func unreadable() async throws {
        let store = TroubledStore(InMemoryStore())
        let searched = try await SearchedStore(store)
        var mail = RandomMail(seed: 6)
        try await searched.deliver(Self.count, &mail)
        let inbox = try await StoreFixture(store, searched.account).mailbox("INBOX").id
        let expected = await searched.answers(without: store)
        let body = try await store.open(inbox)[7].body
        store.condition.withLock { $0.damagedSummaries = [body] }
        let service = searched.service()
        #expect(await searched.answers(service) != expected)
        await service.columns.settled()
        store.condition.withLock { $0.damagedSummaries = [] }
        #expect(await searched.answers(searched.service()) == expected)
    }

    @Test("Octets that are not what was written never end the process", arguments: 1...4)
    func mutated(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed)
        let store = InMemoryStore()
        let searched = try await SearchedStore(store)
        var mail = RandomMail(seed: seed)
        try await searched.deliver(Self.count, &mail)
        let service = searched.service()
        _ = await searched.answers(service)
        await service.columns.settled()
        let inbox = try await StoreFixture(store, searched.account).mailbox("INBOX").id
        let view = try await store.open(inbox)
        var (read, all) = (0, 0)
        for kind in ColumnKinds(rawValue: .max).each {
            guard let data = await store.derived(try #require(ColumnFile.name(kind)), of: inbox) else { continue }
            for round in 0..<40 {
                all += 1
                var octets = data.octets
                for _ in 0..<Int.random(in: 1...3, using: &random) {
                    let limit = round % 2 == 0 ? 40 + Self.count * 8 : octets.count
                    octets[Int.random(in: 0..<min(limit, octets.count), using: &random)] = .random(
                        in: 0...255, using: &random)
                }
                if round % 5 == 0 { octets.removeLast(Int.random(in: 0...octets.count, using: &random)) }
                guard let column = ColumnFile.decode(octets, kind) else { continue }
                read += 1
                use(column, kind, view)
            }
        }
        #expect(all == 40 * 11)
        #expect(read > 0)
    }

    /// Whatever a search may do with a column.
    private func use(_ column: Column, _ kind: ColumnKinds, _ view: MailboxSnapshot) {
        var table = ColumnTable()
        table.adopt(column, kind)
        _ = table.uids(kind, containing: Needle("E"))
        _ = table.uids(sent: { $0 > 0 })
        _ = column.segment(in: view)
        let sorting = MessageSorting(NumberSet(1...UInt32(view.count)), in: view, table)
        for key in SortKey.allCases where key.column == kind { _ = sorting.order(by: [SortCriterion(key)]) }
        _ = sorting.threads(.references, numbers: sorting.uids)
        _ = sorting.threads(.orderedSubject, numbers: sorting.uids)
    }
}

#if canImport(SQLiteStore)
    @Suite("Columns are kept in files") struct ColumnFileTests {
        private static var options: SQLiteStore.Options {
            var options = SQLiteStore.Options()
            options.compactionInterval = nil
            options.upkeepInterval = nil
            return options
        }

        private func withStore<R>(_ path: String, _ body: (SQLiteStore) async throws -> R) async throws -> R {
            let store = try SQLiteStore(path: path, options: Self.options)
            do {
                let result = try await body(store)
                try await store.close()
                return result
            } catch {
                try? await store.close()
                throw error
            }
        }

        @Test("Whatever becomes of the files, the answers stay the same", arguments: 1...2)
        func damagedFiles(_ seed: UInt64) async throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "columns-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            var random = SeededGenerator(seed)
            var mail = RandomMail(seed: seed)
            let expected = try await withStore(folder.path) { store in
                let searched = try await SearchedStore(store)
                try await searched.deliver(1100, &mail)
                let service = searched.service()
                let answers = await searched.answers(service)
                await service.columns.settled()
                return answers
            }
            let directory = folder.appending(path: "derived")
            let written = try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
            #expect(written.count == 11)
            for round in 0..<6 {
                for file in try FileManager.default.contentsOfDirectory(at: directory, includingPropertiesForKeys: nil)
                where round > 0 {
                    var octets = try Data(contentsOf: file)
                    switch Int.random(in: 0..<6, using: &random) {
                    case 0: octets.removeLast(Int.random(in: 1...octets.count, using: &random))
                    case 1:
                        octets =
                            (try? Data(contentsOf: written[Int.random(in: 0..<written.count, using: &random)]))
                            ?? octets
                    case 2: continue
                    case _:
                        octets[Int.random(in: 0..<octets.count, using: &random)] ^= UInt8(
                            1 << Int.random(in: 0..<8, using: &random))
                    }
                    try octets.write(to: file)
                }
                try await withStore(folder.path) { store in
                    let searched = try await SearchedStore(reopened: store)
                    let service = searched.service()
                    #expect(await searched.answers(service) == expected)
                    #expect(try await store.verify { _ in } == [])
                    await service.columns.settled()
                }
            }
        }
    }
#endif

@Suite("Keyed hashes") struct KeyedHashTests {
    /// The paper's own (appendix A), and the first of its reference code's.
    @Test("are SipHash-2-4") func vectors() {
        let hash = KeyedHash(key: (0x0706_0504_0302_0100, 0x0F0E_0D0C_0B0A_0908))
        #expect(hash([UInt8](0..<15).span) == 0xA129_CA61_49BE_45E5)
        #expect(hash([UInt8]().span) == 0x726F_DB47_DD0E_0E31)
        #expect(hash([UInt8](0..<8).span) == 0x93F5_F579_9A93_2462)
    }
}
