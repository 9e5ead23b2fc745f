import IMAPSyntax
import MailStore
import MailVocabulary
import MessageFormat
import WireFraming

// How a FETCH writes one message: items one by one, of a large body as much as a piece holds.

extension FetchRun {
    /// Writes one message from an item on; where to go on when the piece is full before its end.
    mutating func write(_ message: FetchedMessage, from start: FetchCursor) async -> FetchCursor? {
        var message = message
        if start.item == 0, start.written == 0 { request.writer.begin(message.position, &output) }
        for index in start.item..<plan.items.count {
            let resumedAt = index == start.item ? start.written : 0
            if let written = await write(plan.items[index], of: &message, from: resumedAt) {
                var cursor = start
                (cursor.item, cursor.written) = (index, written)
                return cursor
            }
            if problem == .brokenOff { return nil }
        }
        request.writer.end(message.row, &output)
        if message.isDamaged { note(.unreadable) }
        return nil
    }

    /// Writes an item. When the piece is full before its end: how many octets of its value are written.
    private mutating func write(
        _ item: FetchPlan.Item, of message: inout FetchedMessage, from written: Int
    ) async -> Int? {
        switch item.kind {
        case .flags, .uid, .internalDate, .size:
            request.writer.write(item, message.row, &output)
            return nil
        case .envelope, .structure:
            if message.summary == nil { note(.gone) }
            message.write(item, &output)
            return nil
        case .section(let section, let partial):
            if section != BodySection(), message.summary == nil { note(.gone) }
            switch message.content(section) {
            case .none:
                writeNIL(item)
                return nil
            case .octets(let range):
                let range = partial?.applied(to: range) ?? range
                guard message.body == nil else {
                    writeFromMemory(range, item, of: message)
                    return nil
                }
                return await writeFromStore(range, item, of: message, from: written)
            case .fields(let header, let names, let excluding, let bodyIsEmpty):
                let fields = await readHeader(header.prefix(Self.header), of: message) { header in
                    selectHeaderFields(from: header, names: names, excluding: excluding, bodyIsEmpty: bodyIsEmpty)
                }
                write(fields, partial, item)
                return nil
            }
        }
    }

    /// Makes something of a header, without a copy where the body is in memory.
    private mutating func readHeader(
        _ range: Range<Int>, of message: FetchedMessage, _ use: (Span<UInt8>) -> [UInt8]
    ) async -> [UInt8]? {
        if let body = message.body, body.count >= range.upperBound { return use(body.span.extracting(range)) }
        let header = range.isEmpty ? [] : await bytes(range, of: message)
        return header.map { use($0.span) }
    }

    private mutating func writeNIL(_ item: FetchPlan.Item) {
        output.append(item.label)
        output.append("NIL" as StaticString)
    }

    private mutating func write(_ fields: [UInt8]?, _ partial: PartialRange?, _ item: FetchPlan.Item) {
        guard let fields else { return writeNIL(item) }
        let range = partial?.applied(to: 0..<fields.count) ?? 0..<fields.count
        output.append(item.label)
        output.append(literalOf: range.count)
        output.append(fields[range])
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
    ) async -> Int? {
        var written = start
        repeat {
            let from = range.lowerBound + written
            let wanted = from..<min(range.upperBound, from + Self.range)
            let octets = await bytes(wanted, of: message)
            guard let bytes = octets, bytes.count == wanted.count else {
                note(written > 0 ? .brokenOff : octets == nil ? .gone : .unreadable)
                if written == 0 { writeNIL(item) }
                return nil
            }
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
