import IMAPSyntax
import MessageFormat
import WireFraming

extension OutputBuffer {
    // envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP env-bcc
    //            SP env-in-reply-to SP env-message-id ")"          RFC 3501 §9
    mutating func append(envelope: Envelope, _ strings: StringEncoding) {
        append(UInt8(ascii: "("))
        append(nstring: envelope.date, strings)
        append(UInt8(ascii: " "))
        append(nstring: envelope.subject, strings)
        append(addresses: envelope.from, strings)
        append(addresses: envelope.sender, strings)
        append(addresses: envelope.replyTo, strings)
        append(addresses: envelope.to, strings)
        append(addresses: envelope.cc, strings)
        append(addresses: envelope.bcc, strings)
        append(UInt8(ascii: " "))
        append(nstring: envelope.inReplyTo, strings)
        append(UInt8(ascii: " "))
        append(nstring: envelope.messageID, strings)
        append(UInt8(ascii: ")"))
    }

    /// The same from a summary: mostly as it stands there, else without making values of what is only passed on. False, and nothing written, when the
    /// bytes are none.
    mutating func append(envelopeOf summary: Span<UInt8>, _ strings: StringEncoding) -> Bool {
        if let written = MessageSummary.writtenEnvelope(encodedSummary: summary), written.isASCII || strings == .ascii {
            append(summary.extracting(written.octets))
            return true
        }
        guard let envelope = EncodedEnvelope(encodedSummary: summary) else { return false }
        append(UInt8(ascii: "("))
        append(nstring: envelope.date, of: summary, strings)
        append(UInt8(ascii: " "))
        append(nstring: envelope.subject, of: summary, strings)
        let from = count
        append(envelope.from, of: envelope, strings)
        let written = copy(since: from)
        if envelope.sender == envelope.from { append(written) } else { append(envelope.sender, of: envelope, strings) }
        if envelope.replyTo == envelope.from {
            append(written)
        } else {
            append(envelope.replyTo, of: envelope, strings)
        }
        append(envelope.to, of: envelope, strings)
        append(envelope.cc, of: envelope, strings)
        append(envelope.bcc, of: envelope, strings)
        append(UInt8(ascii: " "))
        append(nstring: envelope.inReplyTo, of: summary, strings)
        append(UInt8(ascii: " "))
        append(nstring: envelope.messageID, of: summary, strings)
        append(UInt8(ascii: ")"))
        return true
    }

    private mutating func append(nstring range: Range<Int>?, of bytes: Span<UInt8>, _ strings: StringEncoding) {
        if let range { append(string: bytes.extracting(range), strings) } else { append("NIL" as StaticString) }
    }

    private mutating func append(
        _ list: EncodedAddressList, of envelope: borrowing EncodedEnvelope, _ strings: StringEncoding
    ) {
        guard list.count > 0 else { return append(" NIL" as StaticString) }
        append(" (" as StaticString)
        var members = envelope.members(list)
        while let address = members.next() {
            append(UInt8(ascii: "("))
            append(nstring: address.name, of: envelope.bytes, strings)
            append(UInt8(ascii: " "))
            append(nstring: address.route, of: envelope.bytes, strings)
            append(UInt8(ascii: " "))
            append(nstring: address.mailbox, of: envelope.bytes, strings)
            append(UInt8(ascii: " "))
            append(nstring: address.host, of: envelope.bytes, strings)
            append(UInt8(ascii: ")"))
        }
        append(UInt8(ascii: ")"))
    }

    // env-from = "(" 1*address ")" / nil
    // address  = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
    private mutating func append(addresses: [EnvelopeAddress], _ strings: StringEncoding) {
        guard !addresses.isEmpty else { return append(" NIL" as StaticString) }
        append(" (" as StaticString)
        for address in addresses {
            append(UInt8(ascii: "("))
            append(nstring: address.name, strings)
            append(UInt8(ascii: " "))
            append(nstring: address.route, strings)
            append(UInt8(ascii: " "))
            append(nstring: address.mailbox, strings)
            append(UInt8(ascii: " "))
            append(nstring: address.host, strings)
            append(UInt8(ascii: ")"))
        }
        append(UInt8(ascii: ")"))
    }
}
