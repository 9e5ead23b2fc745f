import MailTestSupport
import MailVocabulary
import Testing

@testable import MailStore

@Suite("Chunks of an index: what is known of all rows, and rows in few octets")
struct IndexChunkTests {
    private static func rows(_ count: Int, _ random: inout SeededRandom, wide: Bool = false) -> [MessageRow] {
        (0..<count).map { (index: Int) -> MessageRow in
            let number: Int64 = wide ? Int64(bitPattern: random.next()) : Int64(index) + 100
            let seconds: Int64 = wide ? Int64(bitPattern: random.next()) : 1_700_000_000 + Int64(index)
            let uid = UInt32(index * (wide ? 900_000 : 2) + 5)
            return MessageRow(
                uid: UID(known: uid),
                flags: FlagBits(rawValue: wide ? random.next() : random.next() & 0b101),
                modSeq: ModSeq(wide ? random.next() >> 1 : UInt64.random(in: 9...30, using: &random)),
                size: wide ? UInt32.random(in: 0...UInt32.max, using: &random) : 4096,
                internalDate: Timestamp(
                    seconds: seconds,
                    zoneMinutes: wide ? Int16.random(in: -1439...1439, using: &random) : 60),
                savedDate: UInt32.random(in: 0...(wide ? UInt32.max : 99), using: &random),
                body: BodyID(number),
                thread: ThreadID(number))
        }
    }

    @Test("rows come back as they were", arguments: 0..<12)
    func coding(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let rows = Self.rows(Int.random(in: 1...512, using: &random), &random, wide: seed % 2 == 0)
        let octets = ChunkCoding.octets(rows)
        #expect(ChunkCoding.isWhole(octets, count: rows.count))
        #expect(ChunkCoding.rows(octets, count: rows.count) == rows)
        #expect(!ChunkCoding.isWhole(Array(octets.dropLast()), count: rows.count))
        #expect(!ChunkCoding.isWhole(octets + [0], count: rows.count))
        #expect(!ChunkCoding.isWhole(octets, count: 0))
        if seed % 2 == 1 { #expect(octets.count < rows.count * 8 + 200) }
        // Other octets are other rows, or none.
        for _ in 0..<200 {
            var changed = octets
            changed[Int.random(in: 0..<octets.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            guard let chunk = IndexChunk(ChunkSummary(rows), encoded: changed) else { continue }
            #expect(chunk.rows.count == rows.count)
        }
    }

    @Test("encoded and decoded chunks say the same, to many at once")
    func decodedByMany() async throws {
        var random = SeededRandom(seed: 3)
        let rows = Self.rows(500, &random)
        let chunk = try #require(IndexChunk(ChunkSummary(rows), encoded: ChunkCoding.octets(rows)))
        let octets = chunk.octets
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<16 { group.addTask { chunk.rows == rows } }
            for await isSame in group { #expect(isSame) }
        }
        #expect(chunk.octets == octets)
    }

    @Test("a condition finds what looking at every row finds", arguments: 0..<20)
    func conditions(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var snapshot = MailboxSnapshot(
            mailbox: MailboxID(1), uidValidity: try #require(UIDValidity(1)), rows: Self.rows(3000, &random))
        // Stretches where all or none have a flag, so that chunks are passed over.
        snapshot.update(uids(1...2200)) { $0.flags.insert(.seen) }
        snapshot.update(uids(4000...5900)) { $0.flags = [] }
        snapshot.update(uids(2500...2600)) { $0.modSeq = ModSeq(90) }
        let masks: [FlagBits] = [[], .seen, .flagged, [.seen, .flagged], .deleted]
        for mask in masks {
            for value in masks where value.isSubset(of: mask) {
                for since: UInt64 in [0, 20, 50, 90] {
                    let condition = RowCondition(mask: mask, value: value, changedSince: ModSeq(since))
                    let positions =
                        Int.random(in: 0..<1500, using: &random)..<Int.random(in: 1500...3000, using: &random)
                    var (expected, found) = ([Int](), [Int]())
                    snapshot.forEach(in: positions) { if condition.holds($1) { expected.append($0) } }
                    snapshot.forEach(in: positions, where: condition) { position, row in
                        #expect(row == snapshot[position])
                        found.append(position)
                    }
                    #expect(found == expected)
                    var first: Int?
                    snapshot.forEach { if first == nil, condition.holds($1) { first = $0 } }
                    #expect(snapshot.firstPosition(where: condition) == first)
                }
            }
        }
    }
}
