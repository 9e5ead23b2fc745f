extension MessageSummary {
    /// Nil when the bytes are not what `encoded` gives. Damage that leaves the form intact (a changed letter) is not
    /// seen here; no damage makes a range lie outside its parent.
    package init?(encoded: Span<UInt8>) {
        var reader = SummaryReader(encoded)
        do throws(SummaryReader.Damaged) {
            _ = try reader.readEnvelopeLength()
            envelope = try reader.readEnvelope()
            references = try reader.readReferences()
            preview = try reader.readText()
            structure = try reader.readPart(within: 0..<Int.max, depth: 0)
        } catch {
            return nil
        }
        guard reader.isAtEnd else { return nil }
    }
}

extension Envelope {
    /// Only the envelope of an encoded summary: ENVELOPE needs no structure.
    package init?(encodedSummary: Span<UInt8>) {
        var reader = SummaryReader(encodedSummary)
        do throws(SummaryReader.Damaged) {
            _ = try reader.readEnvelopeLength()
            self = try reader.readEnvelope()
        } catch {
            return nil
        }
    }
}

extension MessageSummary {
    /// Only the preview of an encoded summary; nil when the bytes are none.
    package static func preview(encodedSummary: Span<UInt8>) -> [UInt8]? {
        var reader = SummaryReader(encodedSummary)
        do throws(SummaryReader.Damaged) {
            let length = try reader.readEnvelopeLength()
            try reader.skip(length)
            return try reader.readText()
        } catch {
            return nil
        }
    }
}

extension BodyPart {
    /// Only the structure of an encoded summary: BODYSTRUCTURE and sections need no envelope.
    package init?(encodedSummary: Span<UInt8>) {
        var reader = SummaryReader(encodedSummary)
        do throws(SummaryReader.Damaged) {
            let length = try reader.readEnvelopeLength()
            try reader.skip(length)
            try reader.skip(reader.readNumber())
            self = try reader.readPart(within: 0..<Int.max, depth: 0)
        } catch {
            return nil
        }
    }
}

struct SummaryReader: ~Escapable {
    struct Damaged: Error {}

    static let (single, text, message, multipart): (UInt8, UInt8, UInt8, UInt8) = (0, 1, 2, 3)

    private let bytes: Span<UInt8>
    private(set) var position = 0

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>, at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    var isAtEnd: Bool { position == bytes.count }

    @_lifetime(self: copy self)
    mutating func readEnvelopeLength() throws(Damaged) -> Int {
        _ = try readWrittenEnvelope()
        let length = try readNumber()
        guard length <= bytes.count - position else { throw Damaged() }
        return length
    }

    /// The summary's beginning.
    @_lifetime(self: copy self)
    mutating func readWrittenEnvelope() throws(Damaged) -> (octets: Range<Int>, isASCII: Bool)? {
        guard try readOctet() == MessageSummary.encodingVersion else { throw Damaged() }
        let number = try readNumber()
        guard number > 0 else { return nil }
        let start = position
        try skip(number / 2)
        return (start..<position, number & 1 == 0)
    }

    @_lifetime(self: copy self)
    mutating func skip(_ length: Int) throws(Damaged) {
        guard length <= bytes.count - position else { throw Damaged() }
        position += length
    }

    @_lifetime(self: copy self)
    private mutating func readOctet() throws(Damaged) -> UInt8 {
        guard position < bytes.count else { throw Damaged() }
        position += 1
        return bytes[position - 1]
    }

    /// 0...2⁶³-1.
    @_lifetime(self: copy self)
    mutating func readNumber() throws(Damaged) -> Int {
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), to: 63, by: 7) {
            let octet = try readOctet()
            value |= UInt64(octet & 0x7F) << shift
            if octet < 0x80 { return Int(value) }
        }
        throw Damaged()
    }

    /// A number of things that take at least `octets` each: never more than could be there.
    @_lifetime(self: copy self)
    mutating func readCount(ofAtLeast octets: Int) throws(Damaged) -> Int {
        let count = try readNumber()
        guard count <= (bytes.count - position) / octets else { throw Damaged() }
        return count
    }

    @_lifetime(self: copy self)
    fileprivate mutating func readText() throws(Damaged) -> [UInt8] {
        let length = try readNumber()
        let start = position
        try skip(length)
        return bytes.array(start..<position)
    }

    @_lifetime(self: copy self)
    private mutating func readOptional() throws(Damaged) -> [UInt8]? {
        try readOptionalRange().map { bytes.array($0) }
    }

    @_lifetime(self: copy self)
    mutating func readOptionalRange() throws(Damaged) -> Range<Int>? {
        let length = try readNumber()
        guard length > 0 else { return nil }
        let start = position
        try skip(length - 1)
        return start..<position
    }

    @_lifetime(self: copy self)
    mutating func readEnvelope() throws(Damaged) -> Envelope {
        let date = try readOptional()
        let subject = try readOptional()
        let from = try readAddresses(readNumber())
        let sender = try readAddresses(unless: from)
        let replyTo = try readAddresses(unless: from)
        let to = try readAddresses(readNumber())
        let cc = try readAddresses(readNumber())
        let bcc = try readAddresses(readNumber())
        return try Envelope(
            date: date, subject: subject, from: from, sender: sender, replyTo: replyTo, to: to, cc: cc, bcc: bcc,
            inReplyTo: readOptional(), messageID: readOptional())
    }

    @_lifetime(self: copy self)
    mutating func readReferences() throws(Damaged) -> [[UInt8]] {
        let count = try readCount(ofAtLeast: 1)
        var references: [[UInt8]] = []
        for _ in 0..<count { references.append(try readText()) }
        return references
    }

    @_lifetime(self: copy self)
    private mutating func readAddresses(unless same: [EnvelopeAddress]) throws(Damaged) -> [EnvelopeAddress] {
        let number = try readNumber()
        return number == 0 ? same : try readAddresses(number - 1)
    }

    @_lifetime(self: copy self)
    private mutating func readAddresses(_ count: Int) throws(Damaged) -> [EnvelopeAddress] {
        guard count <= (bytes.count - position) / 4 else { throw Damaged() }
        guard count > 0 else { return [] }
        var list: [EnvelopeAddress] = []
        list.reserveCapacity(count)
        for _ in 0..<count {
            let (name, route) = try (readOptional(), readOptional())
            list.append(try EnvelopeAddress(name: name, route: route, mailbox: readOptional(), host: readOptional()))
        }
        return list
    }

    @_lifetime(self: copy self)
    private mutating func readParameters() throws(Damaged) -> [BodyParameter] {
        let count = try readCount(ofAtLeast: 2)
        var parameters: [BodyParameter] = []
        parameters.reserveCapacity(count)
        for _ in 0..<count { parameters.append(try BodyParameter(name: readText(), value: readText())) }
        return parameters
    }

    @_lifetime(self: copy self)
    mutating func readPart(within outer: Range<Int>, depth: Int) throws(Damaged) -> BodyPart {
        // A leaf may stand one below the deepest container.
        guard depth <= MessageLimits.depth + 1 else { throw Damaged() }
        let (type, subtype, parameters) = try (readText(), readText(), readParameters())
        let (id, description, encoding) = try (readOptional(), readOptional(), readText())
        let (md5, dispositionType) = try (readOptional(), readOptional())
        var part = try BodyPart(
            type: type, subtype: subtype, parameters: parameters, id: id, description: description, encoding: encoding,
            md5: md5,
            disposition: dispositionType.map { type throws(Damaged) in
                try BodyPart.Disposition(type: type, parameters: readParameters())
            },
            headerRange: 0..<0, bodyRange: 0..<0, lineCount: 0, kind: .single)
        for _ in 0..<(try readCount(ofAtLeast: 1)) { part.languages.append(try readText()) }
        part.location = try readOptional()
        part.headerRange = try readRange(after: 0)
        part.bodyRange = try readRange(after: part.headerRange.upperBound)
        guard part.headerRange.lowerBound >= outer.lowerBound, part.bodyRange.upperBound <= outer.upperBound else {
            throw Damaged()
        }
        part.lineCount = try readNumber()
        part.kind = try readKind(within: part.bodyRange, depth: depth)
        return part
    }

    /// A gap and a length.
    @_lifetime(self: copy self)
    private mutating func readRange(after end: Int) throws(Damaged) -> Range<Int> {
        let (lower, overflow) = end.addingReportingOverflow(try readNumber())
        let (upper, carry) = lower.addingReportingOverflow(try readNumber())
        guard !overflow, !carry else { throw Damaged() }
        return lower..<upper
    }

    @_lifetime(self: copy self)
    private mutating func readKind(within body: Range<Int>, depth: Int) throws(Damaged) -> BodyPart.Kind {
        switch try readOctet() {
        case Self.single: return .single
        case Self.text: return .text
        case Self.message:
            return try .message(readEnvelope(), readPart(within: body, depth: depth + 1))
        case Self.multipart:
            // A part without anything takes fourteen octets.
            let count = try readCount(ofAtLeast: 14)
            guard count > 0 else { throw Damaged() }
            var children: [BodyPart] = []
            for _ in 0..<count { children.append(try readPart(within: body, depth: depth + 1)) }
            return .multipart(children)
        case _: throw Damaged()
        }
    }
}
