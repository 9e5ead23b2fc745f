import IMAPSyntax
import MailStore
import MailVocabulary
import MessageFormat
import WireFraming

/// Writes one piece of a FETCH that needs summaries or bodies. Messages are taken in batches: their summaries are one
/// read, their bodies another, as long as they are small; a large body is read by ranges, and may take many pieces.
struct FetchRun {
    /// Messages of one read of summaries.
    static let batch = 500
    /// Octets of a piece, after which no new batch is begun: what a session keeps in memory ahead of its socket.
    static let ahead = 256 * 1024
    /// Octets that stand around a body in its answer, or a listing takes; a guess, to make room once.
    static let answerOverhead = 512
    /// Octets of a body that is read whole; a larger one is read by ranges.
    static let wholeBody = 128 * 1024
    /// Octets of one range of a large body.
    static let range = 128 * 1024
    /// Octets of a header that is searched for fields: a message that has a larger one is an attack, and what is
    /// beyond is not told.
    static let header = 1 << 20

    let store: any MailStore
    let request: FetchRequest
    private var output = OutputBuffer()
    private var problem: FetchProblem?

    init(store: any MailStore, request: FetchRequest) {
        self.store = store
        self.request = request
    }

    private var plan: FetchPlan { request.writer.plan }

    mutating func run() async -> FetchPiece {
        var cursor: FetchCursor? = request.cursor
        // Half full is full: with another batch the piece would grow to twice its size, by copying it.
        while let start = cursor, output.count < Self.ahead / 2 {
            let batch = batch(from: start)
            guard !batch.rows.isEmpty else {
                cursor = nil
                break
            }
            cursor = await write(batch, resuming: start)
            if problem == .brokenOff { cursor = nil }
        }
        return FetchPiece(bytes: output.take(), next: cursor, problem: problem)
    }

    // Batches

    private struct Batch {
        var rows: [(position: Int, row: MessageRow)] = []
        /// Cursors behind each row.
        var next: [FetchCursor] = []
    }

    /// The messages from a cursor on whose answers fit a piece; always one, if there is one left.
    private func batch(from start: FetchCursor) -> Batch {
        var batch = Batch()
        var cursor = FetchCursor(range: start.range, offset: start.offset)
        var octets = 0
        while cursor.range < request.positions.count, batch.rows.count < Self.batch {
            let range = request.positions[cursor.range]
            guard cursor.offset < range.count else {
                cursor = FetchCursor(range: cursor.range + 1)
                continue
            }
            let position = range.lowerBound + cursor.offset
            let row = request.writer.view[position]
            if plan.needsBody {
                let (product, overflow) = Int(row.size).multipliedReportingOverflow(by: plan.sectionCount)
                octets = overflow ? .max : octets.addingReportingOverflow(product).partialValue
                if !batch.rows.isEmpty, octets > Self.ahead || octets < 0 { break }
            }
            cursor.offset += 1
            batch.rows.append((position, row))
            batch.next.append(cursor)
        }
        return batch
    }

    /// Writes a batch; where to go on.
    private mutating func write(_ batch: Batch, resuming start: FetchCursor) async -> FetchCursor? {
        let bodies = batch.rows.map(\.row.body)
        var summaries: [[UInt8]?] = []
        if plan.needsSummary { summaries = await read { [store] in try await store.summaries(bodies) } ?? [] }
        let whole = await readSmall(batch.rows.map(\.row))
        let octets = whole.values.reduce(0) { $0 + ($1?.count ?? 0) }
        output.reserveCapacity(output.count + octets + Self.answerOverhead * batch.rows.count)
        for (index, (position, row)) in batch.rows.enumerated() {
            var message = FetchedMessage(position: position, row: row)
            message.summary = index < summaries.count ? summaries[index] : nil
            message.body = whole[row.body] ?? nil
            let isResumed = index == 0 && (start.item > 0 || start.written > 0)
            var cursor = FetchCursor(range: start.range, offset: start.offset)
            if index > 0 { cursor = batch.next[index - 1] }
            if isResumed { (cursor.item, cursor.written) = (start.item, start.written) }
            if let stopped = await write(message, from: cursor) { return stopped }
            if problem == .brokenOff { return nil }
        }
        return batch.next.last
    }

    /// Bodies that are small enough to be read whole, when octets of them are wanted.
    private mutating func readSmall(_ rows: [MessageRow]) async -> [BodyID: [UInt8]?] {
        guard plan.needsBody else { return [:] }
        let small = rows.filter { Int($0.size) <= Self.wholeBody }.map(\.body)
        guard !small.isEmpty, let bodies = await read({ [store] in try await store.read(small) }) else { return [:] }
        return Dictionary(zip(small, bodies), uniquingKeysWith: { first, _ in first })
    }

    /// Reads from the store; nil, and a problem noted, when it fails.
    private mutating func read<Result: Sendable>(_ body: () async throws -> Result) async -> Result? {
        do {
            return try await body()
        } catch {
            note(error as? StoreError == .noSuchBody ? .gone : .unreadable)
            return nil
        }
    }

    private mutating func note(_ new: FetchProblem) { problem = max(problem ?? .gone, new) }

    // Messages

    /// Writes one message from an item on; where to go on when the piece is full before its end.
    private mutating func write(_ message: FetchedMessage, from start: FetchCursor) async -> FetchCursor? {
        var message = message
        if start.item == 0, start.written == 0 { request.writer.begin(message.position, &output) }
        var needsSpace = start.item > 0 || start.written > 0
        for index in start.item..<plan.items.count {
            let item = plan.items[index]
            let resumedAt = index == start.item ? start.written : 0
            switch item.kind {
            case .flags, .uid, .internalDate, .size:
                space(&needsSpace)
                request.writer.write(item, message.row, &output)
            case .envelope, .structure:
                guard message.summary != nil else {
                    note(.gone)
                    continue
                }
                space(&needsSpace)
                message.write(item, &output)
            case .section(let section, let partial):
                if resumedAt == 0 { space(&needsSpace) }
                if section != BodySection(), message.summary == nil { note(.gone) }
                let content = message.content(section)
                if let written = await write(content, partial, item, of: message, from: resumedAt) {
                    var cursor = start
                    (cursor.item, cursor.written) = (index, written)
                    return cursor
                }
                if problem == .brokenOff { return nil }
            }
        }
        request.writer.end(message.row, &output)
        if message.isDamaged { note(.unreadable) }
        return nil
    }

    private mutating func space(_ needed: inout Bool) {
        if needed { output.append(UInt8(ascii: " ")) }
        needed = true
    }

    // Sections

    /// Writes a section's value. When the piece is full before its end: how many of its octets are written.
    private mutating func write(
        _ content: SectionContent, _ partial: PartialRange?, _ item: FetchPlan.Item, of message: FetchedMessage,
        from written: Int
    ) async -> Int? {
        switch content {
        case .none:
            output.append(item.label)
            output.append("NIL")
            return nil
        case .octets(let range):
            return await write(partial?.applied(to: range) ?? range, item, of: message, from: written)
        case .fields(let header, let names, let excluding, let bodyIsEmpty):
            output.append(item.label)
            let octets = header.prefix(Self.header)
            guard let bytes = await header.isEmpty ? [] : bytes(octets, of: message) else {
                output.append("NIL")
                return nil
            }
            let fields = selectHeaderFields(
                from: bytes.span, names: names, excluding: excluding, bodyIsEmpty: bodyIsEmpty)
            let range = partial?.applied(to: 0..<fields.count) ?? 0..<fields.count
            output.append(literalOf: range.count)
            output.append(fields[range])
            return nil
        }
    }

    /// Writes a range of the message as a literal.
    private mutating func write(
        _ range: Range<Int>, _ item: FetchPlan.Item, of message: FetchedMessage, from written: Int
    ) async -> Int? {
        if let body = message.body {
            output.append(item.label)
            let range = range.clamped(to: 0..<body.count)
            output.append(literalOf: range.count)
            output.append(body[range])
            return nil
        }
        var written = written
        while written < range.count || written == 0 {
            let start = range.lowerBound + written
            let wanted = start..<min(range.upperBound, start + Self.range)
            let bytes = await bytes(wanted, of: message)
            guard let bytes, bytes.count == wanted.count else {
                guard written == 0 else {
                    problem = .brokenOff
                    return nil
                }
                if bytes != nil { note(.unreadable) }
                output.append(item.label)
                output.append("NIL")
                return nil
            }
            if written == 0 {
                output.append(item.label)
                output.append(literalOf: range.count)
            }
            output.append(bytes)
            written += bytes.count
            if written >= range.count { return nil }
            if output.count >= Self.ahead { return written }
        }
        return nil
    }

    /// Octets of a message, from memory or the store; nil, and a problem noted, when they cannot be had.
    private mutating func bytes(_ range: Range<Int>, of message: FetchedMessage) async -> [UInt8]? {
        if let body = message.body { return Array(body[range.clamped(to: 0..<body.count)]) }
        // A small body that was not read with its batch is gone.
        guard Int(message.row.size) > Self.wholeBody else {
            note(.gone)
            return nil
        }
        return await read { [store] in try await store.read(message.row.body, range) }
    }
}
