import IMAPSyntax
import MailStore
import MailVocabulary
import MessageFormat
import WireFraming

// How a FETCH writes one message: items one by one, of a large body as much as a piece holds.

extension FetchRun {
    /// Writes one message from an item on; where to go on when the piece is full before its end. Of a message that
    /// cannot be told as it is, nothing is: the answer is not complete then, but true.
    mutating func write(_ message: FetchedMessage, from start: FetchCursor) async -> FetchCursor? {
        let isBegun = start.item > 0 || start.written > 0
        let before = output.count
        do throws(FetchProblem) {
            return try await writeItems(of: message, from: start)
        } catch {
            guard !isBegun else {
                note(.brokenOff)
                return nil
            }
            output.removeAll(from: before)
            note(error)
            return nil
        }
    }

    private mutating func writeItems(
        of message: FetchedMessage, from start: FetchCursor
    ) async throws(FetchProblem) -> FetchCursor? {
        guard !message.isUnreadable else { throw .unreadable }
        var message = message
        if start.item == 0, start.written == 0 { request.writer.begin(message.position, &output) }
        for index in start.item..<plan.items.count {
            // Items may be large, and each costs: between them is time to stop.
            if Task.isCancelled { throw .brokenOff }
            var cursor = start
            if index > start.item {
                (cursor.item, cursor.written) = (index, 0)
                guard output.count < Self.ahead else { return cursor }
            }
            if let written = try await write(plan.items[index], of: &message, from: cursor.written) {
                (cursor.item, cursor.written) = (index, written)
                return cursor
            }
        }
        request.writer.end(message.row, &output)
        return nil
    }

    /// Writes an item. When the piece is full before its end: how many octets of its value are written.
    private mutating func write(
        _ item: FetchPlan.Item, of message: inout FetchedMessage, from written: Int
    ) async throws(FetchProblem) -> Int? {
        switch item.kind {
        case .flags, .uid, .internalDate, .size:
            request.writer.write(item, message.row, &output)
            return nil
        case .envelope, .structure:
            try message.write(item, &output)
            return nil
        case .section(let section, let partial):
            let before = output.count
            do throws(FetchProblem) {
                return try await write(section, partial, item, of: &message, from: written)
            } catch {
                guard error == .gone, written == 0, !request.passesOverGone else { throw error }
                output.removeAll(from: before)
                note(.gone)
                writeNIL(item)
                return nil
            }
        }
    }

    private mutating func write(
        _ section: BodySection, _ partial: PartialRange?, _ item: FetchPlan.Item, of message: inout FetchedMessage,
        from written: Int
    ) async throws(FetchProblem) -> Int? {
        switch try message.content(section) {
        case .none:
            writeNIL(item)
            return nil
        case .octets(let range):
            let range = partial?.applied(to: range) ?? range
            guard message.body == nil else {
                writeFromMemory(range, item, of: message)
                return nil
            }
            return try await writeFromStore(range, item, of: message, from: written)
        case .fields(let header, let names, let excluding, let bodyIsEmpty):
            let fields = try await readHeader(header.prefix(Self.header), of: message) { header in
                selectHeaderFields(from: header, names: names, excluding: excluding, bodyIsEmpty: bodyIsEmpty)
            }
            let range = partial?.applied(to: 0..<fields.count) ?? 0..<fields.count
            output.append(item.label)
            output.append(literalOf: range.count)
            output.append(fields[range])
            return nil
        }
    }

    /// Makes something of a header, without a copy where the body is in memory.
    private func readHeader(
        _ range: Range<Int>, of message: FetchedMessage, _ use: (Span<UInt8>) -> [UInt8]
    ) async throws(FetchProblem) -> [UInt8] {
        if let body = message.body, body.count >= range.upperBound { return use(body.span.extracting(range)) }
        let header = range.isEmpty ? [] : try await octets(range, of: message)
        return use(header.span)
    }

    private mutating func writeNIL(_ item: FetchPlan.Item) {
        output.append(item.label)
        output.append("NIL" as StaticString)
    }

    private mutating func writeFromMemory(_ range: Range<Int>, _ item: FetchPlan.Item, of message: FetchedMessage) {
        let body = message.body ?? []
        let range = range.clamped(to: 0..<body.count)
        output.append(item.label)
        output.append(literalOf: range.count)
        output.append(body[range])
    }

    /// Writes a range of a large body as a literal, reading as it goes.
    private mutating func writeFromStore(
        _ range: Range<Int>, _ item: FetchPlan.Item, of message: FetchedMessage, from start: Int
    ) async throws(FetchProblem) -> Int? {
        var written = start
        repeat {
            let from = range.lowerBound + written
            let wanted = from..<min(range.upperBound, from + Self.range)
            let bytes = try await octets(wanted, of: message)
            guard bytes.count == wanted.count else { throw .unreadable }
            if written == 0 {
                output.append(item.label)
                output.append(literalOf: range.count)
            }
            output.append(bytes)
            written += bytes.count
            if output.count >= Self.ahead, written < range.count { return written }
        } while written < range.count
        return nil
    }

    /// Octets of a message, from memory or the store.
    private func octets(_ range: Range<Int>, of message: FetchedMessage) async throws(FetchProblem) -> [UInt8] {
        if let body = message.body { return Array(body[range.clamped(to: 0..<body.count)]) }
        // A small body that was not read with its batch is gone.
        guard Int(message.row.size) > plan.wholeBody else { throw .gone }
        do {
            return try await store.read(message.row.body, range)
        } catch {
            throw error as? StoreError == .noSuchBody ? .gone : .unreadable
        }
    }
}
