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
