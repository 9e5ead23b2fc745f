/// The envelope of an encoded summary, by ranges of its bytes: what writes or searches very many of them copies none.
package struct EncodedEnvelope: ~Escapable {
    package let bytes: Span<UInt8>
    package let date: Range<Int>?
    package let subject: Range<Int>?
    package let from: EncodedAddressList
    package let sender: EncodedAddressList
    package let replyTo: EncodedAddressList
    package let to: EncodedAddressList
    package let cc: EncodedAddressList
    package let bcc: EncodedAddressList
    package let inReplyTo: Range<Int>?
    package let messageID: Range<Int>?
    /// What References names.
    package let references: [Range<Int>]

    /// Nil when the bytes are not what `MessageSummary.encoded` gives.
    @_lifetime(copy encodedSummary)
    package init?(encodedSummary: Span<UInt8>) {
        var reader = SummaryReader(encodedSummary)
        do throws(SummaryReader.Damaged) {
            _ = try reader.readEnvelopeLength()
            date = try reader.readOptionalRange()
            subject = try reader.readOptionalRange()
            from = try reader.passAddresses(reader.readNumber())
            sender = try reader.passAddresses(unless: from)
            replyTo = try reader.passAddresses(unless: from)
            to = try reader.passAddresses(reader.readNumber())
            cc = try reader.passAddresses(reader.readNumber())
            bcc = try reader.passAddresses(reader.readNumber())
            inReplyTo = try reader.readOptionalRange()
            messageID = try reader.readOptionalRange()
            references = try reader.passReferences()
        } catch {
            return nil
        }
        bytes = encodedSummary
    }

    /// The members of one of its lists.
    @_lifetime(copy self)
    package func members(_ list: EncodedAddressList) -> EncodedAddresses {
        EncodedAddresses(bytes, list)
    }
}

/// Where a list's members are, and how many. Lists are equal when they are the same one: a sender that is not told.
package struct EncodedAddressList: Sendable, Equatable {
    fileprivate var start: Int
    package fileprivate(set) var count: Int
}

/// A member of an address list: `EnvelopeAddress` by ranges.
package struct EncodedAddress: Sendable {
    package var name: Range<Int>?
    package var route: Range<Int>?
    package var mailbox: Range<Int>?
    package var host: Range<Int>?
}

/// Reads a list's members one by one.
package struct EncodedAddresses: ~Escapable {
    private var reader: SummaryReader
    private var left: Int

    @_lifetime(copy bytes)
    fileprivate init(_ bytes: Span<UInt8>, _ list: EncodedAddressList) {
        reader = SummaryReader(bytes, at: list.start)
        left = list.count
    }

    @_lifetime(self: copy self)
    package mutating func next() -> EncodedAddress? {
        guard left > 0 else { return nil }
        left -= 1
        return try? reader.readAddressRanges()
    }
}

extension SummaryReader {
    @_lifetime(self: copy self)
    fileprivate mutating func passReferences() throws(Damaged) -> [Range<Int>] {
        let count = try readCount(ofAtLeast: 1)
        guard count > 0 else { return [] }
        var ranges: [Range<Int>] = []
        ranges.reserveCapacity(count)
        for _ in 0..<count {
            let length = try readNumber()
            let start = position
            try skip(length)
            ranges.append(start..<position)
        }
        return ranges
    }

    @_lifetime(self: copy self)
    fileprivate mutating func passAddresses(_ count: Int) throws(Damaged) -> EncodedAddressList {
        let list = EncodedAddressList(start: position, count: count)
        // Four octets each, at least: a count that is too large ends the bytes.
        for _ in 0..<count { _ = try readAddressRanges() }
        return list
    }

    @_lifetime(self: copy self)
    fileprivate mutating func passAddresses(unless same: EncodedAddressList) throws(Damaged) -> EncodedAddressList {
        let number = try readNumber()
        return number == 0 ? same : try passAddresses(number - 1)
    }

    @_lifetime(self: copy self)
    fileprivate mutating func readAddressRanges() throws(Damaged) -> EncodedAddress {
        let (name, route) = try (readOptionalRange(), readOptionalRange())
        return try EncodedAddress(name: name, route: route, mailbox: readOptionalRange(), host: readOptionalRange())
    }
}
