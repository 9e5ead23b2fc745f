import MailTestSupport
import MessageFormat
import Testing

@Suite("Transfer encodings, piece by piece")
struct TransferDecoderTests {
    private static func decode(_ encoding: TransferEncoding, _ octets: [UInt8], piece: Int) -> [UInt8] {
        var decoder = TransferDecoder(encoding)
        var result: [UInt8] = []
        for start in stride(from: 0, to: octets.count, by: piece) {
            let part = Array(octets[start..<min(start + piece, octets.count)])
            decoder.decode(part.span, to: &result)
        }
        decoder.finish(&result)
        return result
    }

    @Test(
        "However a body is cut, the same comes out",
        arguments: [
            (TransferEncoding.quotedPrintable, "a=3Db=\r\nc =  \r\nd  \r\n= x=\r =4"), (.quotedPrintable, "a="),
            (.quotedPrintable, "trail   "), (.quotedPrintable, "x\t \r\ny=E2=82=AC=\n."), (.base64, "SGVs\r\nbG8=SGk="),
            (.base64, "S G!V"), (.identity, "as\r\nit is"),
        ])
    func cuts(_ encoding: TransferEncoding, _ text: String) {
        let octets = Array(text.utf8)
        let whole = encoding.decode(octets.span)
        for piece in 1...octets.count {
            #expect(Self.decode(encoding, octets, piece: piece) == whole, "in pieces of \(piece)")
        }
    }

    @Test("Runs of blanks longer than what is held back are as they are, cut or not")
    func manyBlanks() {
        for count in [1022, 1023, 1024, 1025, 3000] {
            for head in ["x", "="] {
                let octets = Array((head + String(repeating: " ", count: count) + "\r\ny").utf8)
                let whole = TransferEncoding.quotedPrintable.decode(octets.span)
                for piece in [1, 7, 1024, 1025] {
                    #expect(Self.decode(.quotedPrintable, octets, piece: piece) == whole)
                }
            }
        }
        let short = Array(("x" + String(repeating: " ", count: 100) + "\r\ny").utf8)
        #expect(TransferEncoding.quotedPrintable.decode(short.span) == Array("x\r\ny".utf8))
    }

    @Test("Random octets come out the same in random pieces") func random() {
        var random = SeededGenerator(state: 11)
        let alphabet = Array("=\r\n \tAb3F+/".utf8)
        for _ in 0..<2000 {
            let octets = (0..<Int.random(in: 1...60, using: &random)).map { _ in
                alphabet[Int.random(in: 0..<alphabet.count, using: &random)]
            }
            let piece = Int.random(in: 1...8, using: &random)
            for encoding in [TransferEncoding.base64, .quotedPrintable] {
                #expect(Self.decode(encoding, octets, piece: piece) == encoding.decode(octets.span))
            }
        }
    }
}
