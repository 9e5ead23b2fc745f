import WireFraming

/// `RCPT TO`, with the parameters of the extensions offered.
package struct RcptCommand: Sendable, Hashable {
    package var forwardPath: ForwardPath
    /// ORCPT with its address type, decoded: `rfc822;user@example.net` (RFC 3461 §4.2).
    package var original: String?
    /// NOTIFY (RFC 3461 §4.1); nil when it was not said.
    package var notifications: NotificationConditions?

    // rcpt = "RCPT TO:" Forward-path [SP Rcpt-parameters] CRLF         RFC 5321 §4.1.1.3
    /// From what follows `RCPT` and a space. A parameter of an extension that is not offered is unknown.
    package init(parsing arguments: Span<UInt8>, _ offered: SMTPExtensions = []) throws(SMTPSyntaxError) {
        var cursor = ByteCursor(arguments)
        guard cursor.take(word: "TO:") else { throw .badArgument }
        _ = cursor.take { $0 == 0x20 }
        forwardPath = try cursor.forwardPath()
        for parameter in try cursor.esmtpParameters() {
            guard offered.contains(.notifications) else { throw .unknownParameter }
            switch parameter.keyword {
            case "NOTIFY": notifications = try RcptCommand.notifications(parameter.value)
            case "ORCPT": original = try RcptCommand.original(parameter.value)
            case _: throw .unknownParameter
            }
        }
    }

    // notify-esmtp-value = "NEVER" / 1#notify-list-element
    // notify-list-element = "SUCCESS" / "FAILURE" / "DELAY"         RFC 3461 §4.1
    private static func notifications(_ value: [UInt8]?) throws(SMTPSyntaxError) -> NotificationConditions {
        guard let value else { throw .badParameter }
        let text = String(decoding: value, as: UTF8.self).asciiUppercased()
        if text == "NEVER" { return [] }
        var found: NotificationConditions = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            switch word {
            case "SUCCESS": found.insert(.success)
            case "FAILURE": found.insert(.failure)
            case "DELAY": found.insert(.delay)
            case _: throw .badParameter
            }
        }
        return found
    }

    // orcpt-parameter = "ORCPT=" original-recipient-address
    // original-recipient-address = addr-type ";" xtext         addr-type = atom         RFC 3461 §4.2
    /// At most 500 characters, printable when decoded: a notice repeats it. Of type `utf-8` (RFC 6533 §3) it may hold
    /// characters beyond ASCII, in themselves or as `\x{HEX}`, which stays.
    private static func original(_ value: [UInt8]?) throws(SMTPSyntaxError) -> String {
        guard let value, value.count <= 500, let semicolon = value.firstIndex(of: UInt8(ascii: ";")) else {
            throw .badParameter
        }
        let type = value[..<semicolon]
        guard !type.isEmpty, type.allSatisfy({ isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }) else {
            throw .badParameter
        }
        let name = String(decoding: type, as: UTF8.self)
        let rest = Array(value[(semicolon + 1)...])
        if name.asciiUppercased() == "UTF-8", let text = String(validating: rest, as: UTF8.self), !rest.isEmpty {
            return "\(name);\(text)"
        }
        guard let decoded = XText.decode(rest), !decoded.isEmpty, XText.isPrintable(decoded) else {
            throw .badParameter
        }
        return "\(name);" + String(decoding: decoded, as: UTF8.self)
    }
}
