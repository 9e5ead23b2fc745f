import WireFraming

/// `AUTH` (RFC 4954 §4).
package struct AuthCommand: Sendable, Hashable {
    package enum InitialResponse: Sendable, Hashable {
        case none
        /// `=`: present and of no octets.
        case empty
        /// Still in base64.
        case encoded(Range<Int>)
    }

    package var mechanism: String
    /// Ranges are within the arguments.
    package var initialResponse: InitialResponse

    // auth-command = "AUTH" SP sasl-mech [SP initial-response] *CRLF [base64] …
    // initial-response = base64 / "="         sasl-mech = 1*20( UPPER / DIGIT / "-" / "_" ), in any case here
    package init(parsing arguments: Span<UInt8>) throws(SMTPSyntaxError) {
        var cursor = ByteCursor(arguments)
        let name = cursor.take { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
        guard (1...20).contains(name.count) else { throw .badArgument }
        mechanism = cursor.text(name)
        initialResponse = .none
        if cursor.isAtEnd { return }
        guard cursor.take(0x20) else { throw .badArgument }
        let response = cursor.take { $0 > 0x20 && $0 < 0x7F }
        guard cursor.isAtEnd, !response.isEmpty else { throw .badArgument }
        let isEquals = response.count == 1 && arguments[response.lowerBound] == UInt8(ascii: "=")
        initialResponse = isEquals ? .empty : .encoded(response)
    }
}
