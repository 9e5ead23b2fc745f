import MailTestSupport
import SMTPSyntax
import Testing

/// What a decoder made of a stream.
private struct Decoded: Equatable {
    var message: [UInt8] = []
    var defect: MessageDataDecoder.Defect?
    /// Octets behind the end; nil when the end did not come.
    var rest: [UInt8]?
}

/// Feeds the stream in pieces that end at `cuts`.
private func decode(_ stream: [UInt8], cuts: [Int] = []) -> Decoded {
    var decoder = MessageDataDecoder()
    var result = Decoded()
    var start = 0
    for end in cuts + [stream.count] {
        let piece = Array(stream[start..<end])
        var position = 0
        feeding: while true {
            switch decoder.next(piece.span, position: &position) {
            case .run(let range): result.message += piece[range]
            case .lineEnd: result.message += [0x0D, 0x0A]
            case .needInput: break feeding
            case .end:
                result.rest = Array(stream[(start + position)...])
                result.defect = decoder.defect
                return withoutBytesIfDefective(result)
            }
        }
        start = end
    }
    result.defect = decoder.defect
    return withoutBytesIfDefective(result)
}

/// The pieces of a defective message are only counted, so only their defect is compared.
private func withoutBytesIfDefective(_ decoded: Decoded) -> Decoded {
    decoded.defect == nil ? decoded : Decoded(defect: decoded.defect, rest: decoded.rest)
}

/// RFC 5321 §4.5.2 written down another way: split at CRLF, undo stuffing, stop at a line that is a dot.
private func reference(_ stream: [UInt8]) -> Decoded {
    var result = Decoded()
    var lines: [[UInt8]] = []
    var line: [UInt8] = []
    var index = 0
    while index < stream.count {
        if stream[index] == 0x0D, index + 1 < stream.count, stream[index + 1] == 0x0A {
            index += 2
            if line == [0x2E] {
                result.rest = Array(stream[index...])
                break
            }
            lines.append(line)
            line = []
        } else {
            line.append(stream[index])
            index += 1
        }
    }
    // Without the end only whole lines are compared.
    for line in lines {
        for byte in line where result.defect == nil {
            result.defect = byte == 0x0D ? .bareCR : byte == 0x0A ? .bareLF : byte == 0 ? .nul : nil
        }
        result.message += (line.first == 0x2E ? line.dropFirst() : line[...]) + [0x0D, 0x0A]
    }
    return result.defect == nil ? result : Decoded(defect: result.defect, rest: result.rest)
}

@Suite("Message data")
struct DecoderTests {
    @Test(
        "Stuffed dots are undone",
        arguments: [
            (".\r\n", ""), ("a\r\n.\r\n", "a\r\n"), ("..\r\n.\r\n", ".\r\n"), (".a\r\n.\r\n", "a\r\n"),
            ("...\r\n.\r\n", "..\r\n"), ("a.\r\n.\r\n", "a.\r\n"), ("\r\n\r\n.\r\n", "\r\n\r\n"),
            ("a\r\n..b\r\n. \r\n.\r\n", "a\r\n.b\r\n \r\n"),
        ])
    func unstuffing(_ stream: String, _ message: String) {
        let expected = Decoded(message: Array(message.utf8), rest: Array("NOOP".utf8))
        let bytes = Array((stream + "NOOP").utf8)
        for cut in 0...bytes.count { #expect(decode(bytes, cuts: [cut]) == expected) }
        #expect(decode(bytes, cuts: Array(1..<bytes.count)) == expected)
    }

    /// Every sequence of up to six of these between two lines: 19,530 forged ends, cut everywhere.
    @Test("Only CRLF dot CRLF ends a message, whatever stands where")
    func smugglingMatrix() {
        let symbols: [UInt8] = [0x0D, 0x0A, 0x2E, 0x00, UInt8(ascii: "x")]
        var sequences: [[UInt8]] = [[]]
        var level: [[UInt8]] = [[]]
        for _ in 0..<6 {
            level = level.flatMap { sequence in symbols.map { sequence + [$0] } }
            sequences += level
        }
        let tail = Array("MAIL FROM:<eve@example.org>\r\n.\r\n".utf8)
        var wrong: [[UInt8]] = []
        for sequence in sequences {
            let stream = [UInt8(ascii: "a")] + sequence + tail
            let expected = reference(stream)
            let whole = decode(stream)
            let dripped = decode(stream, cuts: Array(1..<stream.count))
            if whole != expected || dripped != expected { wrong.append(sequence) }
        }
        #expect(wrong.isEmpty, "\(wrong.prefix(5))")
        #expect(sequences.count == 19_531)
    }

    @Test("A long message, cut at random, is the same message")
    func randomCuts() {
        var generator = SeededGenerator(seed: 2821)
        let alphabet = Array("ab.\r\n.\r\n".utf8)
        for _ in 0..<3000 {
            var stream = generator.bytes(upTo: 60, from: alphabet)
            if Bool.random(using: &generator) { stream += Array("\r\n.\r\nQUIT".utf8) }
            let cuts = (0..<3).map { _ in Int.random(in: 0...stream.count, using: &generator) }.sorted()
            let expected = reference(stream)
            guard expected.rest != nil else { continue }
            #expect(decode(stream, cuts: cuts) == expected)
        }
    }

    @Test("A line may be long, not endless")
    func longLines() {
        let limit = MessageDataDecoder.maximumLineLength
        func stream(_ length: Int) -> [UInt8] {
            [UInt8](repeating: UInt8(ascii: "x"), count: length) + Array("\r\n.\r\n".utf8)
        }
        #expect(decode(stream(998)).defect == nil)
        #expect(decode(stream(limit)).defect == nil)
        #expect(decode(stream(limit + 1)).defect == .lineTooLong)
        #expect(decode(stream(limit + 1), cuts: Array(stride(from: 1000, to: limit, by: 1000))).defect == .lineTooLong)
        #expect(decode(stream(limit) + stream(limit)).defect == nil)
    }
}
