import MailStore
import MailVocabulary
import MessageFormat

/// Carries a search out: by the index alone; by columns, where very many messages' summaries are looked at; for the
/// messages that this leaves open, with their summaries; for those still open, with their text. So `SEARCH UNSEEN` opens
/// no message, and `SEARCH UNSEEN TEXT x` only unseen ones.
///
/// It is done in slices of time, and is a value between them.
struct SearchRun: Sendable {
    /// Rows that are judged between two looks whether others wait.
    private static let rows = 2048
    /// Messages of one read of summaries, and their octets, after which no more are read.
    private static let batch = 500
    private static let summaries = 512 * 1024
    /// Octets of bodies read at a time.
    private static let octetsAtOnce = 1 << 20
    /// Open messages from which on columns are made: of fewer the summaries are read.
    private static let columnsFrom = 1000

    private typealias Message = (position: Int, row: MessageRow)

    private enum Phase: Sendable {
        case index
        case columns(ColumnBuild)
        case reading
        case done
    }

    let store: any MailStore
    let cache: ColumnCache
    let view: MailboxSnapshot
    private var program: SearchProgram
    private var phase = Phase.index
    private var isNarrowed = false
    /// Sequence numbers, ascending.
    private var found = NumberSet()
    private var open: [Message] = []
    /// How many of `open` have been judged, and the sequence numbers of those that match.
    private var judged = 0
    private var foundLater: [UInt32] = []
    private var table = ColumnTable()
    /// Messages that could not be read: they match nothing.
    private(set) var unreadable = 0

    init(store: any MailStore, cache: ColumnCache, view: MailboxSnapshot, _ program: SearchProgram) {
        self.store = store
        self.cache = cache
        self.view = view
        self.program = program
    }

    /// The sequence numbers that match, ascending; once `advance` has returned true.
    var sequenceNumbers: NumberSet {
        foundLater.isEmpty ? found : found.union(NumberSet(numbers: foundLater))
    }

    /// How much is done, 0...1.
    var progress: Double {
        switch phase {
        case .index: 0
        case .columns(let build): 0.5 * Double(build.done) / Double(max(1, build.total))
        case .reading: 0.5 + 0.5 * Double(judged) / Double(max(1, open.count))
        case .done: 1
        }
    }

    /// True when all is done; false when the time is over before.
    mutating func advance(until deadline: ContinuousClock.Instant?) async throws -> Bool {
        while true {
            switch phase {
            case .index:
                try await judgeByIndex()
            case .columns(var build):
                phase = .done
                let isBuilt = try await build.advance(store, until: deadline)
                guard isBuilt else {
                    phase = .columns(build)
                    return false
                }
                table.adopt(build, through: build.through)
                cache.keep(table, of: view)
                cache.startKeeping(view, in: store)
                phase = .index
            case .reading:
                guard try await readOpen(until: deadline) else { return false }
                phase = .done
            case .done: return true
            }
        }
    }

    private mutating func judgeByIndex() async throws {
        let kinds = program.columnKinds
        if !kinds.isEmpty {
            if table.columns.isEmpty { table = cache.table(of: view) }
            if table.missing(kinds, in: view) == nil { resolve(kinds) }
        }
        let bounds = program.split()
        let positions = bounds.positions(in: view)
        if let rest = bounds.rest {
            try await judge(rest, bounds, positions)
        } else {
            for range in positions {
                for piece in view.positions(in: range, flags: bounds.mask, equal: bounds.value) {
                    found.appendAscending(UInt32(piece.lowerBound + 1)...UInt32(piece.upperBound))
                }
            }
        }
        if !open.isEmpty { try await narrow() }
        if wantsColumns {
            (found, foundLater, open) = (NumberSet(), [], [])
            try await readColumns()
        } else {
            phase = open.isEmpty ? .done : .reading
        }
    }

    /// Whether so many messages are open that it is better to begin again with columns.
    private var wantsColumns: Bool { open.count >= Self.columnsFrom && !program.columnKinds.isEmpty }

    /// Columns of what the program names: those that the store has kept, the others from summaries.
    private mutating func readColumns() async throws {
        let kinds = program.columnKinds
        table = await cache.table(of: view, with: kinds, from: store)
        phase = ColumnBuild(completing: table, kinds, in: view).map { .columns($0) } ?? .index
    }

    /// Asks the store's index of text where the texts may be: what it knows settles messages without reading them.
    private mutating func narrow() async throws {
        guard !isNarrowed else { return }
        isNarrowed = true
        let bodies = open.map(\.row.body)
        var known: [[UInt8]: Candidates] = [:]
        for needle in program.needles where known[needle.octets] == nil {
            guard let mayContain = try await store.mayContain(needle.octets, bodies, in: view.mailbox) else { continue }
            var candidates = Candidates(count: view.count)
            for (message, isOne) in zip(open, mayContain) where !isOne { candidates.remove(message.position) }
            known[needle.octets] = candidates
        }
        guard !known.isEmpty else { return }
        program = program.narrowed(by: known)
        var settled: [UInt32] = []
        open.removeAll { position, row in
            guard let verdict = program.judge(position, row) else { return false }
            if verdict { settled.append(UInt32(position + 1)) }
            return true
        }
        foundLater += settled
    }

    private mutating func resolve(_ kinds: ColumnKinds) {
        if !table.unreadable.isEmpty {
            unreadable += view.positions(ofUIDs: table.unreadable).reduce(0) { $0 + $1.count }
        }
        program = program.resolved(by: table)
    }

    private mutating func judge(
        _ rest: SearchProgram, _ bounds: SearchBounds, _ positions: [Range<Int>]
    ) async throws {
        let (mask, value) = (bounds.mask, bounds.value)
        for range in positions {
            for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.rows) {
                view.forEach(in: start..<min(start + Self.rows, range.upperBound)) { position, row in
                    guard row.flags.intersection(mask) == value else { return }
                    switch rest.judge(position, row) {
                    case true: found.appendAscending(UInt32(position + 1))
                    case false: break
                    case nil: open.append((position, row))
                    }
                }
                // It is begun again.
                guard !wantsColumns else { return }
                guard range.count > Self.rows else { continue }
                try Task.checkCancellation()
                await Task.yield()
            }
        }
    }

    /// Judges messages with what is in them. True when that is done.
    private mutating func readOpen(until deadline: ContinuousClock.Instant?) async throws -> Bool {
        while judged < open.count {
            try Task.checkCancellation()
            let rest = open[judged...]
            let summaries = try await readSummaries(rest.prefix(Self.batch).map(\.row.body))
            // At least one came, unless the store breaks its word.
            let batch = rest.prefix(max(1, summaries.count))
            judged += batch.count
            var toRead: [(message: Message, summary: [UInt8])] = []
            for (message, encoded) in zip(batch, summaries) {
                // A message that is gone matches nothing.
                guard let encoded else { continue }
                guard let content = SearchedContent(summary: encoded) else {
                    unreadable += 1
                    continue
                }
                switch program.judge(message.position, message.row, content) {
                case true: foundLater.append(UInt32(message.position + 1))
                case false: break
                case nil: toRead.append((message, encoded))
                }
            }
            try await read(toRead)
            if let deadline, judged < open.count, ContinuousClock.now >= deadline { return false }
        }
        return true
    }

    private mutating func readSummaries(_ bodies: [BodyID]) async throws -> [[UInt8]?] {
        do {
            return try await store.summaries(bodies, upTo: Self.summaries).arrays
        } catch StoreError.damaged {
            // One by one: what is damaged of one message is no other's loss.
            var (summaries, octets): ([[UInt8]?], Int) = ([], 0)
            for body in bodies where octets < Self.summaries {
                let summary = try await unlessDamaged { [store] in try await store.summaries([body]).first ?? nil }
                octets += summary?.count ?? 0
                summaries.append(summary)
            }
            return summaries
        }
    }

    private mutating func readWhole(_ bodies: [BodyID]) async throws -> [[UInt8]?] {
        guard !bodies.isEmpty else { return [] }
        do {
            return try await store.read(bodies)
        } catch StoreError.damaged {
            var whole: [[UInt8]?] = []
            for body in bodies {
                whole.append(try await unlessDamaged { [store] in try await store.read([body]).first ?? nil })
            }
            return whole
        }
    }

    /// Something of one message; nil, and the message counted, when it is damaged.
    private mutating func unlessDamaged<Octets>(_ read: () async throws -> Octets?) async throws -> Octets? {
        do {
            return try await read()
        } catch StoreError.damaged {
            unreadable += 1
            return nil
        }
    }

    /// Judges messages by their text too, some at a time.
    private mutating func read(_ messages: [(message: Message, summary: [UInt8])]) async throws {
        var rest = messages[...]
        while !rest.isEmpty {
            try Task.checkCancellation()
            var octets = 0
            let batch = rest.prefix { open in
                octets += min(Int(open.message.row.size), SearchLimits.wholeBody)
                return octets <= Self.octetsAtOnce
            }
            rest = rest.dropFirst(batch.count)
            let small = batch.map(\.message.row).filter { Int($0.size) <= SearchLimits.wholeBody }.map(\.body)
            var wholes = try await readWhole(small).makeIterator()
            for (message, summary) in batch {
                let isSmall = Int(message.row.size) <= SearchLimits.wholeBody
                let whole = isSmall ? wholes.next() ?? nil : nil
                if isSmall, whole == nil { continue }
                let text = try await unlessDamaged { [store] in
                    try await SearchRun.text(of: message.row, summary, whole: whole, store)
                }
                guard let text, let content = SearchedContent(summary: summary, text: text) else { continue }
                if program.judge(message.position, message.row, content) == true {
                    foundLater.append(UInt32(message.position + 1))
                }
            }
        }
    }

    /// - Parameter whole: the body, if it has been read.
    private static func text(
        of row: MessageRow, _ summary: [UInt8], whole: [UInt8]?, _ store: any MailStore
    ) async throws -> SearchedText {
        guard let root = BodyPart(encodedSummary: summary.span) else {
            throw StoreError.damaged("summary of body \(row.body.value)")
        }
        if let whole { return SearchedText(of: root, in: whole) }
        var text = SearchedText()
        for piece in root.searchedPieces {
            do {
                text.append(try await store.read(row.body, piece.range)[...], piece.kind)
            } catch StoreError.noSuchBody {
                return SearchedText()
            }
        }
        return text
    }
}

extension MailboxSnapshot {
    /// Of the messages above a UID.
    func bodies(after uid: UInt32) -> [(uid: UInt32, body: BodyID)] {
        guard uid < .max else { return [] }
        var bodies: [(uid: UInt32, body: BodyID)] = []
        let first = firstPosition(atOrAfter: uid + 1)
        bodies.reserveCapacity(count - first)
        forEach(in: first..<count) { bodies.append(($1.uid.value, $1.body)) }
        return bodies
    }
}
