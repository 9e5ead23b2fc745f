import MailStore
import MailVocabulary
import MessageFormat

/// Carries a search out: first by the index alone; for the messages that this leaves open, with their summaries; for
/// those still open, with their text. So `SEARCH UNSEEN` opens no message, and `SEARCH UNSEEN TEXT x` only unseen ones.
struct SearchRun {
    /// Rows that are judged between two looks whether others wait.
    private static let rows = 2048
    /// Messages of one read of summaries, and their octets, after which no more are read.
    private static let batch = 500
    private static let summaries = 512 * 1024
    /// Octets of bodies read at a time.
    private static let octetsAtOnce = 1 << 20

    private typealias Message = (position: Int, row: MessageRow)

    let store: any MailStore
    let view: MailboxSnapshot
    private(set) var program: SearchProgram
    /// Messages that could not be read: they match nothing.
    private(set) var unreadable = 0

    init(store: any MailStore, view: MailboxSnapshot, _ program: SearchProgram) {
        self.store = store
        self.view = view
        self.program = program
    }

    /// The UIDs that match, ascending.
    mutating func run() async throws -> NumberSet {
        var found: [UInt32] = []
        var open: [Message] = []
        let (mask, value, rest) = program.splitFlags()
        for start in stride(from: 0, to: view.count, by: Self.rows) {
            try Task.checkCancellation()
            view.forEach(in: start..<min(start + Self.rows, view.count)) { position, row in
                guard row.flags.intersection(mask) == value else { return }
                switch rest.judge(position, row) {
                case true: found.append(row.uid.value)
                case false: break
                case nil: open.append((position, row))
                }
            }
            await Task.yield()
        }
        guard !open.isEmpty else { return NumberSet(ascending: found) }
        found += try await self.open(narrow(open, &found))
        return NumberSet(ascending: found.sorted())
    }

    /// Asks the store's index of text where the texts may be; returns the messages that are still open.
    private mutating func narrow(_ open: [Message], _ found: inout [UInt32]) async throws -> [Message] {
        let bodies = open.map(\.row.body)
        var known: [[UInt8]: Candidates] = [:]
        for needle in program.needles where known[needle.octets] == nil {
            guard let mayContain = try await store.mayContain(needle.octets, bodies, in: view.mailbox) else { continue }
            var candidates = Candidates(count: view.count)
            for (message, isOne) in zip(open, mayContain) where !isOne { candidates.remove(message.position) }
            known[needle.octets] = candidates
        }
        guard !known.isEmpty else { return open }
        program = program.narrowed(by: known)
        return open.filter { position, row in
            guard let verdict = program.judge(position, row) else { return true }
            if verdict { found.append(row.uid.value) }
            return false
        }
    }

    /// Judges messages with what is in them.
    private mutating func open(_ messages: [Message]) async throws -> [UInt32] {
        var found: [UInt32] = []
        var rest = messages[...]
        while !rest.isEmpty {
            try Task.checkCancellation()
            let summaries = try await readSummaries(rest.prefix(Self.batch).map(\.row.body))
            // At least one came, unless the store breaks its word.
            let batch = rest.prefix(max(1, summaries.count))
            rest = rest.dropFirst(batch.count)
            var toRead: [(message: Message, summary: [UInt8])] = []
            for (message, encoded) in zip(batch, summaries) {
                // A message that is gone matches nothing.
                guard let encoded else { continue }
                guard let content = SearchedContent(summary: encoded) else {
                    unreadable += 1
                    continue
                }
                switch program.judge(message.position, message.row, content) {
                case true: found.append(message.row.uid.value)
                case false: break
                case nil: toRead.append((message, encoded))
                }
            }
            found += try await read(toRead)
        }
        return found
    }

    private mutating func readSummaries(_ bodies: [BodyID]) async throws -> [[UInt8]?] {
        do {
            return try await store.summaries(bodies, upTo: Self.summaries)
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
    private mutating func read(_ messages: [(message: Message, summary: [UInt8])]) async throws -> [UInt32] {
        var found: [UInt32] = []
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
                    found.append(message.row.uid.value)
                }
            }
        }
        return found
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
