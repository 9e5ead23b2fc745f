package import MailVocabulary
package import WireFraming

// Access control (RFC 4314) and annotations (RFC 5464).

extension OutputBuffer {
    // acl-data = "ACL" SP mailbox *(SP identifier SP rights)          RFC 4314 §7
    package mutating func append(
        accessList name: MailboxName, _ entries: [(identifier: String, rights: MailboxRights)],
        _ encoding: MailboxEncoding
    ) {
        append("* ACL " as StaticString)
        append(mailbox: name, encoding)
        for entry in entries {
            append(UInt8(ascii: " "))
            append(astring: Array(entry.identifier.utf8))
            append(UInt8(ascii: " "))
            append(rights: entry.rights)
        }
        appendLineEnd()
    }

    // listrights-data = "LISTRIGHTS" SP mailbox SP identifier SP rights *(SP rights)
    /// - Parameter optional: each right by itself; virtual ones too (RFC 4314 §2.1.1).
    package mutating func append(
        listRights name: MailboxName, identifier: String, required: MailboxRights, optional: [Character],
        _ encoding: MailboxEncoding
    ) {
        append("* LISTRIGHTS " as StaticString)
        append(mailbox: name, encoding)
        append(UInt8(ascii: " "))
        append(astring: Array(identifier.utf8))
        append(UInt8(ascii: " "))
        append(rights: required)
        for letter in optional {
            append(UInt8(ascii: " "))
            append(String(letter))
        }
        appendLineEnd()
    }

    // myrights-data = "MYRIGHTS" SP mailbox SP rights
    package mutating func append(myRights rights: MailboxRights, on name: MailboxName, _ encoding: MailboxEncoding) {
        append("* MYRIGHTS " as StaticString)
        append(mailbox: name, encoding)
        append(UInt8(ascii: " "))
        append(rights: rights)
        appendLineEnd()
    }

    private mutating func append(rights: MailboxRights) { append(astring: Array(rights.text.utf8)) }

    // metadata-resp = "METADATA" SP mailbox SP (entry-values / entry-list)          RFC 5464 §5
    // value         = nstring / literal8
    /// - Parameter values: at least one.
    package mutating func append(
        metadataOf place: AnnotatedPlace, _ values: [(name: AnnotationName, value: [UInt8]?)],
        _ encoding: MailboxEncoding
    ) {
        append("* METADATA " as StaticString)
        switch place {
        case .server: append("\"\"" as StaticString)
        case .mailbox(let name): append(mailbox: name, encoding)
        }
        append(" (" as StaticString)
        for (index, pair) in values.enumerated() {
            if index > 0 { append(UInt8(ascii: " ")) }
            append(astring: Array(pair.name.text.utf8))
            append(UInt8(ascii: " "))
            append(metadataValue: pair.value)
        }
        append(")\r\n" as StaticString)
    }

    // metadata-resp = "METADATA" SP mailbox SP (entry-values / entry-list)
    // entry-list    = entry *(SP entry)          RFC 5464 §4.4.2, §5
    /// Entries that changed.
    ///
    /// - Parameter names: at least one.
    package mutating func append(
        changedMetadataOf place: AnnotatedPlace, _ names: [AnnotationName], _ encoding: MailboxEncoding
    ) {
        append("* METADATA " as StaticString)
        switch place {
        case .server: append("\"\"" as StaticString)
        case .mailbox(let name): append(mailbox: name, encoding)
        }
        for name in names {
            append(UInt8(ascii: " "))
            append(astring: Array(name.text.utf8))
        }
        appendLineEnd()
    }

    private mutating func append(metadataValue value: [UInt8]?) {
        guard let value, value.contains(0) else { return append(nstring: value) }
        append(binaryLiteralOf: value.count)
        append(value)
    }
}
