import MailTestSupport
import MailVocabulary
import Testing

@testable import MailStore

@Suite("A mailbox's index")
struct MailboxSnapshotTests {
    private static func row(_ uid: UInt32, _ modSeq: UInt64 = 1) -> MessageRow {
        MessageRow(
            uid: UID(known: uid), flags: [], modSeq: ModSeq(modSeq), size: uid,
            internalDate: Timestamp(seconds: Int64(uid)), body: BodyID(Int64(uid)))
    }

    private static func snapshot(_ uids: [UInt32]) throws -> MailboxSnapshot {
        MailboxSnapshot(
            mailbox: MailboxID(1), uidValidity: try #require(UIDValidity(1)), rows: uids.map { row($0) })
    }

    private static func rows(_ snapshot: MailboxSnapshot) -> [MessageRow] {
        var rows: [MessageRow] = []
        snapshot.forEach { position, row in
            #expect(position == rows.count)
            rows.append(row)
        }
        return rows
    }

    @Test("a row takes little memory, and gives a thread back as it was", arguments: [0, 1, -1, .max, .min, 1 << 33])
    func rowLayout(_ thread: Int64) {
        #expect(MemoryLayout<MessageRow>.stride <= 56)
        let row = MessageRow(
            uid: UID(known: 1), flags: [], modSeq: ModSeq(1), size: 1, internalDate: Timestamp(seconds: 1),
            savedDate: 7, body: BodyID(2), thread: ThreadID(thread))
        #expect(row.thread == ThreadID(thread))
        #expect(row.savedDate == 7)
    }

    @Test("empty: no position, no UID, no change")
    func empty() throws {
        let empty = try Self.snapshot([])
        #expect(empty.count == 0)
        #expect(empty.firstPosition(atOrAfter: 1) == 0)
        #expect(empty.position(of: UID(known: 1)) == nil)
        #expect(empty.positions(ofUIDs: uids(1...UInt32.max)).isEmpty)
        #expect(empty.uids(atSequenceNumbers: uids(1...UInt32.max)).isEmpty)
        #expect(empty.changes(since: empty).firstNew == 0)
    }

    @Test("the largest UID, and sets up to it")
    func extremes() throws {
        let snapshot = try Self.snapshot([1, 5, .max])
        #expect(snapshot.positions(ofUIDs: uids(5...UInt32.max)) == [1..<3])
        #expect(snapshot.position(of: UID(known: .max)) == 2)
        #expect(snapshot.uids(atSequenceNumbers: uids(2...UInt32.max)) == uids(5...5, UInt32.max...UInt32.max))
        #expect(snapshot.uids(atSequenceNumbers: uids(0...0, 4...4)).isEmpty)
    }

    @Test("random histories agree with a plain array", arguments: 0..<4)
    func agreesWithPlainArray(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        var snapshot = try Self.snapshot([])
        var plain: [MessageRow] = []
        var (nextUID, modSeq) = (UInt32(1), UInt64(1))
        var past: [(MailboxSnapshot, [MessageRow])] = []
        for _ in 0..<60 {
            past.append((snapshot, plain))
            modSeq += 1
            let start = UInt32.random(in: 1...nextUID, using: &random)
            let chosen =
                Bool.random(using: &random)
                ? uids(start...start &+ UInt32.random(in: 0...400, using: &random))
                : NumberSet(numbers: (0..<50).map { start + $0 * 7 })
            switch Int.random(in: 0..<3, using: &random) {
            case 0:
                let new = (0..<UInt32.random(in: 0...300, using: &random)).map { Self.row(nextUID + $0, modSeq) }
                nextUID += UInt32(new.count) + UInt32.random(in: 0...3, using: &random)
                snapshot.append(new)
                plain += new
            case 1:
                snapshot.remove(chosen)
                plain.removeAll { chosen.contains($0.uid.value) }
            case _:
                let change: (inout MessageRow) -> Void = { row in
                    row.flags.formSymmetricDifference(.seen)
                    row.modSeq = ModSeq(modSeq)
                }
                snapshot.update(chosen, change)
                for index in plain.indices where chosen.contains(plain[index].uid.value) { change(&plain[index]) }
            }
            Self.compare(snapshot, plain, &random)
        }
        for (old, rows) in past.enumerated().filter({ $0.offset % 4 == 0 }).map(\.element) {
            #expect(Self.rows(old) == rows)
            Self.compareChanges(from: old, rows, to: snapshot, plain)
        }
    }

    private static func compare(_ snapshot: MailboxSnapshot, _ plain: [MessageRow], _ random: inout SeededRandom) {
        #expect(snapshot.count == plain.count)
        #expect(rows(snapshot) == plain)
        #expect(snapshot.allUIDs == NumberSet(numbers: plain.map(\.uid.value)))
        let uid = UInt32.random(in: 1...5000, using: &random)
        #expect(snapshot.firstPosition(atOrAfter: uid) == plain.firstIndex { $0.uid.value >= uid } ?? plain.count)
        #expect(snapshot.position(of: UID(known: uid)) == plain.firstIndex { $0.uid.value == uid })
        guard let position = plain.indices.randomElement(using: &random) else { return }
        #expect(snapshot[position] == plain[position])
        let numbers = uids(UInt32(position + 1)...UInt32(position + 9))
        #expect(
            snapshot.uids(atSequenceNumbers: numbers)
                == NumberSet(numbers: plain[position..<min(plain.count, position + 9)].map(\.uid.value)))
        #expect(snapshot.rows(uids(1...uid)) == plain.filter { $0.uid.value <= uid })
    }

    private static func compareChanges(
        from old: MailboxSnapshot, _ oldRows: [MessageRow], to new: MailboxSnapshot, _ newRows: [MessageRow]
    ) {
        let changes = new.changes(since: old)
        let (before, after) = (
            Dictionary(uniqueKeysWithValues: oldRows.map { ($0.uid, $0) }), Set(newRows.map(\.uid))
        )
        let gone = oldRows.filter { !after.contains($0.uid) }
        #expect(changes.expunged == NumberSet(numbers: gone.map(\.uid.value)))
        let changed = newRows.indices.filter { position in
            before[newRows[position].uid].map { $0 != newRows[position] } ?? false
        }
        #expect(changes.changed == changed)
        #expect(changes.firstNew == newRows.firstIndex { before[$0.uid] == nil } ?? newRows.count)
        let shown = new.retaining(expunged: changes.expunged, from: old)
        #expect(rows(shown) == (newRows + gone).sorted { $0.uid < $1.uid })
    }

    @Test("an unchanged part is shared, not copied")
    func shares() throws {
        let old = try Self.snapshot(Array(1...10_000))
        var new = old
        new.update(uids(5000...5000)) { $0.flags = .seen }
        let shared = Set(old.chunks.map(ObjectIdentifier.init)).intersection(new.chunks.map(ObjectIdentifier.init))
        #expect(shared.count == old.chunks.count - 1)
    }

    @Test("many small removals do not leave crumbs")
    func mergesSmallChunks() throws {
        var snapshot = try Self.snapshot(Array(1...50_000))
        for start in 0..<UInt32(100) {
            snapshot.remove(NumberSet(numbers: (0..<499).map { 1 + start * 500 + $0 }))
        }
        #expect(snapshot.count == 100)
        #expect(snapshot.chunks.count <= 2)
        #expect(snapshot.allUIDs == NumberSet(numbers: (1...100).map { $0 * 500 }))
    }

    @Test("Retaining expunged messages leaves other chunks shared") func retainingShares() throws {
        var rng = SeededGenerator(seed: 4)
        let rows = (1...5000).map { uid in
            MessageRow(
                uid: UID(known: UInt32(uid)), flags: [], modSeq: ModSeq(1), size: 1,
                internalDate: Timestamp(seconds: 0), body: BodyID(1))
        }
        let old = MailboxSnapshot(
            mailbox: MailboxID(1), uidValidity: try #require(UIDValidity(1)), uidNext: 5001, rows: rows)
        for gone in [1...1, 700...700, 600...1100, 4999...5000, 1...5000] as [ClosedRange<UInt32>] {
            var now = old
            now.remove(NumberSet(gone))
            let view = now.retaining(expunged: now.changes(since: old).expunged, from: old)
            #expect(view.count == 5000 && view.allUIDs == old.allUIDs)
            #expect(now.differingChunks(since: view) <= 3)
            #expect(now.changes(since: view).expunged == NumberSet(gone))
            let random = UInt32.random(in: 1...5000, using: &rng)
            #expect(view.position(of: UID(known: random)) == Int(random) - 1)
        }
    }
}
