package import MailVocabulary
package import WireFraming

/// Writes the flags of many messages. Few combinations occur in a mailbox, and neighbours mostly share theirs, so the
/// text of the last one is kept.
package struct FlagListWriter: Sendable {
    private let keywords: KeywordTable
    private var bits: FlagBits?
    private var isRecent = false
    private var text: [UInt8] = []

    package init(_ keywords: KeywordTable) { self.keywords = keywords }

    // "FLAGS" SP "(" [flag-fetch *(SP flag-fetch)] ")"          RFC 9051 §9
    /// - Parameter recent: whether to write `\Recent` (IMAP4rev1 only).
    package mutating func append(_ flags: FlagBits, recent: Bool = false, to output: inout OutputBuffer) {
        if flags != bits || recent != isRecent {
            var buffer = OutputBuffer()
            buffer.append("FLAGS " as StaticString)
            buffer.append(flags: keywords.flags(flags), extra: recent ? "\\Recent" : nil)
            text = buffer.take()
            bits = flags
            isRecent = recent
        }
        output.append(text)
    }

    /// A whole `* n FETCH (FLAGS (…))`, with `UID u` in front when one is given.
    package mutating func appendFetch(
        sequenceNumber: UInt32, uid: UID?, _ flags: FlagBits, recent: Bool = false, to output: inout OutputBuffer
    ) {
        output.append(fetchOf: sequenceNumber)
        if let uid {
            output.append("UID " as StaticString)
            output.append(decimal: uid.value)
            output.append(UInt8(ascii: " "))
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
