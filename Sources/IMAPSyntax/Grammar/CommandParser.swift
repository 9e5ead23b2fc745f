package import WireFraming

/// Reads one whole command, literals and all, without its final CRLF. Productions are methods, one beside each
/// command or area of the grammar; each stands at its first octet when called and behind its last when it returns.
package struct CommandParser: ~Escapable {
    package var cursor: ByteCursor
    let encoding: MailboxEncoding
    /// How far NOT, OR and parentheses go within each other at this place.
    var depth = 0
    var normalised: [NormalisedName] = []

    @_lifetime(copy bytes)
    package init(_ bytes: Span<UInt8>, _ encoding: MailboxEncoding) {
        cursor = ByteCursor(bytes)
        self.encoding = encoding
    }

    /// The command; what is thrown carries the tag if there was one.
    package static func parse(_ bytes: Span<UInt8>, _ encoding: MailboxEncoding) throws(SyntaxError) -> IMAPCommand {
        var parser = CommandParser(bytes, encoding)
        let tag = try parser.tag()
        do throws(SyntaxError) {
            try parser.space()
            let request = try parser.request()
            try parser.end()
            return IMAPCommand(tag: tag, request: request, normalised: parser.normalised)
        } catch {
            var error = error
            error.tag = tag
            throw error
        }
    }

    // tag = 1*<any ASTRING-CHAR except "+">
    mutating func tag() throws(SyntaxError) -> String {
        let range = cursor.take(while: CharacterClass.isTag)
        guard !range.isEmpty, range.count <= IMAPLimits.tag, cursor.isAtEnd || cursor.peek == UInt8(ascii: " ") else {
            throw SyntaxError("A command begins with a tag and a space")
        }
        return cursor.text(range)
    }

    /// In upper case.
    mutating func commandName() throws(SyntaxError) -> String {
        let name = try word("a command's name")
        guard cursor.isAtEnd || cursor.peek == UInt8(ascii: " ") else { throw SyntaxError("Expected a command's name") }
        return name
    }

    // Small pieces

    mutating func space() throws(SyntaxError) {
        guard cursor.take(UInt8(ascii: " ")) else {
            throw SyntaxError(cursor.isAtEnd ? "Something is missing at the end" : "A single space is missing")
        }
    }

    mutating func end() throws(SyntaxError) {
        guard cursor.isAtEnd else { throw SyntaxError("The command is followed by something that is no part of it") }
    }

    mutating func expect(_ byte: UInt8) throws(SyntaxError) {
        guard cursor.take(byte) else {
            throw SyntaxError("'\(String(UnicodeScalar(byte)))' is missing")
        }
    }

    // atom = 1*ATOM-CHAR
    mutating func atom(_ what: StaticString) throws(SyntaxError) -> String {
        let range = cursor.take(while: CharacterClass.isAtom)
        guard !range.isEmpty else { throw SyntaxError("Expected \(what)") }
        return cursor.text(range)
    }

    /// An atom in upper case that is a word of the protocol: none is longer than 64 octets.
    mutating func word(_ what: StaticString) throws(SyntaxError) -> String {
        let range = cursor.take { CharacterClass.isAtom($0) && $0 != UInt8(ascii: "[") }
        guard !range.isEmpty, range.count <= 64 else { throw SyntaxError("Expected \(what)") }
        return cursor.text(range).uppercased()
    }

    // number64 = 1*DIGIT          (0 <= n <= 9,223,372,036,854,775,807)
    mutating func number(_ what: StaticString) throws(SyntaxError) -> UInt64 {
        guard let value = cursor.number(upTo: UInt64(Int64.max)) else { throw SyntaxError("Expected \(what)") }
        return value
    }

    // nz-number = digit-nz *DIGIT          (0 < n < 4,294,967,296)
    mutating func nonzero(_ what: StaticString) throws(SyntaxError) -> UInt32 {
        guard cursor.peek != UInt8(ascii: "0"), let value = cursor.number(upTo: UInt64(UInt32.max)) else {
            throw SyntaxError("Expected \(what), from 1 to 4294967295")
        }
        return UInt32(truncatingIfNeeded: value)
    }

    // "(" [element *(SP element)] ")"
    mutating func list<Element>(
        _ what: StaticString, limit: Int, mayBeEmpty: Bool = false,
        _ element: (inout CommandParser) throws(SyntaxError) -> Element
    ) throws(SyntaxError) -> [Element] {
        guard cursor.take(UInt8(ascii: "(")) else { throw SyntaxError("Expected a list of \(what) in parentheses") }
        if mayBeEmpty, cursor.take(UInt8(ascii: ")")) { return [] }
        var elements: [Element] = []
        repeat {
            guard elements.count < limit else { throw SyntaxError("More than \(limit) \(what)", code: .limit) }
            elements.append(try element(&self))
        } while cursor.take(UInt8(ascii: " "))
        guard cursor.take(UInt8(ascii: ")")) else { throw SyntaxError("The list of \(what) does not end as it should") }
        return elements
    }

    /// Runs a production one level deeper.
    mutating func nested<Result>(
        _ body: (inout CommandParser) throws(SyntaxError) -> Result
    ) throws(SyntaxError) -> Result {
        guard depth < IMAPLimits.nesting else { throw SyntaxError("Nested too deeply", code: .limit) }
        depth += 1
        let result = try body(&self)
        depth -= 1
        return result
    }
}
