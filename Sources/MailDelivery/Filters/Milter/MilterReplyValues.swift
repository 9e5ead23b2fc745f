import MailStore
import SMTPSyntax

extension MilterDataReader {
    // field-name = 1*ftext        ftext = %d33-57 / %d59-126        RFC 5322 §3.6.8
    mutating func fieldName() throws(MilterError) -> [UInt8] {
        let name = try string()
        // A line holds 998 octets (RFC 5322 §2.1.1), with the colon and one of the value.
        guard (1...996).contains(name.count), name.allSatisfy({ (33...126).contains($0) && $0 != 0x3A }) else {
            throw .violation("a field's name that is none")
        }
        return name
    }

    // char address[]; optionally char args[]
    mutating func sender() throws(MilterError) -> MailCommand {
        let words = try addressAndParameters()
        let command = Array("FROM:".utf8) + words
        // A filter may give back all that it was told of.
        guard let parsed = try? MailCommand(parsing: command.span, .all) else {
            throw .violation("a sender that is no address")
        }
        return parsed
    }

    mutating func recipient(hasParameters: Bool) throws(MilterError) -> SMTPRecipient {
        let words = hasParameters ? try addressAndParameters() : bracketed(try string())
        let command = Array("TO:".utf8) + words
        guard let parsed = try? RcptCommand(parsing: command.span, .notifications),
            case .mailbox(let mailbox) = parsed.forwardPath
        else { throw .violation("a recipient that is no address") }
        return SMTPRecipient(
            mailbox: mailbox, original: parsed.original, notifications: parsed.notifications)
    }

    private mutating func addressAndParameters() throws(MilterError) -> [UInt8] {
        let address = bracketed(try string())
        guard !isAtEnd else { return address }
        let parameters = try string()
        return parameters.isEmpty ? address : address + [0x20] + parameters
    }

    /// Filters give addresses with brackets and without.
    private func bracketed(_ address: [UInt8]) -> [UInt8] {
        address.first == UInt8(ascii: "<") ? address : [UInt8(ascii: "<")] + address + [UInt8(ascii: ">")]
    }
}

extension SMTPReply {
    /// Lines of a reply that are kept, and octets of one (RFC 5321 §4.5.3.1.5, with code and status).
    private static let maximumLines = 20
    private static let maximumText = 480

    // reply = 1*( code ("-" / SP) [ status SP ] text CRLF ), the last line end optional; it ends with NUL
    // Percent signs are doubled: the sendmail program takes the text for a format.
    init(filterText data: ArraySlice<UInt8>) throws(MilterError) {
        var reader = MilterDataReader(data)
        let text = undoubled(try reader.string())
        try reader.finish()
        var code: UInt16?
        var status: EnhancedStatus?
        var lines: [String] = []
        for line in text.split(separator: 0x0A).prefix(Self.maximumLines) {
            guard let read = FilterReplyLine(line), code == nil || code == read.code else {
                throw .violation("a reply that is none")
            }
            if code == nil { status = read.status }
            code = read.code
            lines.append(printable(read.text, limit: Self.maximumText))
        }
        guard let code else { throw .violation("a reply that is none") }
        // 421 would promise the end of the connection.
        self.init(code == 421 ? 451 : code, status, lines: lines)
    }
}

/// What a reply, a log or a record can carry: printable ASCII.
/// - Parameter limit: octets.
func printable(_ text: [UInt8], limit: Int) -> String {
    let kept = text.prefix(limit).filter { $0 != 0x0D }.map { (0x20...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
    return String(decoding: kept, as: UTF8.self)
}

private func undoubled(_ text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var isEscaped = false
    for byte in text {
        if byte == UInt8(ascii: "%"), !isEscaped {
            isEscaped = true
        } else {
            result.append(byte)
            isEscaped = false
        }
    }
    return result
}

private struct FilterReplyLine {
    var code: UInt16
    var status: EnhancedStatus?
    var text: [UInt8]

    /// Nil when it does not begin with a code that refuses.
    init?(_ line: ArraySlice<UInt8>) {
        guard let code = UInt16(String(decoding: line.prefix(3), as: UTF8.self)), (400...599).contains(code),
            [nil, 0x20, 0x2D, 0x0D].contains(line.dropFirst(3).first)
        else { return nil }
        self.code = code
        var rest = line.dropFirst(4)
        // status-code = class "." subject "." detail         RFC 3463 §2; the class is the code's first digit
        let word = rest.prefix { $0 != 0x20 && $0 != 0x0D }
        let parts = word.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).map {
            $0.count <= 3 ? UInt16(String(decoding: $0, as: UTF8.self)) : nil
        }
        if parts.count == 3, parts[0] == code / 100, let subject = parts[1], let detail = parts[2] {
            status = EnhancedStatus(subject, detail)
            rest = rest.dropFirst(word.count + 1)
        }
        text = Array(rest)
    }
}
