package import IMAPSyntax
import MailStore
package import MailVocabulary
import WireFraming

/// An untagged response that tells of something nobody asked for just now (RFC 5465 §5).
package enum Notice: Sendable {
    case status(MailboxName, [(item: StatusItem, value: StatusValue)])
    case list(ListEntry)
    case metadata(AnnotatedPlace, [AnnotationName])
}

/// Notices on their way to the client.
struct NoticeList: Sendable {
    private let notices: [Notice]
    private let encoding: MailboxEncoding
    private var next = 0

    init(_ notices: [Notice], _ encoding: MailboxEncoding) {
        self.notices = notices
        self.encoding = encoding
    }

    /// True when all are written.
    mutating func write(_ output: inout OutputBuffer) -> Bool {
        while next < notices.count {
            guard output.count < productionChunk else { return false }
            switch notices[next] {
            case .status(let name, let values): output.append(statusOf: name, values, encoding)
            case .list(let entry): output.append(list: entry, encoding)
            case .metadata(let place, let names): output.append(changedMetadataOf: place, names, encoding)
            }
            next += 1
        }
        return true
    }
}

extension NotifyEvents {
    /// What STATUS tells at once (RFC 5465 §3.1); nil when none is asked for.
    var statusItems: [StatusItem]? {
        guard contains(.messageNew) else { return nil }
        let items: [StatusItem] = [.messages, .uidNext, .uidValidity]
        return contains(.flagChange) ? items + [.unseen, .highestModSeq] : items
    }

    /// What STATUS tells of what happened in a mailbox that is not selected (RFC 5465 §5.1–§5.3); nil when none of it is
    /// wanted, or can be told.
    func statusItems(after happened: MessageEvents, _ enabled: EnabledFeatures) -> [StatusItem]? {
        let knowsModSeq = enabled.contains(.condstore)
        var items: [StatusItem] = []
        if contains(.messageNew), !happened.isDisjoint(with: [.added, .removed]) { items = [.messages, .uidNext] }
        if contains(.flagChange), happened.contains(.unseen) || !items.isEmpty { items.append(.unseen) }
        let tellsFlags = contains(.flagChange) && happened.contains(.flags) && knowsModSeq
        let tellsValidity = contains(.messageNew) && happened.contains(.uidValidity)
        guard !items.isEmpty || tellsFlags || tellsValidity else { return nil }
        items.append(.uidValidity)
        if knowsModSeq { items.append(.highestModSeq) }
        return items
    }
}
