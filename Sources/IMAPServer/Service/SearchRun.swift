import MailStore
import MailVocabulary
import MessageFormat

/// Carries a search out: first by the index alone; for the messages that this leaves open, with their summaries; for
/// those still open, with their text. So `SEARCH UNSEEN` opens no message, and `SEARCH UNSEEN TEXT x` only unseen ones.
struct SearchRun {
    /// Messages of one read of summaries.
    private static let batch = 500
    /// Octets of bodies read at a time.
    private static let octetsAtOnce = 1 << 20
    /// A body up to this size is read whole, of a larger one only its header and text: attachments are not searched.
    private static let wholeBody = 128 * 1024
    /// Octets of one message's text that are searched; what is beyond is not.
    private static let textLimit = 32 << 20

    let store: any MailStore
    let task: SearchTask

    private var program: SearchProgram { task.program }

    /// The UIDs that match, ascending.
    func run() async throws -> NumberSet {
        var found: [UInt32] = []
        var open: [MessageRow] = []
        let (mask, value, rest) = program.splitFlags()
        task.view.forEach { _, row in
            guard row.flags.intersection(mask) == value else { return }
            switch rest.judge(row) {
            case true: found.append(row.uid.value)
            case false: break
            case nil: open.append(row)
            }
        }
        guard !open.isEmpty else { return NumberSet(ascending: found) }
        found += try await self.open(open)
        return NumberSet(ascending: found.sorted())
    }

    /// Judges messages with what is in them.
    private func open(_ rows: [MessageRow]) async throws -> [UInt32] {
        var found: [UInt32] = []
        var rest = rows[...]
        while !rest.isEmpty {
            try Task.checkCancellation()
            let batch = Array(rest.prefix(Self.batch))
            rest = rest.dropFirst(batch.count)
            let summaries = try await store.summaries(batch.map(\.body))
            var toRead: [(row: MessageRow, summary: [UInt8])] = []
            for (row, encoded) in zip(batch, summaries) {
                // A message that is gone matches nothing.
                guard let encoded else { continue }
                switch try judge(row, encoded) {
                case true: found.append(row.uid.value)
                case false: break
                case nil: toRead.append((row, encoded))
                }
            }
            found += try await read(toRead)
        }
        return found
    }

    private func judge(_ row: MessageRow, _ summary: [UInt8], _ text: SearchedText? = nil) throws -> Bool? {
        guard let content = SearchedContent(summary: summary, text: text) else {
            throw StoreError.damaged("summary of body \(row.body.value)")
        }
        return program.judge(row, content)
    }

    /// Judges messages by their text too, some at a time.
    private func read(_ messages: [(row: MessageRow, summary: [UInt8])]) async throws -> [UInt32] {
        var found: [UInt32] = []
        var rest = messages[...]
        while !rest.isEmpty {
            try Task.checkCancellation()
            var octets = 0
            let batch = rest.prefix { message in
                octets += min(Int(message.row.size), Self.wholeBody)
                return octets <= Self.octetsAtOnce
            }
            rest = rest.dropFirst(batch.count)
            let small = batch.map(\.row).filter { Int($0.size) <= Self.wholeBody }.map(\.body)
            let bodies = small.isEmpty ? [] : try await store.read(small)
            var wholes = zip(small, bodies).makeIterator()
            for (row, summary) in batch {
                let isSmall = Int(row.size) <= Self.wholeBody
                let whole = isSmall ? wholes.next()?.1 : nil
                if isSmall, whole == nil { continue }
                let text = try await text(of: row, summary, whole: whole ?? nil)
                if try judge(row, summary, text) == true { found.append(row.uid.value) }
            }
        }
        return found
    }

    /// - Parameter whole: the body, if it has been read.
    private func text(of row: MessageRow, _ summary: [UInt8], whole: [UInt8]?) async throws -> SearchedText {
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
        case .single: return header
        case .text:
            let charset = parameters.first { $0.name == Array("CHARSET".utf8) }.flatMap { Charset($0.value) }
            let encoding = TransferEncoding(encoding) ?? .identity
            return header + [SearchedPiece(range: bodyRange, kind: .text(encoding, charset))]
        case .message(_, let inner): return header + inner.searchedPieces
        case .multipart(let children): return header + children.flatMap(\.searchedPieces)
        }
    }
}
