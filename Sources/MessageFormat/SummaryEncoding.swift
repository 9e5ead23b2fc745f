// The stored form of a summary:
//
//      summary   version(4) written length envelope references preview structure
//      written   0, or twice the octets of ENVELOPE's value, one more when some are above 127, and these octets
//      envelope  date subject list(from) sender replyTo list(to) list(cc) list(bcc) inReplyTo messageID
//      sender, replyTo   0 when the same as from, or else count+1 and addresses
//      references   count texts
//      list      count addresses           address   name route mailbox host, each optional
//      part      type subtype parameters id description encoding md5 disposition languages location
//                header start, header length, gap, body length, lines, kind, and by kind: nothing, nothing,
//                envelope and part, count and parts
//      preview, text   length octets       optional  0, or length+1 octets
//
// Numbers are LEB128. Length is that of envelope and references. Gap is from the header's end to the body's start.

extension MessageSummary {
    /// First octet of the form above. Another form gets another number, and `init?(encoded:)` reads both,
    /// from the first release on.
    package static let encodingVersion: UInt8 = 4

    /// The form that is kept beside the message.
    package func encoded() -> [UInt8] {
        var body = SummaryWriter()
        body.write(envelope)
        body.write(references.count)
        for reference in references { body.write(reference) }
        let envelopeOctets = body.bytes
        let written = WrittenEnvelope(envelope)
        var whole = SummaryWriter()
        whole.bytes.reserveCapacity(envelopeOctets.count + written.bytes.count + preview.count + 128)
        whole.bytes.append(Self.encodingVersion)
        whole.write(written)
        whole.write(envelopeOctets)
        whole.write(preview)
        whole.write(structure)
        return whole.bytes
    }
}

private struct SummaryWriter {
    var bytes: [UInt8] = []

    mutating func write(_ number: Int) {
        var rest = UInt64(bitPattern: Int64(number))
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    mutating func write(_ text: [UInt8]) {
        write(text.count)
        bytes += text
    }

    mutating func write(_ envelope: WrittenEnvelope) {
        guard envelope.bytes.count <= MessageLimits.writtenEnvelope else { return write(0) }
        write(envelope.bytes.count * 2 + (envelope.isASCII ? 0 : 1))
        bytes += envelope.bytes
    }

    mutating func write(optional text: [UInt8]?) {
        guard let text else { return write(0) }
        write(text.count + 1)
        bytes += text
    }

    mutating func write(_ envelope: Envelope) {
        write(optional: envelope.date)
        write(optional: envelope.subject)
        write(envelope.from)
        write(envelope.sender, unless: envelope.from)
        write(envelope.replyTo, unless: envelope.from)
        write(envelope.to)
        write(envelope.cc)
        write(envelope.bcc)
        write(optional: envelope.inReplyTo)
        write(optional: envelope.messageID)
    }

    private mutating func write(_ list: [EnvelopeAddress], unless same: [EnvelopeAddress]) {
        guard list != same else { return write(0) }
        write(list.count + 1)
        write(members: list)
    }

    private mutating func write(_ list: [EnvelopeAddress]) {
        write(list.count)
        write(members: list)
    }

    private mutating func write(members list: [EnvelopeAddress]) {
        for address in list {
            write(optional: address.name)
            write(optional: address.route)
            write(optional: address.mailbox)
            write(optional: address.host)
        }
    }

    private mutating func write(_ parameters: [BodyParameter]) {
        write(parameters.count)
        for parameter in parameters {
            write(parameter.name)
            write(parameter.value)
        }
    }

    mutating func write(_ part: BodyPart) {
        write(part.type)
        write(part.subtype)
        write(part.parameters)
        write(optional: part.id)
        write(optional: part.description)
        write(part.encoding)
        write(optional: part.md5)
        write(optional: part.disposition?.type)
        if let disposition = part.disposition { write(disposition.parameters) }
        write(part.languages.count)
        for language in part.languages { write(language) }
        write(optional: part.location)
        write(part.headerRange.lowerBound)
        write(part.headerRange.count)
        write(part.bodyRange.lowerBound - part.headerRange.upperBound)
        write(part.bodyRange.count)
        write(part.lineCount)
        write(part.kind)
    }

    private mutating func write(_ kind: BodyPart.Kind) {
        switch kind {
        case .single: bytes.append(SummaryReader.single)
        case .text: bytes.append(SummaryReader.text)
        case .message(let envelope, let inner):
            bytes.append(SummaryReader.message)
            write(envelope)
            write(inner)
        case .multipart(let children):
            bytes.append(SummaryReader.multipart)
            write(children.count)
            for child in children { write(child) }
        }
    }
}
