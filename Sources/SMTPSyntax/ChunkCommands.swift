import WireFraming

/// `BDAT` (RFC 3030 §2).
package struct BdatCommand: Sendable, Hashable {
    /// Octets that follow the command's line.
    package var size: Int
    package var isLast: Bool

    // bdat-cmd   ::= "BDAT" SP chunk-size [ SP end-marker ] CR LF
    // chunk-size ::= 1*DIGIT         end-marker ::= "LAST"
    /// From what follows `BDAT` and a space. A size beyond what a number holds is refused: nobody can tell where the
    /// next command is.
    package init(parsing arguments: Span<UInt8>) throws(SMTPSyntaxError) {
        var cursor = ByteCursor(arguments)
        guard let size = cursor.number(upTo: UInt64(Int32.max)) else { throw .badArgument }
        self.size = Int(size)
        isLast = try cursor.endMarker()
    }
}

/// `BURL` (RFC 4468 §3.1).
package struct BurlCommand: Sendable, Hashable {
    package var url: String
    package var isLast: Bool

    // burl-cmd   = "BURL" SP absolute-URI [SP end-marker] CRLF
    // end-marker = "LAST"
    /// From what follows `BURL` and a space. What the URL names is not this grammar's business.
    package init(parsing arguments: Span<UInt8>) throws(SMTPSyntaxError) {
        var cursor = ByteCursor(arguments)
        let range = cursor.take { $0 > 0x20 && $0 < 0x7F }
        guard !range.isEmpty else { throw .badArgument }
        url = cursor.text(range)
        isLast = try cursor.endMarker()
    }
}

extension ByteCursor {
    @_lifetime(self: copy self)
    fileprivate mutating func endMarker() throws(SMTPSyntaxError) -> Bool {
        let hasSpace = !take(while: { $0 == 0x20 }).isEmpty
        if isAtEnd { return false }
        guard hasSpace, take(word: "LAST") else { throw .badArgument }
        _ = take { $0 == 0x20 }
        guard isAtEnd else { throw .badArgument }
        return true
    }
}
