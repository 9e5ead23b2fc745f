/// The envelope as IMAP's ENVELOPE says it, written once, when the message is added: a listing of a hundred thousand
/// messages only copies it. In strings octets above 127 stand in literals, which every client understands.
struct WrittenEnvelope {
    /// Octets beyond which a value is no quoted string; as where answers are written.
    private static let longestQuoted = 1000

    private(set) var bytes: [UInt8] = []
    /// Whether it is the same for a client that takes UTF-8 in quoted strings.
    private(set) var isASCII = true

    // envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP env-bcc
    //            SP env-in-reply-to SP env-message-id ")"          RFC 9051 §9
    init(_ envelope: Envelope) {
        bytes.append(UInt8(ascii: "("))
        write(envelope.date)
        write(envelope.subject)
        for list in [envelope.from, envelope.sender, envelope.replyTo, envelope.to, envelope.cc, envelope.bcc] {
            write(list)
        }
        write(envelope.inReplyTo)
        write(envelope.messageID)
        close()
    }

    /// In place of the space behind the last value.
    private mutating func close() { bytes[bytes.count - 1] = UInt8(ascii: ")") }

    // env-from = "(" 1*address ")" / nil
    // address  = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
    private mutating func write(_ list: [EnvelopeAddress]) {
        guard !list.isEmpty else { return write(nil as [UInt8]?) }
        bytes.append(UInt8(ascii: "("))
        for address in list {
            bytes.append(UInt8(ascii: "("))
            write(address.name)
            write(address.route)
            write(address.mailbox)
            write(address.host)
            close()
        }
        bytes += [UInt8(ascii: ")"), UInt8(ascii: " ")]
    }

    // nstring = string / nil          string = quoted / literal
    private mutating func write(_ value: [UInt8]?) {
        guard let value else {
            bytes += Array("NIL ".utf8)
            return
        }
        let fits = value.count <= Self.longestQuoted && value.allSatisfy { ![0x00, 0x0A, 0x0D].contains($0) }
        if value.contains(where: { $0 > 0x7F }) {
            isASCII = false
            writeLiteral(value)
        } else if fits {
            writeQuoted(value)
        } else {
            writeLiteral(value)
        }
        bytes.append(UInt8(ascii: " "))
    }

    private mutating func writeLiteral(_ value: [UInt8]) {
        bytes += Array("{\(value.count)}\r\n".utf8)
        bytes += value
    }

    private mutating func writeQuoted(_ value: [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in value {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
            bytes.append(byte)
        }
        bytes.append(UInt8(ascii: "\""))
    }
}

extension MessageSummary {
    /// Where ENVELOPE's value stands in an encoded summary, written for clients that take octets above 127 in literals;
    /// nil when it is too long to be kept twice.
    ///
    /// - Returns: `isASCII`, whether it is the same for those that take UTF-8 in quoted strings.
    package static func writtenEnvelope(encodedSummary: Span<UInt8>) -> (octets: Range<Int>, isASCII: Bool)? {
        var reader = SummaryReader(encodedSummary)
        return try? reader.readWrittenEnvelope()
    }
}
