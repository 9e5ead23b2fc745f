import WireFraming

// string  = quoted / literal
// astring = 1*ASTRING-CHAR / string
// nstring = string / nil          RFC 9051 §9
extension CommandParser {
    mutating func string(_ what: StaticString) throws(SyntaxError) -> [UInt8] {
        switch cursor.peek {
        case UInt8(ascii: "\""): return try quoted()
        case UInt8(ascii: "{"): return try literal()
        case _: throw SyntaxError("Expected \(what) as a string")
        }
    }

    mutating func astring(_ what: StaticString) throws(SyntaxError) -> [UInt8] {
        switch cursor.peek {
        case UInt8(ascii: "\""): return try quoted()
        case UInt8(ascii: "{"): return try literal()
        case _:
            let range = cursor.take(while: CharacterClass.isAstring)
            guard !range.isEmpty else { throw SyntaxError("Expected \(what)") }
            return cursor.array(range)
        }
    }

    /// An astring that is text for this server: UTF-8.
    mutating func textArgument(_ what: StaticString) throws(SyntaxError) -> String {
        guard let text = String(validating: try astring(what), as: UTF8.self) else {
            throw SyntaxError("Expected \(what) in UTF-8")
        }
        return text
    }

    mutating func nstring(_ what: StaticString) throws(SyntaxError) -> [UInt8]? {
        cursor.take(word: "NIL") ? nil : try string(what)
    }

    // quoted      = DQUOTE *QUOTED-CHAR DQUOTE
    // QUOTED-CHAR = <any TEXT-CHAR except quoted-specials> / "\" quoted-specials / UTF8-2 / UTF8-3 / UTF8-4
    /// Octets above 127 are let through here, as clients send them: whoever makes text of the string judges them.
    mutating func quoted() throws(SyntaxError) -> [UInt8] {
        try expect(UInt8(ascii: "\""))
        var result: [UInt8] = []
        while true {
            let plain = cursor.take(while: { byte in
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x00, 0x0A, 0x0D: false
                case _: true
                }
            })
            result += cursor.array(plain)
            if cursor.take(UInt8(ascii: "\"")) {
                // RFC 9755 §3: what is not UTF-8 is no quoted string.
                guard encoding == .modifiedUTF7 || String(validating: result, as: UTF8.self) != nil else {
                    throw SyntaxError("A quoted string is not in UTF-8")
                }
                return result
            }
            guard cursor.take(UInt8(ascii: "\\")), let next = cursor.peek,
                next == UInt8(ascii: "\"") || next == UInt8(ascii: "\\")
            else { throw SyntaxError("A quoted string does not end, or holds what it may not") }
            result.append(next)
            cursor.position += 1
        }
    }

    // literal = "{" number64 ["+"] "}" CRLF *CHAR8
    mutating func literal() throws(SyntaxError) -> [UInt8] {
        let header = try literalHeader()
        guard !header.isBinary else { throw SyntaxError("A binary literal has no place here") }
        let octets = try literalOctets(header)
        guard !octets.contains(0) else { throw SyntaxError("A literal may not hold NUL") }
        return octets
    }

    mutating func literalHeader() throws(SyntaxError) -> LiteralHeader {
        let isBinary = cursor.take(UInt8(ascii: "~"))
        try expect(UInt8(ascii: "{"))
        let count = try number("a literal's length")
        let isSynchronizing = !cursor.take(UInt8(ascii: "+"))
        guard cursor.take(UInt8(ascii: "}")), cursor.take(0x0D), cursor.take(0x0A) else {
            throw SyntaxError("A literal begins with its length in braces at a line's end")
        }
        return LiteralHeader(count: count, isSynchronizing: isSynchronizing, isBinary: isBinary)
    }

    mutating func literalOctets(_ header: LiteralHeader) throws(SyntaxError) -> [UInt8] {
        guard header.count <= UInt64(cursor.remaining) else { throw SyntaxError("A literal is cut short") }
        let start = cursor.position
        cursor.position += Int(header.count)
        return cursor.array(start..<cursor.position)
    }
}
