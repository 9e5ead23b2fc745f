import WireFraming

/// `MAIL FROM`, with the parameters of the extensions offered.
package struct MailCommand: Sendable, Hashable {
    package enum Body: String, Sendable, Hashable {
        case sevenBit = "7BIT"
        case eightBitMIME = "8BITMIME"
    }

    package var reversePath: ReversePath
    /// Octets; RFC 1870 §3. 2⁶³ and more are read as 2⁶³: larger than any limit.
    package var declaredSize: UInt64?
    /// RFC 6152 §3.
    package var body: Body?
    /// RFC 6531 §3.4.
    package var isInternationalized = false

    // mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF         RFC 5321 §4.1.1.2
    /// From what follows `MAIL` and a space.
    package init(parsing arguments: Span<UInt8>) throws(SMTPSyntaxError) {
        var cursor = ByteCursor(arguments)
        guard cursor.take(word: "FROM:") else { throw .badArgument }
        // RFC 5321 §3.3 allows no space here; many clients send one.
        _ = cursor.take { $0 == 0x20 }
        reversePath = try cursor.reversePath()
        for parameter in try cursor.esmtpParameters() { try take(parameter) }
        guard isInternationalized || reversePath.isASCII else { throw .needsSMTPUTF8 }
    }

    private mutating func take(_ parameter: ESMTPParameter) throws(SMTPSyntaxError) {
        switch parameter.keyword {
        case "SIZE":
            declaredSize = try MailCommand.size(parameter.value)
        case "BODY":
            guard let value = parameter.value,
                let body = Body(rawValue: String(decoding: value, as: UTF8.self).asciiUppercased())
            else { throw .badParameter }
            self.body = body
        case "SMTPUTF8":
            guard parameter.value == nil else { throw .badParameter }
            isInternationalized = true
        case "AUTH":
            try MailCommand.checkAuth(parameter.value)
        case _:
            throw .unknownParameter
        }
    }

    // size-value ::= 1*20DIGIT         RFC 1870 §3
    private static func size(_ value: [UInt8]?) throws(SMTPSyntaxError) -> UInt64 {
        guard let value, (1...20).contains(value.count), value.allSatisfy(isDigit) else { throw .badParameter }
        var cursor = ByteCursor(value.span)
        return cursor.number(upTo: UInt64(Int64.max)) ?? UInt64(Int64.max)
    }

    /// `AUTH=<>` or a mailbox in xtext (RFC 4954 §5). It is checked and dropped: the session's own login is what is
    /// recorded.
    private static func checkAuth(_ value: [UInt8]?) throws(SMTPSyntaxError) {
        guard let value, let decoded = XText.decode(value) else { throw .badParameter }
        if decoded == Array("<>".utf8) { return }
        var cursor = ByteCursor(decoded.span)
        guard (try? cursor.smtpMailbox()) != nil, cursor.isAtEnd else { throw .badParameter }
    }
}

/// `RCPT TO`. No extension offered defines a parameter for it.
package struct RcptCommand: Sendable, Hashable {
    package var forwardPath: ForwardPath

    // rcpt = "RCPT TO:" Forward-path [SP Rcpt-parameters] CRLF         RFC 5321 §4.1.1.3
    /// From what follows `RCPT` and a space.
    package init(parsing arguments: Span<UInt8>) throws(SMTPSyntaxError) {
        var cursor = ByteCursor(arguments)
        guard cursor.take(word: "TO:") else { throw .badArgument }
        _ = cursor.take { $0 == 0x20 }
        forwardPath = try cursor.forwardPath()
        guard try cursor.esmtpParameters().isEmpty else { throw .unknownParameter }
    }
}

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
