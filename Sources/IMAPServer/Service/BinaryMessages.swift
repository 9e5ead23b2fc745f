import MailStore
import MessageFormat
import SASL

// A message that came as literal8 (RFC 3516 §4.4). Without BINARY a literal has no NUL, and text has CRLF for line
// ends: so that every client can be told of it, content that has neither is kept in base64, which loses nothing. All
// else stays as it came but for line ends.

/// What a storable form of a message is made of, in order.
private enum StorablePiece {
    /// Line ends are put right.
    case text(Range<Int>)
    case inserted([UInt8])
    case encoded(Range<Int>)
}

extension IMAPService {
    /// Octets that are encoded at a time: whole lines.
    private static let encodedAtOnce = octetsOfLine * 840
    /// Octets that make a line of base64 of 76 characters (RFC 2045 §6.8).
    private static let octetsOfLine = 57

    /// The message in a form that can be kept. Throws `AppendProblem.unstorable` for a NUL outside of any content.
    func storable(_ body: any StagedBody, limit: UInt64) async throws -> any StagedBody {
        let pieces = try body.withBytes { bytes in
            bytes.isText(0..<bytes.count) ? nil : StorableMessage(bytes).pieces
        }
        guard let pieces else { return body }
        let writer = store.bodyWriter()
        var normaliser = LineEndNormaliser()
        for piece in pieces {
            switch piece {
            case .inserted(let octets): writer.write(octets.span)
            case .text(let range), .encoded(let range):
                for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.encodedAtOnce) {
                    let part = start..<min(start + Self.encodedAtOnce, range.upperBound)
                    let octets = try body.withBytes { bytes in bytes.octets(part) }
                    if case .encoded = piece {
                        writer.write(Self.encoded(octets, isFirst: start == range.lowerBound).span)
                    } else {
                        var text: [UInt8] = []
                        normaliser.append(octets.span, to: &text)
                        writer.write(text.span)
                    }
                    if writer.needsSpill { try await writer.spill() }
                }
            }
            guard UInt64(writer.count) <= limit else { throw AppendProblem.tooLarge }
        }
        guard !normaliser.hasNUL else { throw AppendProblem.unstorable }
        return try await writer.finish()
    }

    private static func encoded(_ octets: [UInt8], isFirst: Bool) -> [UInt8] {
        var lines: [UInt8] = []
        for start in stride(from: 0, to: octets.count, by: octetsOfLine) {
            if start > 0 || !isFirst { lines += [0x0D, 0x0A] }
            lines += Base64.encode(octets[start..<min(start + octetsOfLine, octets.count)])
        }
        return lines
    }
}

/// Finds the contents that have to be encoded.
private struct StorableMessage {
    private(set) var pieces: [StorablePiece] = []
    private var position = 0

    init(_ bytes: Span<UInt8>) {
        let root = MessageSummary(parsing: bytes).structure
        visit(root, isRoot: true, bytes)
        pieces.append(.text(position..<bytes.count))
    }

    private mutating func visit(_ part: BodyPart, isRoot: Bool, _ bytes: Span<UInt8>) {
        switch part.kind {
        case .multipart(let children):
            for child in children { visit(child, isRoot: false, bytes) }
        case .message(_, let inner): visit(inner, isRoot: false, bytes)
        case .single, .text:
            guard TransferEncoding(part.encoding) == .identity else { return }
            let isBinary = part.encoding == Array("BINARY".utf8)
            guard isBinary ? !bytes.isText(part.bodyRange) : bytes.holdsNUL(part.bodyRange) else {
                return
            }
            encode(part, isRoot: isRoot, bytes)
        }
    }

    private mutating func encode(_ part: BodyPart, isRoot: Bool, _ bytes: Span<UInt8>) {
        var header = HeaderFields(bytes, at: part.headerRange.lowerBound)
        var end = part.headerRange.lowerBound
        var hasVersion = false
        while let field = header.next(), field.fieldRange.upperBound <= part.headerRange.upperBound {
            let name = String(decoding: bytes.octets(field.nameRange), as: UTF8.self).lowercased()
            if name == "content-transfer-encoding" {
                pieces.append(.text(position..<field.fieldRange.lowerBound))
                position = field.fieldRange.upperBound
            }
            if name == "mime-version" { hasVersion = true }
            end = field.fieldRange.upperBound
        }
        pieces.append(.text(position..<max(position, end)))
        let version = isRoot && !hasVersion ? "MIME-Version: 1.0\r\n" : ""
        pieces.append(.inserted(Array("\(version)Content-Transfer-Encoding: base64\r\n\r\n".utf8)))
        pieces.append(.encoded(part.bodyRange))
        if part.bodyRange.upperBound == bytes.count { pieces.append(.inserted([0x0D, 0x0A])) }
        position = part.bodyRange.upperBound
    }
}

extension Span<UInt8> {
    fileprivate func octets(_ range: Range<Int>) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(range.count)
        for index in range { octets.append(self[index]) }
        return octets
    }

    fileprivate func holdsNUL(_ range: Range<Int>) -> Bool {
        for index in range where self[index] == 0 { return true }
        return false
    }

    /// Whether there is no NUL, and CR and LF only as CRLF.
    fileprivate func isText(_ range: Range<Int>) -> Bool {
        var followsCR = false
        for index in range {
            let byte = self[index]
            if byte > 0x0D {
                if followsCR { return false }
                continue
            }
            guard byte != 0, (byte == 0x0A) == followsCR else { return false }
            followsCR = byte == 0x0D
        }
        return !followsCR
    }
}
