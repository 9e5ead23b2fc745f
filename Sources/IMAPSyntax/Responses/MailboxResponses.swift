package import MailVocabulary
package import WireFraming

/// One answer to LIST or LSUB.
package struct ListEntry: Sendable, Hashable {
    package var name: String
    /// `\HasChildren`, `\Noselect`, `\Sent` …, with their backslash.
    package var attributes: [String]
    /// RFC 5258 §3.5: the selection options that inferiors match: `["SUBSCRIBED"]`.
    package var childInfo: [String]
    /// RFC 9051 §6.3.9.7: what the client called it.
    package var oldName: String?

    package init(name: String, attributes: [String] = [], childInfo: [String] = [], oldName: String? = nil) {
        self.name = name
        self.attributes = attributes
        self.childInfo = childInfo
        self.oldName = oldName
    }
}

/// What STATUS tells of one item.
package enum StatusValue: Sendable, Hashable {
    case number(UInt64)
    case objectID(String)
}

extension OutputBuffer {
    // mailbox-list = "(" [mbx-list-flags] ")" SP (DQUOTE QUOTED-CHAR DQUOTE / nil) SP mailbox [SP mbox-list-extended]
    /// - Parameter command: `LIST` or `LSUB`.
    package mutating func append(list entry: ListEntry, _ encoding: MailboxEncoding, command: StaticString = "LIST") {
        append("* " as StaticString)
        append(command)
        append(" (" as StaticString)
        append(words: entry.attributes)
        append(") \"/\" " as StaticString)
        append(mailboxText: entry.name, encoding)
        if !entry.childInfo.isEmpty {
            append(" (\"CHILDINFO\" (" as StaticString)
            append(words: entry.childInfo.map { "\"\($0)\"" })
            append("))" as StaticString)
        }
        if let oldName = entry.oldName {
            // oldname-extended-item = "OLDNAME" SP "(" mailbox ")"          RFC 9051 §9
            append(" (\"OLDNAME\" (" as StaticString)
            append(mailboxText: oldName, encoding)
            append("))" as StaticString)
        }
        appendLineEnd()
    }

    /// The answer to `LIST "" ""`: the separator, and the root that the reference is under.
    package mutating func append(separatorUnder root: String, _ encoding: MailboxEncoding) {
        append("* LIST (\\Noselect) \"/\" " as StaticString)
        append(mailboxText: root, encoding)
        appendLineEnd()
    }

    // "STATUS" SP mailbox SP "(" [status-att-list] ")"
    package mutating func append(
        statusOf name: MailboxName, _ values: [(item: StatusItem, value: StatusValue)], _ encoding: MailboxEncoding
    ) {
        append("* STATUS " as StaticString)
        append(mailbox: name, encoding)
        append(" (" as StaticString)
        for (index, pair) in values.enumerated() {
            if index > 0 { append(UInt8(ascii: " ")) }
            append(pair.item.rawValue)
            append(UInt8(ascii: " "))
            switch pair.value {
            case .number(let number): append(decimal: number)
            // status-att-val =/ "MAILBOXID" SP "(" objectid ")"          RFC 8474 §7
            case .objectID(let id): append("(\(id))")
            }
        }
        append(")\r\n" as StaticString)
    }

    // namespace-response = "NAMESPACE" SP namespace SP namespace SP namespace          RFC 2342 §6
    /// Each kind's prefixes, all with the separator `/`.
    package mutating func append(
        namespaces personal: [String], others: [String], shared: [String], _ encoding: MailboxEncoding
    ) {
        append("* NAMESPACE" as StaticString)
        for prefixes in [personal, others, shared] {
            append(UInt8(ascii: " "))
            append(namespaces: prefixes, encoding)
        }
        appendLineEnd()
    }

    // namespace = nil / "(" 1*( "(" string SP (<"> QUOTED_CHAR <"> / nil) *(…) ")" ) ")"
    private mutating func append(namespaces prefixes: [String], _ encoding: MailboxEncoding) {
        guard !prefixes.isEmpty else { return append("NIL" as StaticString) }
        append(UInt8(ascii: "("))
        for prefix in prefixes {
            append(UInt8(ascii: "("))
            append(string: encoding.encode(prefix))
            append(" \"/\")" as StaticString)
        }
        append(UInt8(ascii: ")"))
    }

    // "FLAGS" SP flag-list
    package mutating func append(mailboxFlags flags: [Flag]) {
        append("* FLAGS " as StaticString)
        append(flags: flags)
        appendLineEnd()
    }

    // number SP "EXISTS"
    package mutating func append(exists count: Int) { append(number: UInt64(max(count, 0)), " EXISTS\r\n") }

    // number SP "RECENT"          RFC 3501 §7.3.2; not in IMAP4rev2
    package mutating func append(recent count: Int) { append(number: UInt64(max(count, 0)), " RECENT\r\n") }

    // nz-number SP "EXPUNGE"
    package mutating func append(expunge sequenceNumber: UInt32) {
        append(number: UInt64(sequenceNumber), " EXPUNGE\r\n")
    }

    // expunged-resp = "VANISHED" [SP "(EARLIER)"] SP known-uids          RFC 7162 §7
    package mutating func append(vanished uids: NumberSet, earlier: Bool) {
        append(earlier ? "* VANISHED (EARLIER) " : "* VANISHED " as StaticString)
        append(numberSet: uids)
        appendLineEnd()
    }

    // capability-data = "CAPABILITY" *(SP capability) …
    package mutating func append(capabilities names: [String]) {
        append("* CAPABILITY " as StaticString)
        append(words: names)
        appendLineEnd()
    }

    // enable-data = "ENABLED" *(SP capability)
    package mutating func append(enabled names: [String]) {
        append("* ENABLED" as StaticString)
        for name in names {
            append(UInt8(ascii: " "))
            append(name)
        }
        appendLineEnd()
    }

    // id_response = "ID" SP id_params_list          RFC 2971 §4
    package mutating func append(id fields: [IDField]) {
        append("* ID " as StaticString)
        if fields.isEmpty {
            append("NIL" as StaticString)
        } else {
            append(UInt8(ascii: "("))
            for (index, field) in fields.enumerated() {
                if index > 0 { append(UInt8(ascii: " ")) }
                append(string: field.name)
                append(UInt8(ascii: " "))
                append(nstring: field.value)
            }
            append(UInt8(ascii: ")"))
        }
        appendLineEnd()
    }

    private mutating func append(number: UInt64, _ rest: StaticString) {
        append("* " as StaticString)
        append(decimal: number)
        append(rest)
    }

    private mutating func append(words: [String]) {
        for (index, word) in words.enumerated() {
            if index > 0 { append(UInt8(ascii: " ")) }
            append(word)
        }
    }
}
