package import IMAPSyntax
import MailVocabulary
import WireFraming

/// A FETCH's items, made ready: what the answer to each begins with is written once, not for every message.
package struct FetchPlan: Sendable {
    package struct Item: Sendable, Hashable {
        var kind: Kind
        /// ` BODY[HEADER.FIELDS (To)]<0> `, up to where the value begins; of the first item ` FETCH (…`.
        var label: [UInt8]
    }

    package enum Kind: Sendable, Hashable {
        case flags
        /// RFC 7162 §3.1.4.2.
        case modSeq
        case uid
        case internalDate
        case saveDate
        case emailID
        case threadID
        case size
        case envelope
        case structure(extended: Bool)
        case section(BodySection, PartialRange?)
        case binary(part: [UInt32], PartialRange?)
        case binarySize(part: [UInt32])
        case preview
    }

    let items: [Item]
    /// What the client has enabled: how strings and structures are written depends on it.
    let enabled: EnabledFeatures
    /// Envelope, structure, or where a part begins.
    let needsSummary: Bool
    let needsBody: Bool
    /// Octets of a body that is read whole; a larger one is read by ranges.
    let wholeBody: Int
    /// Sections: how often a message's octets may be written.
    private let sectionCount: Int

    /// Nil for items that need an extension this server does not have.
    ///
    /// - Parameter withUID: whether the UID is told unasked, as in the answer to UID FETCH.
    package init?(_ requested: [FetchItem], withUID: Bool, _ enabled: EnabledFeatures = []) {
        var items: [Item] = []
        // A UIDFETCH begins with it.
        if withUID, !enabled.contains(.uidOnly), !requested.contains(.uid) { items.append(Item(.uid)) }
        // Once is enough, however often it is asked for.
        var known: Set<Item> = []
        for item in requested {
            guard let item = Item(requested: item) else { return nil }
            if known.insert(item).inserted { items.append(item) }
        }
        self.init(items, enabled)
    }

    private init(_ items: [Item], _ enabled: EnabledFeatures) {
        self.enabled = enabled
        // message-data =/ uniqueid SP "UIDFETCH" SP msg-att          RFC 9586
        let opening = enabled.contains(.uidOnly) ? " UIDFETCH (" : " FETCH ("
        self.items = items.enumerated().map { index, item in
            Item(kind: item.kind, label: Array((index == 0 ? opening : " ").utf8) + item.label)
        }
        var (needsSummary, sections, onlyHeaders) = (false, 0, true)
        for item in items {
            switch item.kind {
            case .flags, .modSeq, .uid, .internalDate, .size, .saveDate, .emailID, .threadID: break
            case .envelope, .structure, .preview: needsSummary = true
            case .binary, .binarySize:
                sections += 1
                needsSummary = true
                onlyHeaders = false
            case .section(let section, _):
                sections += 1
                if section != BodySection() { needsSummary = true }
                if !section.isOfHeader { onlyHeaders = false }
            }
        }
        self.needsSummary = needsSummary
        sectionCount = sections
        needsBody = sections > 0
        // Where only the header is wanted, reading the rest of the body is worth it as long as it is not much more.
        wholeBody = onlyHeaders ? 16 * 1024 : 128 * 1024
    }

    /// At most, of one message.
    func octetsToWrite(ofMessage size: Int) -> Int { sectionCount * min(size, wholeBody) }

    /// What is told unasked. Who has enabled CONDSTORE is told the UID and the MODSEQ too (RFC 7162 §3.2.4), and who has
    /// enabled IMAP4rev2 the UID (RFC 9051 §7.5.2).
    static func flags(withUID: Bool, _ enabled: EnabledFeatures) -> FetchPlan {
        let tellsModSeq = enabled.contains(.condstore)
        let tellsUID =
            (withUID || tellsModSeq || enabled.contains(.imap4rev2)) && !enabled.contains(.uidOnly)
        return FetchPlan(
            (tellsUID ? [Item(.uid)] : []) + [Item(.flags)] + (tellsModSeq ? [Item(.modSeq)] : []), enabled)
    }

    /// The MODSEQ of messages whose flags the client knows.
    static func modSeq(_ enabled: EnabledFeatures) -> FetchPlan {
        FetchPlan((enabled.contains(.uidOnly) ? [] : [Item(.uid)]) + [Item(.modSeq)], enabled)
    }

    /// Whether the index alone answers.
    var isIndexed: Bool { !needsSummary && !needsBody }

    func tells(_ kind: Kind) -> Bool { items.contains { $0.kind == kind } }
}

extension FetchPlan.Item {
    fileprivate init(_ kind: FetchPlan.Kind, _ label: String) {
        self.kind = kind
        self.label = Array(label.utf8)
    }

    /// For items that are named by one word.
    fileprivate init(_ kind: FetchPlan.Kind) {
        switch kind {
        case .flags: self.init(kind, "FLAGS (")
        case .modSeq: self.init(kind, "MODSEQ (")
        case .uid: self.init(kind, "UID ")
        case .internalDate: self.init(kind, "INTERNALDATE ")
        case .size: self.init(kind, "RFC822.SIZE ")
        case .saveDate: self.init(kind, "SAVEDATE ")
        case .emailID: self.init(kind, "EMAILID (")
        case .threadID: self.init(kind, "THREADID (")
        case .envelope: self.init(kind, "ENVELOPE ")
        case .structure(let extended): self.init(kind, extended ? "BODYSTRUCTURE " : "BODY ")
        case .section(let section, let partial): self.init(section, partial)
        case .binary(let part, let partial): self.init(kind) { $0.append(binaryPart: part, partial: partial) }
        case .binarySize(let part): self.init(kind) { $0.append(binarySizeOf: part) }
        case .preview: self.init(kind, "PREVIEW ")
        }
    }

    private init(_ section: BodySection, _ partial: PartialRange?) {
        self.init(.section(section, partial)) { $0.append(section: section, partial: partial) }
    }

    private init(_ kind: FetchPlan.Kind, naming: (inout OutputBuffer) -> Void) {
        self.kind = kind
        var output = OutputBuffer()
        naming(&output)
        output.append(" ")
        label = output.take()
    }

    fileprivate init?(requested item: FetchItem) {
        switch item {
        case .flags: self.init(.flags)
        case .uid: self.init(.uid)
        case .internalDate: self.init(.internalDate)
        case .saveDate: self.init(.saveDate)
        case .emailID: self.init(.emailID)
        case .threadID: self.init(.threadID)
        case .rfc822: self.init(.section(BodySection(), nil), "RFC822 ")
        case .rfc822Header: self.init(.section(BodySection(.header), nil), "RFC822.HEADER ")
        case .rfc822Text: self.init(.section(BodySection(.text), nil), "RFC822.TEXT ")
        case .rfc822Size: self.init(.size)
        case .envelope: self.init(.envelope)
        case .body: self.init(.structure(extended: false))
        case .bodyStructure: self.init(.structure(extended: true))
        case .section(_, let section, let partial): self.init(section, partial)
        case .binary(_, let part, let partial): self.init(.binary(part: part, partial))
        case .binarySize(let part): self.init(.binarySize(part: part))
        case .preview: self.init(.preview)
        case .modSeq: self.init(.modSeq)
        }
    }
}
