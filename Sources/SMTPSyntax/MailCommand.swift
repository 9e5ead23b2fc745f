import MailVocabulary
import WireFraming

/// `MAIL FROM`, with the parameters of the extensions offered.
package struct MailCommand: Sendable, Hashable {
    package enum Body: String, Sendable, Hashable {
        case sevenBit = "7BIT"
        case eightBitMIME = "8BITMIME"
        /// RFC 3030 §3: sent with BDAT only.
        case binaryMIME = "BINARYMIME"
    }

    package var reversePath: ReversePath
    /// Octets; RFC 1870 §3. 2⁶³ and more are read as 2⁶³: larger than any limit.
    package var declaredSize: UInt64?
    /// RFC 6152 §3.
    package var body: Body?
    /// RFC 6531 §3.4.
    package var isInternationalized = false
    /// RET (RFC 3461 §4.3).
    package var returned: ReturnedContent?
    /// ENVID, decoded (RFC 3461 §4.4).
    package var identifier: String?
    /// RFC 8689 §4.1.
    package var requiresTLS = false
    /// RFC 4865 §5.
    package var release: FutureRelease?
    /// RFC 2852 §4.
    package var deliverBy: DeliverBy?
    /// MT-PRIORITY (RFC 6710 §4.1), -9 to 9.
    package var priority: Int?

    // mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF         RFC 5321 §4.1.1.2
    /// From what follows `MAIL` and a space. A parameter of an extension that is not offered is unknown.
    package init(
        parsing arguments: Span<UInt8>, _ offered: SMTPExtensions = .authentication
    ) throws(SMTPSyntaxError) {
        var cursor = ByteCursor(arguments)
        guard cursor.take(word: "FROM:") else { throw .badArgument }
        // RFC 5321 §3.3 allows no space here; many clients send one.
        _ = cursor.take { $0 == 0x20 }
        reversePath = try cursor.reversePath()
        for parameter in try cursor.esmtpParameters() { try take(parameter, offered) }
        guard isInternationalized || reversePath.isASCII else { throw .needsSMTPUTF8 }
    }

    private mutating func take(
        _ parameter: ESMTPParameter, _ offered: SMTPExtensions
    ) throws(SMTPSyntaxError) {
        switch parameter.keyword {
        case "SIZE":
            declaredSize = try MailCommand.size(parameter.value)
        case "BODY":
            guard let value = parameter.value,
                let body = Body(rawValue: String(decoding: value, as: UTF8.self).asciiUppercased()),
                body != .binaryMIME || offered.contains(.binaryMIME)
            else { throw .badParameter }
            self.body = body
        case "SMTPUTF8":
            guard parameter.value == nil else { throw .badParameter }
            isInternationalized = true
        case "AUTH" where offered.contains(.authentication):
            try MailCommand.checkAuth(parameter.value)
        case _:
            try takeOfQueue(parameter, offered)
        }
    }

    /// What concerns a message's further way.
    private mutating func takeOfQueue(
        _ parameter: ESMTPParameter, _ offered: SMTPExtensions
    ) throws(SMTPSyntaxError) {
        switch parameter.keyword {
        case "RET" where offered.contains(.notifications):
            guard let found = ReturnedContent(rawValue: parameter.text.asciiUppercased()) else { throw .badParameter }
            returned = found
        case "ENVID" where offered.contains(.notifications):
            identifier = try parameter.envelopeIdentifier()
        case "REQUIRETLS" where offered.contains(.requireTLS):
            guard parameter.value == nil else { throw .badParameter }
            requiresTLS = true
        case "HOLDFOR" where offered.contains(.futureRelease):
            guard release == nil else { throw .badParameter }
            release = .interval(try parameter.seconds())
        case "HOLDUNTIL" where offered.contains(.futureRelease):
            guard release == nil, let value = parameter.value, let time = Timestamp(internet: value) else {
                throw .badParameter
            }
            release = .time(time.seconds)
        case "BY" where offered.contains(.deliverBy):
            deliverBy = try DeliverBy(parameter)
        case "MT-PRIORITY" where offered.contains(.priority):
            priority = try parameter.priority()
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

/// When a message is to go, at the earliest (RFC 4865 §5).
package enum FutureRelease: Sendable, Hashable {
    /// Seconds from its arrival.
    case interval(Int64)
    /// Seconds since 1970.
    case time(Int64)

    /// Seconds since 1970.
    package func time(from arrival: Int64) -> Int64 {
        switch self {
        case .interval(let seconds): arrival + seconds
        case .time(let time): time
        }
    }
}

/// `BY`, as it is sent (RFC 2852 §4).
package struct DeliverBy: Sendable, Hashable {
    /// From the command on; 0 and below are only for `N`.
    package var seconds: Int64
    package var mode: DeliveryDeadline.Mode
    package var isTraced: Bool

    package func deadline(from arrival: Int64) -> DeliveryDeadline {
        DeliveryDeadline(time: arrival + seconds, mode: mode, isTraced: isTraced)
    }

    // by-value = by-time ";" by-mode [by-trace]         by-time = ["-" / "+"] 1*9digit
    // by-mode  = "N" / "R"                              by-trace = "T"
    init(_ parameter: ESMTPParameter) throws(SMTPSyntaxError) {
        let parts = parameter.text.asciiUppercased().split(separator: ";", omittingEmptySubsequences: false)
        guard parts.count == 2, let mode = DeliveryDeadline.Mode(rawValue: String(parts[1].prefix(1))),
            parts[1].count == 1 || parts[1].dropFirst() == "T"
        else { throw .badParameter }
        let digits = parts[0].first == "-" || parts[0].first == "+" ? parts[0].dropFirst() : parts[0]
        guard (1...9).contains(digits.utf8.count), digits.utf8.allSatisfy(isDigit), let number = Int64(digits) else {
            throw .badParameter
        }
        seconds = parts[0].first == "-" ? -number : number
        guard mode == .notified || seconds > 0 else { throw .badParameter }
        self.mode = mode
        isTraced = parts[1].count == 2
    }
}

extension ESMTPParameter {
    /// Empty without a value.
    fileprivate var text: String { value.map { String(decoding: $0, as: UTF8.self) } ?? "" }

    // future-release-integer = 1*9DIGIT         RFC 4865 §5
    fileprivate func seconds() throws(SMTPSyntaxError) -> Int64 {
        guard let value, (1...9).contains(value.count), value.allSatisfy(isDigit), let seconds = Int64(text) else {
            throw .badParameter
        }
        return seconds
    }

    // priority-value = (["-"] NZDIGIT) / "0"         RFC 6710 §8
    fileprivate func priority() throws(SMTPSyntaxError) -> Int {
        let digits = value?.first == UInt8(ascii: "-") ? value?.dropFirst() : value?[...]
        guard let digits, digits.count == 1, digits.allSatisfy(isDigit), text != "-0", let number = Int(text) else {
            throw .badParameter
        }
        return number
    }

    // envid-parameter = "ENVID=" xtext         RFC 3461 §4.4: at most 100 characters, all printable
    fileprivate func envelopeIdentifier() throws(SMTPSyntaxError) -> String {
        guard let value, value.count <= 100, let decoded = XText.decode(value), XText.isPrintable(decoded) else {
            throw .badParameter
        }
        return String(decoding: decoded, as: UTF8.self)
    }
}
