package import MailVocabulary
package import WireFraming

/// One triplet of a QUOTA response (RFC 9208 §4.2.1); of STORAGE in units of 1024 octets.
package struct QuotaUsage: Sendable, Hashable {
    package var name: Resource
    package var usage: UInt64
    package var limit: UInt64

    /// The resources that this server counts.
    package enum Resource: String, Sendable, Hashable {
        case storage = "STORAGE"
        case message = "MESSAGE"
    }

    package init(_ name: Resource, usage: UInt64, limit: UInt64) {
        self.name = name
        self.usage = usage
        self.limit = limit
    }
}

extension OutputBuffer {
    // quota-response = "QUOTA" SP quota-root-name SP quota-list
    // quota-list     = "(" quota-resource *(SP quota-resource) ")"
    // quota-resource = resource-name SP resource-usage SP resource-limit          RFC 9208 §7
    /// No resource where none is limited: §4.2.1 has the empty list, which the grammar forgot.
    package mutating func append(quota root: String, _ resources: [QuotaUsage], _ encoding: StringEncoding) {
        append("* QUOTA " as StaticString)
        append(astring: Array(root.utf8), encoding)
        append(" (" as StaticString)
        for (index, resource) in resources.enumerated() {
            if index > 0 { append(UInt8(ascii: " ")) }
            append("\(resource.name.rawValue) \(resource.usage) \(resource.limit)")
        }
        append(")\r\n" as StaticString)
    }

    // quotaroot-response = "QUOTAROOT" SP mailbox *(SP quota-root-name)          RFC 9208 §7
    package mutating func append(
        quotaRootsOf mailbox: MailboxName, _ roots: [String], _ names: MailboxEncoding, _ encoding: StringEncoding
    ) {
        append("* QUOTAROOT " as StaticString)
        append(mailbox: mailbox, names)
        for root in roots {
            append(UInt8(ascii: " "))
            append(astring: Array(root.utf8), encoding)
        }
        append("\r\n" as StaticString)
    }
}
