package import MailVocabulary
import MessageFormat
import WireFraming

/// A message's header as it came: what must be known of it before the message is taken, and how it goes on.
package struct MessageHeader: Sendable {
    /// Addresses looked at in `From` and `Sender`: more than people write.
    private static let maximumAuthors = 100

    /// The fields with their line ends, without the blank line.
    private let bytes: [UInt8]
    private var removed: [Range<Int>] = []
    private var blindCopies: [Range<Int>] = []
    package private(set) var receivedCount = 0
    package private(set) var hasDate = false
    package private(set) var hasMessageID = false
    package private(set) var hasSender = false
    package private(set) var hasFrom = false
    /// Addresses of all `From` and `Sender` fields, in canonical form.
    package private(set) var authors: [Address] = []
    /// Addresses of `From` alone.
    package private(set) var from: [Address] = []
    /// A `From` or `Sender` field without an address, with one that is none, or with too many.
    package private(set) var hasBadAuthor = false

    /// - Parameter bytes: complete lines, none of them blank.
    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
        let span = bytes.span
        var fields = HeaderFields(span)
        while let field = fields.next() { note(field, span) }
    }

    package var hasBlindCopies: Bool { !blindCopies.isEmpty }

    private mutating func note(_ field: HeaderField, _ span: Span<UInt8>) {
        switch field.nameRange.count {
        case 3 where span.isName("BCC", field.nameRange): blindCopies.append(field.fieldRange)
        case 4 where span.isName("FROM", field.nameRange):
            hasFrom = true
            from += takeAuthors(field, span)
        case 4 where span.isName("DATE", field.nameRange): hasDate = true
        case 6 where span.isName("SENDER", field.nameRange):
            hasSender = true
            _ = takeAuthors(field, span)
        case 8 where span.isName("RECEIVED", field.nameRange): receivedCount += 1
        case 10 where span.isName("MESSAGE-ID", field.nameRange): hasMessageID = true
        case 10 where span.isName("RESENT-BCC", field.nameRange): blindCopies.append(field.fieldRange)
        case 11 where span.isName("RETURN-PATH", field.nameRange): removed.append(field.fieldRange)
        case _: break
        }
    }

    private mutating func takeAuthors(_ field: HeaderField, _ span: Span<UInt8>) -> [Address] {
        let members = addressList(span, field.valueRange).filter { $0.host != nil }
        let found = members.compactMap { Address(member: $0) }
        if found.isEmpty || found.count != members.count || found.count > Self.maximumAuthors { hasBadAuthor = true }
        authors += found.prefix(Self.maximumAuthors)
        return found
    }

    /// The fields as they go on: without `Return-Path`, which only final delivery writes (RFC 5321 §4.4), and, unless
    /// it is for the sender's own copy, without `Bcc`.
    package func fields(withoutBlindCopies: Bool) -> [UInt8] {
        let cut = (removed + (withoutBlindCopies ? blindCopies : [])).sorted { $0.lowerBound < $1.lowerBound }
        guard !cut.isEmpty else { return bytes }
        var kept: [UInt8] = []
        kept.reserveCapacity(bytes.count)
        var position = 0
        for range in cut {
            kept += bytes[position..<range.lowerBound]
            position = range.upperBound
        }
        kept += bytes[position...]
        return kept
    }

    /// Fields that are to stand ahead of the others.
    package func additions(_ repair: HeaderRepair) -> String {
        var text = ""
        if repair.repairs.contains(.date), !hasDate { text += "Date: \(repair.date)\r\n" }
        if repair.repairs.contains(.from), !hasFrom { text += "From: <\(repair.account)>\r\n" }
        if repair.repairs.contains(.sender), !hasSender, hasFrom, !repair.isOwnFrom || from.count > 1 {
            text += "Sender: <\(repair.account)>\r\n"
        }
        if repair.repairs.contains(.messageID), !hasMessageID {
            text += "Message-ID: <\(repair.identifier)@\(repair.hostname)>\r\n"
        }
        return text
    }
}

/// With what a header is put right.
package struct HeaderRepair: Sendable {
    package var repairs: HeaderRepairs
    package var account: Address
    /// Whether all of `From` is the account's own.
    package var isOwnFrom: Bool
    /// As in `Date`.
    package var date: String
    package var identifier: String
    package var hostname: String

    package init(
        _ repairs: HeaderRepairs, account: Address, isOwnFrom: Bool, date: String, identifier: String, hostname: String
    ) {
        self.repairs = repairs
        self.account = account
        self.isOwnFrom = isOwnFrom
        self.date = date
        self.identifier = identifier
        self.hostname = hostname
    }
}

extension Address {
    fileprivate init?(member: EnvelopeAddress) {
        guard let mailbox = member.mailbox, let host = member.host, !mailbox.isEmpty, !host.isEmpty,
            let local = String(validating: mailbox, as: UTF8.self), let name = String(validating: host, as: UTF8.self),
            let domain = Domain(name)
        else { return nil }
        self = Address(localPart: local, domain: domain).canonical
    }
}

extension Span<UInt8> {
    /// `name` in upper case.
    func isName(_ name: StaticString, _ range: Range<Int>) -> Bool {
        var cursor = ByteCursor(self, at: range.lowerBound)
        return cursor.take(word: name) && cursor.position == range.upperBound
    }
}

/// Whether a header says that its message is spam.
package func isMarkedAsSpam(_ message: Span<UInt8>, _ marks: [SpamMark]) -> Bool {
    guard !marks.isEmpty else { return false }
    let marks = marks.map { (Array($0.name.asciiLowercased().utf8), Array($0.value.asciiLowercased().utf8)) }
    var fields = HeaderFields(message)
    while let field = fields.next() {
        for (name, value) in marks where name.count == field.nameRange.count {
            guard zip(field.nameRange, name).allSatisfy({ lower(message[$0]) == $1 }) else { continue }
            let text = unfoldedHeaderValue(message, field.valueRange, limit: value.count + 1).map(lower)
            guard text.starts(with: value) else { continue }
            // `Yes, score=8` is a yes, `Yesterday` is not.
            guard text.count > value.count else { return true }
            if !(0x61...0x7A).contains(text[value.count]) { return true }
        }
    }
    return false
}

private func lower(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }
