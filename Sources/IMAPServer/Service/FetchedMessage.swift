import IMAPSyntax
import MailStore
import MessageFormat
import WireFraming

/// A message of a FETCH with what was read of it.
struct FetchedMessage {
    let position: Int
    let row: MessageRow
    /// Encoded; nil when the message is gone.
    var summary: ArraySlice<UInt8>?
    /// Nil when it is read by ranges, or gone.
    var body: [UInt8]?
    /// Whether it is there, and cannot be read.
    var isUnreadable = false
    private var structure: BodyPart?

    init(position: Int, row: MessageRow) {
        self.position = position
        self.row = row
    }

    /// ENVELOPE, BODY, BODYSTRUCTURE, PREVIEW. Clients keep what they say for good: nothing is made up for what is not there.
    mutating func write(
        _ item: FetchPlan.Item, _ enabled: EnabledFeatures, _ output: inout OutputBuffer
    ) throws(FetchProblem) {
        guard let summary else { throw .gone }
        output.append(item.label)
        switch item.kind {
        case .envelope:
            guard output.append(envelopeOf: summary.span, enabled.stringEncoding) else { throw .unreadable }
        case .structure(let extended):
            output.append(structure: try root(), extended: extended, enabled)
        case .preview:
            guard let preview = MessageSummary.preview(encodedSummary: summary.span) else { throw .unreadable }
            output.append(string: preview, enabled.stringEncoding)
        case .flags, .modSeq, .uid, .internalDate, .size, .saveDate, .emailID, .threadID, .section, .binary,
            .binarySize:
            break
        }
    }

    mutating func content(_ section: BodySection) throws(FetchProblem) -> SectionContent {
        section.content(size: Int(row.size), root: section == BodySection() ? nil : try root())
    }

    /// Throws `unknownEncoding`.
    mutating func binaryContent(_ part: [UInt32]) throws(FetchProblem) -> BinaryContent {
        let content = try root().binaryContent(part: part, size: Int(row.size))
        guard content != .unknownEncoding else { throw .unknownEncoding }
        return content
    }

    private mutating func root() throws(FetchProblem) -> BodyPart {
        if let structure { return structure }
        guard let summary else { throw .gone }
        guard let decoded = BodyPart(encodedSummary: summary.span) else { throw .unreadable }
        structure = decoded
        return decoded
    }
}
