import IMAPSyntax
import MailStore
import MessageFormat
import WireFraming

// BINARY and BINARY.SIZE (RFC 3516, RFC 9051 §6.4.5): a part with its transfer encoding undone. A literal begins with
// its length, so a part is decoded twice: once to be counted, and once to be written, as much as a piece holds.

/// How far a part is decoded that is being written.
struct DecodingProgress: Sendable, Equatable {
    /// Octets of the message that are still to be decoded.
    var encoded: Range<Int>
    var decoder: TransferDecoder
    /// Decoded octets that are still to be passed over, and then to be written.
    var skipped: Int
    var wanted: Int
    var hasEnded = false

    init(_ encoded: Range<Int>, _ encoding: TransferEncoding, _ window: Range<Int>) {
        self.encoded = encoded
        decoder = TransferDecoder(encoding)
        skipped = window.lowerBound
        wanted = window.count
    }

    /// Decodes a piece, which is the next of the message; what of it is wanted. An empty piece is the end.
    mutating func take(_ piece: [UInt8]) -> ArraySlice<UInt8> {
        var decoded: [UInt8] = []
        if piece.isEmpty {
            decoder.finish(&decoded)
            hasEnded = true
        } else {
            decoder.decode(piece.span, to: &decoded)
            encoded = encoded.lowerBound + piece.count..<encoded.upperBound
        }
        let rest = decoded.dropFirst(skipped)
        skipped -= decoded.count - rest.count
        let kept = rest.prefix(wanted)
        wanted -= kept.count
        return kept
    }

    var isComplete: Bool { wanted == 0 || hasEnded }
}

extension FetchPlan.Item {
    var isDecoded: Bool {
        switch kind {
        case .binary, .binarySize: true
        case .flags, .modSeq, .uid, .internalDate, .size, .saveDate, .emailID, .threadID, .envelope, .structure,
            .section,
            .preview:
            false
        }
    }
}

extension FetchRun {
    /// Before anything of the message is written: a part that cannot be decoded leaves it out.
    func checkEncodings(of message: inout FetchedMessage) throws(FetchProblem) {
        for item in plan.items {
            switch item.kind {
            case .binary(let part, _), .binarySize(let part): _ = try message.binaryContent(part)
            case .flags, .modSeq, .uid, .internalDate, .size, .saveDate, .emailID, .threadID, .envelope, .structure,
                .section,
                .preview:
                break
            }
        }
    }

    /// Writes a part decoded, or its size; where to go on, when the piece is full before its end.
    mutating func writeDecoded(
        _ item: FetchPlan.Item, of message: inout FetchedMessage, from progress: DecodingProgress?
    ) async throws(FetchProblem) -> DecodingProgress? {
        if let progress { return try await writeOn(progress, of: message) }
        let before = output.count
        do throws(FetchProblem) {
            switch item.kind {
            case .binary(let part, let partial): return try await begin(item, part, partial, of: &message)
            case .binarySize(let part): try await writeSize(item, part, of: &message)
            case .flags, .modSeq, .uid, .internalDate, .size, .saveDate, .emailID, .threadID, .envelope, .structure,
                .section,
                .preview:
                break
            }
            return nil
        } catch {
            guard error == .gone, !request.passesOverGone, case .binary = item.kind else { throw error }
            output.removeAll(from: before)
            note(.gone)
            writeNIL(item)
            return nil
        }
    }

    private mutating func begin(
        _ item: FetchPlan.Item, _ part: [UInt32], _ partial: PartialRange?, of message: inout FetchedMessage
    ) async throws(FetchProblem) -> DecodingProgress? {
        guard case .encoded(let range, let encoding) = try message.binaryContent(part) else {
            writeNIL(item)
            return nil
        }
        let (size, hasNUL, window) = try await count(range, encoding, partial, of: message)
        output.append(item.label)
        // RFC 3516 §4.3: a literal8 only where a NUL makes it necessary.
        if hasNUL { output.append(binaryLiteralOf: size) } else { output.append(literalOf: size) }
        return try await writeOn(DecodingProgress(range, encoding, window), of: message)
    }

    private mutating func writeSize(
        _ item: FetchPlan.Item, _ part: [UInt32], of message: inout FetchedMessage
    ) async throws(FetchProblem) {
        var size = 0
        if case .encoded(let range, let encoding) = try message.binaryContent(part) {
            size = encoding == .identity ? range.count : try await count(range, encoding, nil, of: message).size
        }
        output.append(item.label)
        output.append(decimal: size)
    }

    /// How many octets are to be written, and whether there is a NUL among them.
    private func count(
        _ range: Range<Int>, _ encoding: TransferEncoding, _ partial: PartialRange?, of message: FetchedMessage
    ) async throws(FetchProblem) -> (size: Int, hasNUL: Bool, window: Range<Int>) {
        let window = partial?.applied(to: 0..<Int.max) ?? 0..<Int.max
        var progress = DecodingProgress(range, encoding, window)
        var (size, hasNUL) = (0, false)
        while !progress.isComplete {
            if Task.isCancelled { throw .brokenOff }
            let octets = progress.take(try await nextPiece(progress, of: message))
            size += octets.count
            hasNUL = hasNUL || octets.contains(0)
        }
        return (size, hasNUL, window.lowerBound..<window.lowerBound + size)
    }

    private mutating func writeOn(
        _ progress: DecodingProgress, of message: FetchedMessage
    ) async throws(FetchProblem) -> DecodingProgress? {
        var progress = progress
        while !progress.isComplete {
            guard output.count < Self.ahead else { return progress }
            if Task.isCancelled { throw .brokenOff }
            output.append(progress.take(try await nextPiece(progress, of: message)))
        }
        // The announced length is not there: the body has changed under the reader.
        guard progress.wanted == 0 else { throw .brokenOff }
        return nil
    }

    private func nextPiece(
        _ progress: DecodingProgress, of message: FetchedMessage
    ) async throws(FetchProblem) -> [UInt8] {
        let range = progress.encoded.prefix(Self.range)
        guard !range.isEmpty else { return [] }
        let bytes = try await octets(range, of: message)
        guard bytes.count == range.count else { throw .unreadable }
        return bytes
    }
}
