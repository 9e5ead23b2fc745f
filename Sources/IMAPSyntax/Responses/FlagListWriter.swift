package import MailVocabulary
package import WireFraming

/// Writes the flags of many messages. Few combinations occur in a mailbox: their texts are kept.
package struct FlagListWriter: Sendable {
    private struct Entry: Sendable {
        var flags: FlagBits
        var isRecent: Bool
        var text: [UInt8]
    }

    /// More combinations are rare, and cost their composing each time.
    private static let entriesKept = 16

    private let keywords: KeywordTable
    private var entries: [Entry] = []

    package init(_ keywords: KeywordTable) { self.keywords = keywords }

    // "FLAGS" SP "(" [flag-fetch *(SP flag-fetch)] ")"          RFC 9051 §9
    /// - Parameter recent: whether to write `\Recent` (IMAP4rev1 only).
    package mutating func append(_ flags: FlagBits, recent: Bool = false, to output: inout OutputBuffer) {
        for index in entries.indices where entries[index].flags == flags && entries[index].isRecent == recent {
            output.append(entries[index].text)
            return
        }
        var buffer = OutputBuffer()
        buffer.append("FLAGS " as StaticString)
        buffer.append(flags: keywords.flags(flags), extra: recent ? "\\Recent" : nil)
        let text = buffer.take()
        output.append(text)
        if entries.count < Self.entriesKept { entries.append(Entry(flags: flags, isRecent: recent, text: text)) }
    }

    /// A whole `* n FETCH (FLAGS (…))`, with `UID u` in front when one is given.
    package mutating func appendFetch(
        sequenceNumber: UInt32, uid: UID?, _ flags: FlagBits, recent: Bool = false, to output: inout OutputBuffer
    ) {
        output.append("* " as StaticString)
        output.append(decimal: sequenceNumber)
        if let uid {
            output.append(" FETCH (UID " as StaticString)
            output.append(decimal: uid.value)
            output.append(UInt8(ascii: " "))
        } else {
            output.append(" FETCH (" as StaticString)
        }
        append(flags, recent: recent, to: &output)
        output.append(")\r\n" as StaticString)
    }
}

extension OutputBuffer {
    // message-data = nz-number SP ("EXPUNGE" / ("FETCH" SP msg-att))
    /// `* n FETCH (`; the items, `)` and the line's end are the caller's.
    package mutating func append(fetchOf sequenceNumber: UInt32) {
        append("* " as StaticString)
        append(decimal: sequenceNumber)
        append(" FETCH (" as StaticString)
    }
}
