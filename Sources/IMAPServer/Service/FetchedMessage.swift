import IMAPSyntax
import MailStore
import MessageFormat
import WireFraming

/// A message of a FETCH with what was read of it.
struct FetchedMessage {
    let position: Int
    let row: MessageRow
    /// Encoded.
    var summary: [UInt8]?
    /// Nil when it is read by ranges, or could not be read.
    var body: [UInt8]?
    private var structure: BodyPart?
    private var isDecoded = false

    init(position: Int, row: MessageRow) {
        self.position = position
        self.row = row
    }

    /// Whether the summary turned out not to be one.
    private(set) var isDamaged = false

    /// ENVELOPE, BODY, BODYSTRUCTURE.
    mutating func write(_ item: FetchPlan.Item, _ output: inout OutputBuffer) {
        output.append(item.label)
        switch item.kind {
        case .envelope:
            if let summary, output.append(envelopeOf: summary.span) { return }
            if summary != nil { isDamaged = true }
            output.append(envelope: Envelope())
        case .structure(let extended):
            decode()
            output.append(structure: structure ?? .unknown(size: Int(row.size)), extended: extended)
        case .flags, .uid, .internalDate, .size, .section: break
        }
    }

    mutating func content(_ section: BodySection) -> SectionContent {
        if section != BodySection() { decode() }
        return section.content(size: Int(row.size), root: structure)
    }

    private mutating func decode() {
        guard !isDecoded else { return }
        isDecoded = true
        structure = summary.flatMap { BodyPart(encodedSummary: $0.span) }
        if summary != nil, structure == nil { isDamaged = true }
    }
}

extension BodyPart {
    /// What is said of a message whose summary is damaged: one part of unknown type.
    static func unknown(size: Int) -> BodyPart {
        BodyPart(
            type: Array("APPLICATION".utf8), subtype: Array("OCTET-STREAM".utf8), headerRange: 0..<0,
            bodyRange: 0..<size, lineCount: 0, kind: .single)
    }
}
