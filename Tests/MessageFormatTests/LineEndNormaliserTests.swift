import MessageFormat
import Testing

@Suite("Line ends")
struct LineEndNormaliserTests {
    private func normalise(_ pieces: [[UInt8]]) -> (output: String, hasNUL: Bool, hasChanged: Bool) {
        var normaliser = LineEndNormaliser()
        var output: [UInt8] = []
        for piece in pieces { normaliser.append(piece.span, to: &output) }
        normaliser.finish()
        return (String(decoding: output, as: UTF8.self), normaliser.hasNUL, normaliser.hasChanged)
    }

    @Test(
        "All become CRLF, wherever the pieces are cut",
        arguments: [
            ("", ""), ("a\r\nb\r\n", "a\r\nb\r\n"), ("a\nb", "a\r\nb"), ("a\rb", "a\r\nb"), ("a\r", "a\r\n"),
            ("\r\r\n", "\r\n\r\n"), ("\n\r", "\r\n\r\n"), ("\n\n", "\r\n\r\n"), ("a\r\tb", "a\r\n\tb"),
            ("\r\n\r\n.\r\n", "\r\n\r\n.\r\n"), ("a\r\0\n", "a\r\n\0\r\n"),
        ])
    func everyCut(input: String, expected: String) {
        let bytes = octets(input)
        for cut in 0...bytes.count {
            let result = normalise([Array(bytes[..<cut]), Array(bytes[cut...])])
            #expect(result.output == expected)
            #expect(result.hasChanged == (input != expected))
            #expect(result.hasNUL == input.contains("\0"))
        }
        #expect(normalise(bytes.map { [$0] }).output == expected)
    }
}
