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
        var message = message
        let isBegun = start.item > 0 || start.written > 0
        let before = output.count
        do throws(FetchProblem) {
            guard !message.isUnreadable else { throw .unreadable }
            if !isBegun {
                try checkEncodings(of: &message)
                request.writer.begin(message.position, message.row, &output)
            }
            for index in start.item..<plan.items.count {
                var cursor = start
                if index > start.item {
                    (cursor.item, cursor.written, cursor.decoding) = (index, 0, nil)
                    // Items may be large, and each costs: between them is time to stop.
                    guard output.count < Self.ahead else { return cursor }
                    if Task.isCancelled { throw .brokenOff }
                }
                let item = plan.items[index]
                if cursor.written == 0, try writeAtOnce(item, of: &message) { continue }
                if item.isDecoded {
                    guard let decoding = try await writeDecoded(item, of: &message, from: cursor.decoding) else {
                        continue
                    }
                    // Something is written, if only the label.
                    (cursor.item, cursor.written, cursor.decoding) = (index, 1, decoding)
                    return cursor
                }
                if let written = try await write(item, of: &message, from: cursor.written) {
                    (cursor.item, cursor.written) = (index, written)
                    return cursor
                }
            }
            request.writer.end(message.row, &output)
        } catch {
            if !isBegun { output.removeAll(from: before) }
            note(isBegun ? .brokenOff : error)
        }
        return nil
    }

    /// Writes an item for which nothing more has to be read; false, and nothing written, when something has.
    private mutating func writeAtOnce(
        _ item: FetchPlan.Item, of message: inout FetchedMessage
    ) throws(FetchProblem) -> Bool {
        switch item.kind {
        case .flags, .modSeq, .uid, .internalDate, .size, .saveDate, .emailID, .threadID:
            request.writer.write(item, message.row, &output)
        case .envelope, .structure, .preview:
            try message.write(item, plan.enabled, &output)
        case .binary, .binarySize: return false
        case .section(let section, let partial):
            guard let body = message.body, message.summary != nil || section == BodySection() else { return false }
            switch try message.content(section) {
            case .none: writeNIL(item)
            case .octets(let range):
                let octets = body[(partial?.applied(to: range) ?? range).clamped(to: body.indices)]
                output.append(item.label)
                output.append(literalOf: octets.count)
                // A small part would hold on to a large body.
                if octets.count >= body.count / 2 { output.append(whole: octets) } else { output.append(octets) }
            case .fields(let header, let names, let excluding, let bodyIsEmpty):
                let header = header.prefix(Self.header).clamped(to: body.indices)
                let fields = selectHeaderFields(
                    from: body.span.extracting(header), names: names, excluding: excluding, bodyIsEmpty: bodyIsEmpty)
                write(item, fields, partial)
            }
        }
        return true
    }

    /// Writes a section, reading it. When the piece is full before its end: how many octets of its value are written.
    private mutating func write(
        _ item: FetchPlan.Item, of message: inout FetchedMessage, from written: Int
    ) async throws(FetchProblem) -> Int? {
        guard case .section(let section, let partial) = item.kind else { return nil }
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

    private mutating func write(
        _ section: BodySection, _ partial: PartialRange?, _ item: FetchPlan.Item, of message: inout FetchedMessage,
        from written: Int
    ) async throws(FetchProblem) -> Int? {
        switch try message.content(section) {
        case .none:
            writeNIL(item)
            return nil
        case .octets(let range):
            return try await writeFromStore(partial?.applied(to: range) ?? range, item, of: message, from: written)
        case .fields(let range, let names, let excluding, let bodyIsEmpty):
            let range = range.prefix(Self.header)
            let header = range.isEmpty ? [] : try await octets(range, of: message)
            let fields = selectHeaderFields(
                from: header.span, names: names, excluding: excluding, bodyIsEmpty: bodyIsEmpty)
            write(item, fields, partial)
            return nil
        }
    }

    mutating func writeNIL(_ item: FetchPlan.Item) {
        output.append(item.label)
        output.append("NIL" as StaticString)
    }

    private mutating func write(_ item: FetchPlan.Item, _ octets: ArraySlice<UInt8>) {
        output.append(item.label)
        output.append(literalOf: octets.count)
        output.append(octets)
    }

    private mutating func write(_ item: FetchPlan.Item, _ value: [UInt8], _ partial: PartialRange?) {
        write(item, value[partial?.applied(to: value.indices) ?? value.indices])
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
            output.append(whole: bytes[...])
            written += bytes.count
            if output.count >= Self.ahead, written < range.count { return written }
        } while written < range.count
        return nil
    }

    /// Octets of a message, from memory or the store.
    func octets(_ range: Range<Int>, of message: FetchedMessage) async throws(FetchProblem) -> [UInt8] {
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
