import MailStore
import MessageFormat

/// A message on its way through filters: the body that it came with, and what filters have made of header and body.
/// Nothing is written before the last filter has had its say.
struct FilteredContent: Sendable {
    let original: any StagedBody
    private(set) var header: FilteredHeader
    /// What takes the place of the original's body.
    private(set) var replacement: (any StagedBody)?

    /// Octets that are read, told and written at once.
    static let pieceLength = 65_535

    init(_ original: any StagedBody) throws(MilterError) {
        self.original = original
        let read: Result<FilteredHeader, MilterError>
        do {
            read = try original.withBytes { bytes in
                Result { () throws(MilterError) in try FilteredHeader(bytes) }
            }
        } catch {
            throw .storage("\(error)")
        }
        header = try read.get()
    }

    var isChanged: Bool { header.isChanged || replacement != nil }

    mutating func replaceBody(_ body: any StagedBody) { replacement = body }

    /// Changes the header as a filter asks; other changes are none of the content.
    mutating func apply(_ modification: MilterModification, keepsLeadingSpace keeps: Bool) throws(MilterError) {
        switch modification {
        case .addField(let name, let value):
            try header.add(name, value, keepsLeadingSpace: keeps)
        case .insertField(let index, let name, let value):
            try header.insert(at: Int(index), name, value, keepsLeadingSpace: keeps)
        case .changeField(let index, let name, let value):
            var (changed, failure) = (header, MilterError?.none)
            try read { bytes in
                do throws(MilterError) {
                    try changed.change(Int(index), name, value, keepsLeadingSpace: keeps, in: bytes)
                } catch {
                    failure = error
                }
            }
            if let failure { throw failure }
            header = changed
        case .changeSender, .addRecipient, .removeRecipient, .body, .quarantine:
            break
        }
    }

    /// The fields that filters are told of, one after the other, in pieces of some 64 KiB.
    func fields(from index: Int) throws(MilterError) -> (told: [MilterEvent], next: Int) {
        var (told, next, octets) = ([MilterEvent](), index, 0)
        try read { bytes in
            while next < header.fields.count, octets < Self.pieceLength {
                defer { next += 1 }
                guard !header.fields[next].isOwnTrace else { continue }
                let event = header.fields[next].event(in: bytes)
                if case .header(let name, let value) = event { octets += name.count + value.count + 16 }
                told.append(event)
            }
        }
        return (told, next)
    }

    var bodyLength: Int { replacement?.count ?? original.count - header.bodyStart }

    /// - Parameter offset: from the body's start.
    func bodyPiece(at offset: Int) throws(MilterError) -> [UInt8] {
        let source = replacement ?? original
        let start = (replacement == nil ? header.bodyStart : 0) + offset
        return try source.read(start..<min(source.count, start + Self.pieceLength))
    }

    private func read(_ body: (Span<UInt8>) -> Void) throws(MilterError) {
        do { try original.withBytes(body) } catch { throw .storage("\(error)") }
    }
}

extension FilteredHeader.Field {
    func event(in message: Span<UInt8>) -> MilterEvent {
        switch content {
        case .original(let field):
            .header(name: message.copy(field.nameRange), value: message.copy(field.valueRange))
        case .written(let line, let length):
            .header(name: Array(line[..<length]), value: Array(line[(length + 1)...].dropLast(2)))
        }
    }
}

extension StagedBody {
    fileprivate func read(_ range: Range<Int>) throws(MilterError) -> [UInt8] {
        do { return try withBytes { $0.copy(range) } } catch { throw .storage("\(error)") }
    }
}

extension Span<UInt8> {
    fileprivate func copy(_ range: Range<Int>) -> [UInt8] {
        extracting(range).withUnsafeBufferPointer { Array($0) }
    }
}

// Writing what filters have made of a message

extension FilteredContent {
    private enum Piece {
        case original(Range<Int>)
        case octets([UInt8])
    }

    /// The whole message anew, as it is to go on. Memory holds one piece at a time.
    func write(to writer: any BodyWriter) async throws(MilterError) -> any StagedBody {
        do {
            for piece in pieces() {
                switch piece {
                case .original(let range): try await writer.copy(range, of: original)
                case .octets(let octets): try await writer.take(octets)
                }
            }
            if let replacement { try await writer.copy(0..<replacement.count, of: replacement) }
            return try await writer.finish()
        } catch {
            throw .storage("\(error)")
        }
    }

    /// All but a replaced body.
    private func pieces() -> [Piece] {
        var (pieces, run) = ([Piece](), 0..<header.fieldsStart)
        func flush() { if !run.isEmpty { pieces.append(.original(run)) } }
        for field in header.fields {
            switch field.content {
            case .original(let field) where field.fieldRange.lowerBound == run.upperBound:
                run = run.lowerBound..<field.fieldRange.upperBound
            case .original(let field):
                flush()
                run = field.fieldRange
            case .written(let line, _):
                flush()
                run = run.upperBound..<run.upperBound
                pieces.append(.octets(line))
            }
        }
        flush()
        // Filters were told of an end of the header: where it has no blank line, it gets one.
        pieces.append(
            header.hasBlankLine || bodyLength == 0
                ? .original(header.fieldsEnd..<header.bodyStart) : .octets([0x0D, 0x0A]))
        return replacement == nil ? pieces + [.original(header.bodyStart..<original.count)] : pieces
    }
}

extension BodyWriter {
    fileprivate func copy(_ range: Range<Int>, of body: any StagedBody) async throws {
        var start = range.lowerBound
        while start < range.upperBound {
            let end = min(range.upperBound, start + FilteredContent.pieceLength)
            try body.withBytes { write($0.extracting(start..<end)) }
            if needsSpill { try await spill() }
            start = end
        }
    }

    func take(_ octets: [UInt8]) async throws {
        write(octets.span)
        if needsSpill { try await spill() }
    }
}
