import MailVocabulary
package import WireFraming

/// What a body is, for `BODY` (RFC 6152, RFC 3030).
package enum BodyKind: Sendable, Hashable {
    case sevenBit
    case eightBit
    case binary
}

/// An address, or a name, has octets that would make another command of it. Nothing is written then.
package struct UnsendableArgument: Error, Sendable, Hashable {
    package init() {}
}

/// Writes a client's commands. Parameters go to servers that offer them and to no others; whether a message may go
/// without one of them is for the caller to know.
package enum CommandWriter {
    /// `MAIL FROM` with its parameters.
    package struct MailParameters: Sendable, Hashable {
        /// Octets (RFC 1870 §3); nil when they are not known.
        package var size: Int?
        package var body: BodyKind
        /// SMTPUTF8 (RFC 6531 §3.4).
        package var isInternationalized: Bool
        /// `AUTH=<>` (RFC 4954 §5): who submitted it is not told.
        package var hidesSubmitter: Bool
        /// Seconds since 1970, for what is left of a deadline.
        package var now: Int64

        package init(
            size: Int?, body: BodyKind, isInternationalized: Bool = false, hidesSubmitter: Bool = false, now: Int64 = 0
        ) {
            self.size = size
            self.body = body
            self.isInternationalized = isInternationalized
            self.hidesSubmitter = hidesSubmitter
            self.now = now
        }
    }

    // mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF         RFC 5321 §4.1.1.2
    package static func mail(
        _ envelope: SMTPEnvelope, _ parameters: MailParameters, _ features: ServerFeatures,
        to output: inout OutputBuffer
    ) throws(UnsendableArgument) {
        let path = envelope.reversePath.text
        try check(path, isInternationalized: parameters.isInternationalized)
        var line = "MAIL FROM:\(path)"
        if features.offers(.size), let size = parameters.size { line += " SIZE=\(size)" }
        line += body(parameters.body, features)
        if parameters.isInternationalized { line += " SMTPUTF8" }
        if parameters.hidesSubmitter, features.offers(.auth) { line += " AUTH=<>" }
        if features.offers(.dsn) {
            if let returned = envelope.returned { line += " RET=\(returned.rawValue)" }
            if let identifier = envelope.identifier { line += " ENVID=\(XText.encode(identifier.utf8))" }
        }
        if envelope.requiresTLS, features.offers(.requireTLS) { line += " REQUIRETLS" }
        if envelope.priority != 0, features.offers(.priority) { line += " MT-PRIORITY=\(envelope.priority)" }
        if let deadline = envelope.deadline, features.offers(.deliverBy) {
            line += deliverBy(deadline, now: parameters.now)
        }
        output.appendLine(line)
    }

    private static func body(_ kind: BodyKind, _ features: ServerFeatures) -> String {
        switch kind {
        case .binary: " BODY=BINARYMIME"
        case .eightBit: features.offers(.eightBitMIME) ? " BODY=8BITMIME" : ""
        // It says nothing that is not so without it.
        case .sevenBit: ""
        }
    }

    // Deliver-by = "BY=" by-value         by-value = by-time ";" by-mode [by-trace]
    // by-time = ["-" / "+"] 1*9digit, not 0 nor below with mode R         RFC 2852 §4
    private static func deliverBy(_ deadline: DeliveryDeadline, now: Int64) -> String {
        var left = min(max(deadline.time - now, -999_999_999), 999_999_999)
        if deadline.mode == .returned { left = max(left, 1) }
        return " BY=\(left);\(deadline.mode.rawValue)\(deadline.isTraced ? "T" : "")"
    }

    // rcpt = "RCPT TO:" Forward-path [SP Rcpt-parameters] CRLF         RFC 5321 §4.1.1.3
    // NOTIFY=NEVER / NOTIFY=1#("SUCCESS" / "FAILURE" / "DELAY"), ORCPT=addr-type ";" xtext         RFC 3461 §4
    package static func rcpt(
        _ recipient: SMTPRecipient, isInternationalized: Bool, _ features: ServerFeatures,
        to output: inout OutputBuffer
    ) throws(UnsendableArgument) {
        let path = "<\(recipient.mailbox)>"
        try check(path, isInternationalized: isInternationalized)
        var line = "RCPT TO:\(path)"
        if features.offers(.dsn) {
            if let notifications = recipient.notifications { line += " NOTIFY=\(text(notifications))" }
            if let original = recipient.original, let encoded = originalRecipient(original) {
                line += " ORCPT=\(encoded)"
            }
        }
        output.appendLine(line)
    }

    private static func text(_ conditions: NotificationConditions) -> String {
        var words: [String] = []
        if conditions.contains(.success) { words.append("SUCCESS") }
        if conditions.contains(.failure) { words.append("FAILURE") }
        if conditions.contains(.delay) { words.append("DELAY") }
        return words.isEmpty ? "NEVER" : words.joined(separator: ",")
    }

    /// Nil when it has no address type: such a parameter would be refused, and the recipient with it.
    private static func originalRecipient(_ text: String) -> String? {
        guard let semicolon = text.firstIndex(of: ";") else { return nil }
        let type = text[..<semicolon]
        guard !type.isEmpty, type.utf8.allSatisfy({ isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }) else {
            return nil
        }
        return "\(type);\(XText.encodeAddress(text[text.index(after: semicolon)...]))"
    }

    /// Neither a control character nor, without SMTPUTF8, anything but ASCII.
    private static func check(_ path: String, isInternationalized: Bool) throws(UnsendableArgument) {
        let isFit = path.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F && ($0 < 0x80 || isInternationalized) }
        guard isFit else { throw UnsendableArgument() }
    }

    /// `EHLO`, `HELO`, `LHLO` with this program's name: a domain, or an address literal with its brackets.
    package static func hello(
        _ verb: StaticString, _ name: String, to output: inout OutputBuffer
    ) throws(UnsendableArgument) {
        guard !name.isEmpty, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw UnsendableArgument() }
        output.append(verb)
        output.append(" ")
        output.appendLine(name)
    }

    // bdat-cmd ::= "BDAT" SP chunk-size [ SP end-marker ] CR LF         RFC 3030 §2
    /// The chunk that is the message's last.
    package static func lastChunk(octets: Int, to output: inout OutputBuffer) {
        output.append("BDAT ")
        output.append(decimal: max(octets, 0))
        output.append(" LAST\r\n")
    }
}

extension XText {
    // xtext = *( xchar / hexchar )         RFC 3461 §4
    package static func encode(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var result: [UInt8] = []
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "+"), UInt8(ascii: "="), 0...32, 127...255:
                result += [UInt8(ascii: "+"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            case _: result.append(byte)
            }
        }
        return String(decoding: result, as: UTF8.self)
    }

    // EmbeddedUnicodeChar = %x5C.78 "{" HEXPOINT "}"         RFC 6533 §3
    /// The same, with non-ASCII characters in the form that a server without SMTPUTF8 takes too.
    static func encodeAddress(_ text: Substring) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if scalar.isASCII {
                result += encode(CollectionOfOne(UInt8(truncatingIfNeeded: scalar.value)))
            } else {
                result += "\\x{\(String(scalar.value, radix: 16, uppercase: true))}"
            }
        }
        return result
    }
}
