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
    /// A body up to this size is read whole, of a larger one only its header and text: attachments are not searched.
    private static let wholeBody = 128 * 1024
    /// Octets of one message's text that are searched; what is beyond is not.
    private static let textLimit = 32 << 20

    private typealias Message = (position: Int, row: MessageRow)

    let store: any MailStore
    let view: MailboxSnapshot
    let program: SearchProgram
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
        found += try await self.open(open)
        return NumberSet(ascending: found.sorted())
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
                octets += min(Int(open.message.row.size), Self.wholeBody)
                return octets <= Self.octetsAtOnce
            }
            rest = rest.dropFirst(batch.count)
            let small = batch.map(\.message.row).filter { Int($0.size) <= Self.wholeBody }.map(\.body)
            var wholes = try await readWhole(small).makeIterator()
            for (message, summary) in batch {
                let isSmall = Int(message.row.size) <= Self.wholeBody
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
        var text = SearchedText()
        var octetsLeft = Self.textLimit
        for piece in root.searchedPieces {
            let range = piece.range.prefix(octetsLeft)
            octetsLeft -= range.count
            guard !range.isEmpty else { continue }
            let octets: ArraySlice<UInt8>
            if let whole {
                octets = whole[range.clamped(to: 0..<whole.count)]
            } else {
                do {
                    octets = try await store.read(row.body, range)[...]
                } catch StoreError.noSuchBody {
                    return SearchedText()
                }
            }
            switch piece.kind {
            case .header: text.headers.append(octets)
            case .text(let encoding, let charset):
                text.parts.append(SearchedText.Part(octets: octets, encoding: encoding, charset: charset))
            }
        }
        return text
    }
}

/// A range of a message that is searched.
struct SearchedPiece {
    enum Kind {
        case header
        case text(TransferEncoding, Charset?)
    }

    var range: Range<Int>
    var kind: Kind
}

extension BodyPart {
    /// The message's header and text, and those of its parts. What is no text, a picture, an archive, is left out.
    var searchedPieces: [SearchedPiece] {
        let header = headerRange.isEmpty ? [] : [SearchedPiece(range: headerRange, kind: .header)]
        switch kind {
        // A delivery report (RFC 3464) and its kin are to be read, whatever their type is called.
        case .single: return type == Array("MESSAGE".utf8) ? header + [text] : header
        case .text: return header + [text]
        case .message(_, let inner): return header + inner.searchedPieces
        case .multipart(let children): return header + children.flatMap(\.searchedPieces)
        }
    }

    private var text: SearchedPiece {
        let charset = parameters.first { $0.name == Array("CHARSET".utf8) }.flatMap { Charset($0.value) }
        return SearchedPiece(range: bodyRange, kind: .text(TransferEncoding(encoding) ?? .identity, charset))
    }
}
