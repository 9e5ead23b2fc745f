import IMAPSyntax
import MessageFormat
import WireFraming

extension OutputBuffer {
    // envelope = "(" env-date SP env-subject SP env-from SP env-sender SP env-reply-to SP env-to SP env-cc SP env-bcc
    //            SP env-in-reply-to SP env-message-id ")"          RFC 3501 §9
    mutating func append(envelope: Envelope) {
        append(UInt8(ascii: "("))
        append(nstring: envelope.date)
        append(UInt8(ascii: " "))
        append(nstring: envelope.subject)
        append(addresses: envelope.from)
        append(addresses: envelope.sender)
        append(addresses: envelope.replyTo)
        append(addresses: envelope.to)
        append(addresses: envelope.cc)
        append(addresses: envelope.bcc)
        append(UInt8(ascii: " "))
        append(nstring: envelope.inReplyTo)
        append(UInt8(ascii: " "))
        append(nstring: envelope.messageID)
        append(UInt8(ascii: ")"))
    }

    /// The same from a summary, without making values of what is only passed on. False, and nothing written, when the
    /// bytes are none.
    mutating func append(envelopeOf summary: Span<UInt8>) -> Bool {
        guard let envelope = EncodedEnvelope(encodedSummary: summary) else { return false }
        append(UInt8(ascii: "("))
        append(nstring: envelope.date, of: summary)
        append(UInt8(ascii: " "))
        append(nstring: envelope.subject, of: summary)
        let from = count
        append(envelope.from, of: envelope)
        let written = copy(since: from)
        if envelope.sender == envelope.from { append(written) } else { append(envelope.sender, of: envelope) }
        if envelope.replyTo == envelope.from { append(written) } else { append(envelope.replyTo, of: envelope) }
        append(envelope.to, of: envelope)
        append(envelope.cc, of: envelope)
        append(envelope.bcc, of: envelope)
        append(UInt8(ascii: " "))
        append(nstring: envelope.inReplyTo, of: summary)
        append(UInt8(ascii: " "))
        append(nstring: envelope.messageID, of: summary)
        append(UInt8(ascii: ")"))
        return true
    }

    private mutating func append(nstring range: Range<Int>?, of bytes: Span<UInt8>) {
        if let range { append(string: bytes.extracting(range)) } else { append("NIL" as StaticString) }
    }

    private mutating func append(_ list: EncodedAddressList, of envelope: borrowing EncodedEnvelope) {
        guard list.count > 0 else { return append(" NIL" as StaticString) }
        append(" (" as StaticString)
        var members = envelope.members(list)
        while let address = members.next() {
            append(UInt8(ascii: "("))
            append(nstring: address.name, of: envelope.bytes)
            append(UInt8(ascii: " "))
            append(nstring: address.route, of: envelope.bytes)
            append(UInt8(ascii: " "))
            append(nstring: address.mailbox, of: envelope.bytes)
            append(UInt8(ascii: " "))
            append(nstring: address.host, of: envelope.bytes)
            append(UInt8(ascii: ")"))
        }
        append(UInt8(ascii: ")"))
    }

    // env-from = "(" 1*address ")" / nil
    // address  = "(" addr-name SP addr-adl SP addr-mailbox SP addr-host ")"
    private mutating func append(addresses: [EnvelopeAddress]) {
        guard !addresses.isEmpty else { return append(" NIL" as StaticString) }
        append(" (" as StaticString)
        for address in addresses {
            append(UInt8(ascii: "("))
            append(nstring: address.name)
            append(UInt8(ascii: " "))
            append(nstring: address.route)
            append(UInt8(ascii: " "))
            append(nstring: address.mailbox)
            append(UInt8(ascii: " "))
            append(nstring: address.host)
            append(UInt8(ascii: ")"))
        }
        append(UInt8(ascii: ")"))
    }
}
