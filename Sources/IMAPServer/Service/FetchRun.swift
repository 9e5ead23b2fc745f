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
    /// Octets of summaries after which no more are read: one alone may have a mebibyte.
    static let summaries = 512 * 1024
    /// Octets of a piece, after which no new item is begun: what a session keeps in memory ahead of its socket.
    static let ahead = 256 * 1024
    /// Octets that stand around a body in its answer, or a listing takes; a guess, to make room once. Bodies themselves
    /// are not copied.
    static let answerOverhead = 512
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
            // Nobody reads on.
            if Task.isCancelled { note(.brokenOff) }
            let batch = problem == .brokenOff ? Batch() : batch(from: start)
            cursor = batch.rows.isEmpty ? nil : await write(batch, resuming: start)
        }
        return FetchPiece(octets: output.takePieces(), next: cursor, problem: problem)
    }

    // Batches

    private struct Batch {
        var rows: [(position: Int, row: MessageRow)] = []
        /// Where to go on behind each row.
        var next: [(range: Int, offset: Int)] = []

        func cursor(behind index: Int) -> FetchCursor {
            FetchCursor(range: next[index].range, offset: next[index].offset)
        }
        var end: FetchCursor? { next.isEmpty ? nil : cursor(behind: next.count - 1) }

        /// Of each row, if they are needed; nil for one that is gone.
        var summaries = PackedSummaries()
        /// Of each row, if they are needed; nil for one that is gone, or read by ranges.
        var bodies: [[UInt8]?] = []
        /// Those that are there and cannot be read.
        var unreadable: Set<BodyID> = []
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
            if !plan.needsBody {
                takeRows(of: range, &cursor, &batch)
                continue
            }
            let position = range.lowerBound + cursor.offset
            let row = request.writer.view[position]
            octets += plan.octetsToWrite(ofMessage: Int(row.size))
            if !batch.rows.isEmpty, octets > Self.ahead { break }
            cursor.offset += 1
            batch.rows.append((position, row))
            batch.next.append((cursor.range, cursor.offset))
        }
        return batch
    }

    /// As many of a range as a batch takes.
    private func takeRows(of range: Range<Int>, _ cursor: inout FetchCursor, _ batch: inout Batch) {
        let first = range.lowerBound + cursor.offset
        let end = min(range.upperBound, first + Self.batch - batch.rows.count)
        request.writer.view.forEach(in: first..<end) { position, row in
            batch.rows.append((position, row))
            batch.next.append((cursor.range, position + 1 - range.lowerBound))
        }
        cursor.offset = end - range.lowerBound
    }

    /// Writes a batch, or as much of it as a piece holds; where to go on.
    private mutating func write(_ unread: Batch, resuming start: FetchCursor) async -> FetchCursor? {
        var batch = unread
        await readSummaries(&batch)
        await readBodies(&batch)
        output.reserveCapacity(output.count + Self.answerOverhead * batch.rows.count)
        if !plan.needsBody { return writeSummarised(batch) }
        for (index, (position, row)) in batch.rows.enumerated() {
            var message = FetchedMessage(position: position, row: row)
            message.summary = index < batch.summaries.count ? batch.summaries[index] : nil
            message.body = index < batch.bodies.count ? batch.bodies[index] : nil
            message.isUnreadable = !batch.unreadable.isEmpty && batch.unreadable.contains(row.body)
            let cursor = index > 0 ? batch.cursor(behind: index - 1) : start
            if let stopped = await write(message, from: cursor) { return stopped }
            if problem == .brokenOff { return nil }
            if output.count >= Self.ahead { return batch.cursor(behind: index) }
        }
        return batch.end
    }

    /// Messages of which index and summary tell everything: nothing is awaited, and none is told in parts.
    private mutating func writeSummarised(_ batch: Batch) -> FetchCursor? {
        let (writer, items) = (request.writer, plan.items)
        for (index, (position, row)) in batch.rows.enumerated() {
            var message = FetchedMessage(position: position, row: row)
            message.summary = index < batch.summaries.count ? batch.summaries[index] : nil
            let before = output.count
            do throws(FetchProblem) {
                if !batch.unreadable.isEmpty, batch.unreadable.contains(row.body) { throw .unreadable }
                writer.begin(position, row, &output)
                for item in items where !writer.write(item, row, &output) {
                    try message.write(item, plan.enabled, &output)
                }
                writer.end(row, &output)
            } catch {
                output.removeAll(from: before)
                note(error)
            }
            if output.count >= Self.ahead { return batch.cursor(behind: index) }
        }
        return batch.end
    }

    /// Leaves the batch with as many messages as have summaries.
    private func readSummaries(_ batch: inout Batch) async {
        guard plan.needsSummary else { return }
        let bodies = batch.rows.map(\.row.body)
        do {
            batch.summaries = try await store.summaries(bodies, upTo: Self.summaries)
        } catch {
            // One by one: what is damaged of one message is no other's loss.
            for body in bodies where batch.summaries.octetCount < Self.summaries && !Task.isCancelled {
                let summary = await read(body, &batch) { [store] in try await store.summaries([body]).first ?? nil }
                if let summary { batch.summaries.append(summary) } else { batch.summaries.appendGone() }
            }
        }
        batch.rows.removeLast(batch.rows.count - min(batch.rows.count, batch.summaries.count))
        batch.next.removeLast(batch.next.count - batch.rows.count)
    }

    /// Bodies that are small enough to be read whole, when octets of them are wanted.
    private func readBodies(_ batch: inout Batch) async {
        guard plan.needsBody else { return }
        let small = batch.rows.map(\.row).filter { Int($0.size) <= plan.wholeBody }.map(\.body)
        guard !small.isEmpty else { return }
        var whole: [[UInt8]?] = []
        do {
            whole = try await store.read(small)
        } catch {
            for body in small where !Task.isCancelled {
                whole.append(await read(body, &batch) { [store] in try await store.read([body]).first ?? nil })
            }
        }
        var next = whole.makeIterator()
        batch.bodies = batch.rows.map { Int($0.row.size) <= plan.wholeBody ? next.next() ?? nil : nil }
    }

    /// Something of one body; nil when it is gone, or unreadable.
    private func read(
        _ body: BodyID, _ batch: inout Batch, _ read: () async throws -> [UInt8]?
    ) async -> [UInt8]? {
        do {
            return try await read()
        } catch {
            if error as? StoreError != .noSuchBody { batch.unreadable.insert(body) }
            return nil
        }
    }

    mutating func note(_ new: FetchProblem) { problem = max(problem ?? .gone, new) }
}
