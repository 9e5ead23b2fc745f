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
    var output = OutputBuffer()
    var problem: FetchProblem?

    init(store: any MailStore, request: FetchRequest) {
        self.store = store
        self.request = request
    }

    var plan: FetchPlan { request.writer.plan }

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
    mutating func read<Result: Sendable>(_ body: () async throws -> Result) async -> Result? {
        do {
            return try await body()
        } catch {
            note(error as? StoreError == .noSuchBody ? .gone : .unreadable)
            return nil
        }
    }

    mutating func note(_ new: FetchProblem) { problem = max(problem ?? .gone, new) }
}
