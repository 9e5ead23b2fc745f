import Foundation
import MailTestSupport
import MessageFormat
import Testing

/// Messages as nobody should write them, and some do: each is read in one way, always the same, and nothing of it lies
/// outside of it.
@Suite("Malformed messages")
struct MalformedMessageTests {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Samples/mime")

    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".eml") }.sorted()
    }()

    /// With LF and with CRLF.
    private func forms(_ name: String) throws -> [[UInt8]] {
        let text = Array(try Data(contentsOf: Self.folder.appending(path: name)))
        return [text, text.flatMap { $0 == 0x0A ? [0x0D, 0x0A] : [$0] }]
    }

    @Test("There are samples") func areThere() { #expect(Self.names.count >= 20) }

    @Test("Each is read the same every time, and comes back from its stored form", arguments: names)
    func stable(_ name: String) throws {
        for bytes in try forms(name) {
            let summary = MessageSummary(parsing: bytes.span)
            check(summary, bytes)
            #expect(MessageSummary(parsing: bytes.span) == summary)
            let encoded = summary.encoded()
            #expect(MessageSummary(encoded: encoded.span) == summary)
        }
    }

    @Test("LF and CRLF make no difference to what it is", arguments: names)
    func lineEnds(_ name: String) throws {
        let shapes = try forms(name).map { bytes in
            shape(MessageSummary(parsing: bytes.span).structure)
        }
        #expect(shapes[0] == shapes[1])
    }

    @Test("Cut off anywhere, with octets changed, it is still read", arguments: names)
    func damaged(_ name: String) throws {
        var random = SeededGenerator(state: 17)
        for bytes in try forms(name) {
            for length in 0...bytes.count {
                let cut = Array(bytes[..<length])
                check(MessageSummary(parsing: cut.span), cut)
            }
            for _ in 0..<200 where !bytes.isEmpty {
                var changed = bytes
                for _ in 0..<Int.random(in: 1...4, using: &random) {
                    changed[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
                }
                check(MessageSummary(parsing: changed.span), changed)
            }
        }
    }

    private func check(_ summary: MessageSummary, _ bytes: [UInt8]) {
        var parts = 0
        check(summary.structure, within: 0..<bytes.count, bytes, &parts)
        #expect(parts <= MessageLimits.parts)
        let preview = String(decoding: summary.preview, as: UTF8.self)
        #expect(preview.unicodeScalars.count <= MessageLimits.preview && !preview.contains("\n"))
        #expect(Array(preview.utf8) == summary.preview)
    }

    private func check(_ part: BodyPart, within outer: Range<Int>, _ bytes: [UInt8], _ parts: inout Int) {
        parts += 1
        #expect(part.headerRange.lowerBound >= outer.lowerBound && part.bodyRange.upperBound <= outer.upperBound)
        #expect(part.headerRange.upperBound <= part.bodyRange.lowerBound)
        if let encoding = TransferEncoding(part.encoding) {
            let decoded = encoding.decode(bytes.span.extracting(part.bodyRange))
            #expect(decoded.count <= part.bodyRange.count)
        }
        switch part.kind {
        case .single, .text: break
        case .message(_, let inner): check(inner, within: part.bodyRange, bytes, &parts)
        case .multipart(let children):
            #expect(!children.isEmpty)
            for child in children { check(child, within: part.bodyRange, bytes, &parts) }
        }
    }

    /// Types and children, without places.
    private func shape(_ part: BodyPart) -> String {
        let type = String(decoding: part.type + [UInt8(ascii: "/")] + part.subtype, as: UTF8.self)
        return switch part.kind {
        case .single, .text: type
        case .message(_, let inner): "\(type)[\(shape(inner))]"
        case .multipart(let children): "\(type)(\(children.map { shape($0) }.joined(separator: " ")))"
        }
    }
}
