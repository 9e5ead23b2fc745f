/// The fields a summary is made of.
enum KnownField: Int {
    case date, subject, from, sender, replyTo, to, cc, bcc, inReplyTo, messageID, references
    case contentType, contentTransferEncoding, contentID, contentDescription, contentMD5
    case contentDisposition, contentLanguage, contentLocation

    static let count = 19

    init?(_ bytes: Span<UInt8>, _ name: Range<Int>) {
        guard let field = Self.candidates(ofLength: name.count).first(where: { bytes.isWord($0.name, in: name) })
        else { return nil }
        self = field
    }

    /// Few names share a length, so most fields are told apart by it.
    private static func candidates(ofLength length: Int) -> [KnownField] {
        length < byLength.count ? byLength[length] : []
    }

    private static let byLength: [[KnownField]] = (0...25).map { length in
        (0..<count).compactMap(KnownField.init(rawValue:)).filter { $0.name.utf8CodeUnitCount == length }
    }

    private var name: StaticString {
        switch self {
        case .date: "DATE"
        case .subject: "SUBJECT"
        case .from: "FROM"
        case .sender: "SENDER"
        case .replyTo: "REPLY-TO"
        case .to: "TO"
        case .cc: "CC"
        case .bcc: "BCC"
        case .inReplyTo: "IN-REPLY-TO"
        case .messageID: "MESSAGE-ID"
        case .references: "REFERENCES"
        case .contentType: "CONTENT-TYPE"
        case .contentTransferEncoding: "CONTENT-TRANSFER-ENCODING"
        case .contentID: "CONTENT-ID"
        case .contentDescription: "CONTENT-DESCRIPTION"
        case .contentMD5: "CONTENT-MD5"
        case .contentDisposition: "CONTENT-DISPOSITION"
        case .contentLanguage: "CONTENT-LANGUAGE"
        case .contentLocation: "CONTENT-LOCATION"
        }
    }
}

/// Where the known fields of one header are. Of a field that stands twice, the first counts.
struct KnownFields {
    private var ranges = InlineArray<19, Range<Int>>(repeating: 0..<0)
    private var present: UInt32 = 0

    mutating func note(_ field: KnownField, _ value: Range<Int>) {
        guard present & 1 << UInt32(field.rawValue) == 0 else { return }
        present |= 1 << UInt32(field.rawValue)
        ranges[field.rawValue] = value
    }

    /// The raw value.
    subscript(field: KnownField) -> Range<Int>? {
        present & 1 << UInt32(field.rawValue) != 0 ? ranges[field.rawValue] : nil
    }
}
