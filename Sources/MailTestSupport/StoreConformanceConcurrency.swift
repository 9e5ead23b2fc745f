import MailStore
import MailVocabulary
import Synchronization

extension StoreConformance {
    static let concurrencyLaws = [
        StoreConformance("many at once: every acknowledged message is there once, and counters agree") { store in
            let fixture = try await StoreFixture(store)
            let (inbox, trash) = (try await fixture.mailbox("INBOX").id, try await fixture.mailbox("Trash").id)
            let kept = try await withThrowingTaskGroup(of: [String].self) { group in
                for worker in 0..<50 {
                    group.addTask { try await work(worker, fixture, inbox, trash) }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let texts = try await fixture.texts(inbox) + fixture.texts(trash)
            try expectEqual(texts.sorted(), kept.sorted())
            try await fixture.expectSound()
        },
        StoreConformance("many at once: UIDs answered are those in the mailbox, each once") { store in
            let fixture = try await StoreFixture(store)
            let inbox = try await fixture.mailbox("INBOX").id
            let answered = try await withThrowingTaskGroup(of: [(UInt32, String)].self) { group in
                for worker in 0..<20 {
                    group.addTask {
                        var answers: [(UInt32, String)] = []
                        for number in 0..<10 {
                            let text = "\(worker).\(number)"
                            answers += try await fixture.append([text], to: inbox).map { ($0, text) }
                        }
                        return answers
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            let byUID = answered.sorted { $0.0 < $1.0 }
            try expectEqual(byUID.map(\.0), Array(1...200))
            try expectEqual(try await fixture.texts(inbox), byUID.map(\.1))
        },
        StoreConformance("a history of random changes agrees with a plain model") { store in
            let fixture = try await StoreFixture(store)
            var model = try await StoreModel(fixture)
            for _ in 0..<200 { try await model.step() }
            try await fixture.expectSound()
        },
    ]

    /// Adds, flags, moves and removes its own messages; returns those that must be left.
    private static func work(
        _ worker: Int, _ fixture: StoreFixture, _ inbox: MailboxID, _ trash: MailboxID
    ) async throws -> [String] {
        let store = fixture.store
        var kept: [String] = []
        for number in 0..<6 {
            let text = "\(worker)/\(number)"
            let uid = try await fixture.append([text], to: inbox)[0]
            _ = try await store.changeFlags(inbox, uids(uid...uid), .add([.seen]), unchangedSince: nil)
            switch number % 3 {
            case 0:
                let removed = try await store.remove(uids(uid...uid), from: inbox, onlyDeleted: false)
                try expectEqual(removed, uids(uid...uid))
                continue
            case 1:
                let moved = try await store.move(uids(uid...uid), from: inbox, to: trash)
                try expectEqual(moved.source.map(\.value), [uid])
            case _: break
            }
            kept.append(text)
        }
        return kept
    }
}

/// The plainest description of two mailboxes, against which a store is driven with the same random changes.
struct StoreModel {
    private struct Message: Equatable {
        var uid: UInt32
        var flags: Set<Flag>
        var text: String
        var modSeq: UInt64
    }
    private struct Box {
        let id: MailboxID
        var messages: [Message] = []
        var next: UInt32 = 1
        var modSeq: UInt64 = 1
    }
    private let fixture: StoreFixture
    private var boxes: [Box]
    private var random = SeededRandom(seed: 20)
    private var written = 0
    private static let flags: [Flag] =
        [.seen, .deleted, .answered, .flagged, .draft] + ["x", "y"].compactMap { Keyword($0).map(Flag.keyword) }

    init(_ fixture: StoreFixture) async throws {
        self.fixture = fixture
        boxes = [Box(id: try await fixture.mailbox("INBOX").id), Box(id: try await fixture.mailbox("Sent").id)]
    }

    mutating func step() async throws {
        let box = Int.random(in: 0..<2, using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0...2: try await append(box)
        case 3...5: try await changeFlags(box)
        case 6: try await copy(box, to: Int.random(in: 0..<2, using: &random), removing: false)
        case 7: try await copy(box, to: Int.random(in: 0..<2, using: &random), removing: true)
        case _: try await remove(box)
        }
        for box in boxes { try await compare(box) }
    }

    private mutating func append(_ box: Int) async throws {
        let flags = someFlags()
        let texts = (0..<Int.random(in: 1...20, using: &random)).map { "\(written + $0)" }
        written += texts.count
        boxes[box].modSeq += 1
        let uids = try await fixture.append(texts, Array(flags), to: boxes[box].id)
        try expectEqual(uids, Array(boxes[box].next..<boxes[box].next + UInt32(texts.count)))
        for (uid, text) in zip(uids, texts) {
            boxes[box].messages.append(Message(uid: uid, flags: flags, text: text, modSeq: boxes[box].modSeq))
        }
        boxes[box].next += UInt32(texts.count)
    }

    private mutating func changeFlags(_ box: Int) async throws {
        let (chosen, flags) = (someUIDs(box), someFlags())
        let kind = Int.random(in: 0..<3, using: &random)
        let limit = Bool.random(using: &random) ? nil : boxes[box].modSeq - UInt64.random(in: 0...1, using: &random)
        let list = Array(flags)
        let change: FlagChange = kind == 0 ? .add(list) : kind == 1 ? .remove(list) : .replace(list)
        let modified = try await fixture.store.changeFlags(
            boxes[box].id, chosen, change, unchangedSince: limit.map(ModSeq.init))
        var (refused, changed) = (NumberSet(), false)
        for index in boxes[box].messages.indices where chosen.contains(boxes[box].messages[index].uid) {
            let message = boxes[box].messages[index]
            if let limit, message.modSeq > limit {
                refused.appendAscending(message.uid)
                continue
            }
            let new =
                kind == 0
                ? message.flags.union(flags) : kind == 1 ? message.flags.subtracting(flags) : flags
            guard new != message.flags else { continue }
            changed = true
            boxes[box].messages[index].flags = new
            boxes[box].messages[index].modSeq = boxes[box].modSeq + 1
        }
        if changed { boxes[box].modSeq += 1 }
        try expectEqual(modified, refused)
    }

    private mutating func copy(_ from: Int, to: Int, removing: Bool) async throws {
        let chosen = someUIDs(from)
        let store = fixture.store
        let result =
            removing
            ? try await store.move(chosen, from: boxes[from].id, to: boxes[to].id)
            : try await store.copy(chosen, from: boxes[from].id, to: boxes[to].id)
        let copied = boxes[from].messages.filter { chosen.contains($0.uid) }
        try expectEqual(result.source.map(\.value), copied.map(\.uid))
        guard !copied.isEmpty else { return }
        boxes[to].modSeq += 1
        for (message, uid) in zip(copied, boxes[to].next...) {
            boxes[to].messages.append(
                Message(uid: uid, flags: message.flags, text: message.text, modSeq: boxes[to].modSeq))
        }
        try expectEqual(result.destination.map(\.value), Array((boxes[to].next...).prefix(copied.count)))
        boxes[to].next += UInt32(copied.count)
        if removing { drop(copied.map(\.uid), from) }
    }

    private mutating func remove(_ box: Int) async throws {
        let (chosen, onlyDeleted) = (someUIDs(box), Bool.random(using: &random))
        let removed = try await fixture.store.remove(chosen, from: boxes[box].id, onlyDeleted: onlyDeleted)
        let gone = boxes[box].messages.filter {
            chosen.contains($0.uid) && (!onlyDeleted || $0.flags.contains(.deleted))
        }
        try expectEqual(removed, NumberSet(numbers: gone.map(\.uid)))
        drop(gone.map(\.uid), box)
    }

    private mutating func drop(_ uids: [UInt32], _ box: Int) {
        guard !uids.isEmpty else { return }
        let uids = Set(uids)
        boxes[box].messages.removeAll { uids.contains($0.uid) }
        boxes[box].modSeq += 1
    }

    private func compare(_ box: Box) async throws {
        let snapshot = try await fixture.store.open(box.id)
        let texts = try await fixture.texts(box.id)
        var rows: [Message] = []
        snapshot.forEach { position, row in
            rows.append(
                Message(
                    uid: row.uid.value, flags: Set(snapshot.keywords.flags(row.flags)), text: texts[position],
                    modSeq: row.modSeq.value))
        }
        try expectEqual(rows, box.messages)
        try expectEqual(snapshot.highestModSeq.value, box.modSeq)
        try expectEqual(snapshot.uidNext, UInt64(box.next))
    }

    private mutating func someFlags() -> Set<Flag> {
        Set(Self.flags.filter { _ in Int.random(in: 0..<4, using: &random) == 0 })
    }

    private mutating func someUIDs(_ box: Int) -> NumberSet {
        let start = UInt32.random(in: 1...boxes[box].next, using: &random)
        let length = UInt32.random(in: 0...12, using: &random)
        guard Bool.random(using: &random) else { return uids(start...start + length) }
        return NumberSet(numbers: (0..<length).map { start + $0 * 3 })
    }
}

/// The same numbers in every run (SplitMix64).
package struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
