import MailTestSupport
import Testing
import WireFraming

@Suite struct LineFramingTests {
    private func frame(_ text: String, limit: Int = 10) -> LineFrame {
        var searched = 0
        return frameLine(Array(text.utf8).span, limit: limit, searched: &searched)
    }

    @Test func verdicts() {
        #expect(frame("") == .incomplete)
        #expect(frame("abc") == .incomplete)
        #expect(frame("abc\r") == .incomplete)
        #expect(frame("abc\r\nd") == .line(length: 3, consumed: 5, endsWithCRLF: true))
        #expect(frame("abc\nd") == .line(length: 3, consumed: 4, endsWithCRLF: false))
        #expect(frame("\r\n") == .line(length: 0, consumed: 2, endsWithCRLF: true))
        #expect(frame("\n") == .line(length: 0, consumed: 1, endsWithCRLF: false))
    }

    @Test("The limit is of octets before the line end, whole or not")
    func limit() {
        #expect(frame("0123456789\r\n") == .line(length: 10, consumed: 12, endsWithCRLF: true))
        #expect(frame("0123456789a\r\n") == .tooLong)
        #expect(frame("0123456789a\n") == .tooLong)
        #expect(frame("0123456789a") == .incomplete)
        #expect(frame("0123456789ab") == .tooLong)
    }

    @Test("Dribbled bytes give the same frame, and none is looked at twice")
    func drip() {
        let bytes = Array("hello\r\n".utf8)
        var searched = 0
        for count in 0..<bytes.count {
            #expect(frameLine(Array(bytes[..<count]).span, limit: 10, searched: &searched) == .incomplete)
            #expect(searched == count)
        }
        #expect(
            frameLine(bytes.span, limit: 10, searched: &searched) == .line(length: 5, consumed: 7, endsWithCRLF: true))
    }
}

@Suite struct ByteCursorTests {
    private func number(_ text: String, upTo limit: UInt64) -> UInt64? {
        let bytes = Array(text.utf8)
        var cursor = ByteCursor(bytes.span)
        return cursor.number(upTo: limit)
    }

    @Test("Numbers end at their limit, whatever their length")
    func numbers() {
        #expect(number("4294967295", upTo: 0xFFFF_FFFF) == 0xFFFF_FFFF)
        #expect(number("4294967296", upTo: 0xFFFF_FFFF) == nil)
        #expect(number("0007", upTo: 9) == 7)
        #expect(number("", upTo: 9) == nil)
        #expect(number("x", upTo: 9) == nil)
        #expect(number("18446744073709551615", upTo: .max) == .max)
        #expect(number("18446744073709551616", upTo: .max) == nil)
        #expect(number(String(repeating: "9", count: 100_000), upTo: .max) == nil)
    }

    @Test func words() {
        let bytes = Array("noOp x".utf8)
        var cursor = ByteCursor(bytes.span)
        let (wrong, right) = (cursor.take(word: "NOOPS"), cursor.take(word: "NOOP"))
        let (space, rest, beyond) = (cursor.take(0x20), cursor.text(cursor.position..<6), cursor.peek(ahead: 1))
        #expect(!wrong)
        #expect(right)
        #expect(space)
        #expect(rest == "x")
        #expect(beyond == nil)
    }

    @Test("Decimal output is what String gives", arguments: [0, 7, 9, 10, 99, 100, 4_294_967_295, UInt64.max])
    func decimal(_ value: UInt64) {
        var output = OutputBuffer()
        output.append(decimal: value)
        #expect(output.text == String(value))
    }
}
