import MessageFormat
import Testing

@Suite("Header fields")
struct HeaderFieldsTests {
    static let header = message(
        "From: a@x\nSubject: one\n two\nX-Empty:\nTO : b@y\nSubject: again\n\n")

    @Test("Fields one by one, folded as they are")
    func iteration() {
        var fields = HeaderFields(Self.header.span)
        var found: [String] = []
        while let field = fields.next() {
            let parts = [field.nameRange, field.valueRange, field.fieldRange].map {
                String(decoding: Self.header[$0], as: UTF8.self)
            }
            found.append(parts[0] + "|" + parts[1])
            #expect(parts[2].hasPrefix(parts[0]) && parts[2].hasSuffix(parts[1] + "\r\n"))
        }
        #expect(found == ["From| a@x", "Subject| one\r\n two", "X-Empty|", "TO| b@y", "Subject| again"])
        let (hasBlankLine, end) = (fields.hasBlankLine, fields.position)
        #expect(hasBlankLine)
        #expect(end == Self.header.count)
    }

    @Test("HEADER.FIELDS and HEADER.FIELDS.NOT (RFC 9051 §6.4.5.1)")
    func selection() {
        func select(_ names: [String], excluding: Bool) -> String? {
            text(selectHeaderFields(from: Self.header.span, names: names.map(octets), excluding: excluding))
        }
        #expect(
            select(["SUBJECT", "to"], excluding: false)
                == "Subject: one\r\n two\r\nTO : b@y\r\nSubject: again\r\n\r\n")
        #expect(select(["subject", "TO"], excluding: true) == "From: a@x\r\nX-Empty:\r\n\r\n")
        #expect(select(["Sub", "X-None"], excluding: false) == "\r\n")
        #expect(select([], excluding: true) == text(Self.header))
    }

    @Test("The blank line is left out only where message has no body and no blank line")
    func blankLine() {
        let bare = octets("A: b\r\nC: d")
        func select(bodyIsEmpty: Bool) -> String? {
            text(selectHeaderFields(from: bare.span, names: [octets("c")], excluding: false, bodyIsEmpty: bodyIsEmpty))
        }
        #expect(select(bodyIsEmpty: true) == "C: d\r\n")
        #expect(select(bodyIsEmpty: false) == "C: d\r\n\r\n")
    }

    @Test("Looking a field up gives the first, unfolded")
    func lookup() {
        #expect(text(headerValue(octets("sUBJECT"), in: Self.header.span)) == "one two")
        #expect(text(headerValue(octets("x-empty"), in: Self.header.span)) == "")
        #expect(headerValue(octets("X"), in: Self.header.span) == nil)
    }

    @Test("Every way a header can be cut off gives fields inside it")
    func truncated() {
        for length in 0...Self.header.count {
            let cut = Array(Self.header[..<length])
            var fields = HeaderFields(cut.span)
            while let field = fields.next() { #expect(field.fieldRange.upperBound <= length) }
            let end = fields.position
            #expect(end <= length)
        }
    }
}
