import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

/// What LIST and LSUB answer, computed from an account's mailboxes and subscriptions.
struct MailboxListing {
    /// Names that are matched between two looks whether others wait, or nobody does.
    private static let namesAtOnce = 64

    private let mailboxes: [MailboxName: Mailbox]
    /// On others' mailboxes, by the user's name for them.
    private let sharedRights: [MailboxName: MailboxRights]
    private let subscriptions: Set<MailboxName>
    /// Names that have inferiors: mailboxes, or nothing but a level above some.
    private let parents: Set<MailboxName>
    private let subscribedParents: Set<MailboxName>

    /// - Parameter shared: others' mailboxes that the user may look up, with the user's names for them.
    init(_ own: [Mailbox], shared: [SharedMailbox] = [], subscriptions: [MailboxName]) {
        let mailboxes = own.filter { !Namespaces.isForeign($0.name) } + shared.map(\.mailbox)
        sharedRights = Dictionary(
            shared.map { ($0.mailbox.name, $0.rights) }, uniquingKeysWith: { first, _ in first })
        self.mailboxes = Dictionary(mailboxes.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.subscriptions = Set(subscriptions)
        parents = MailboxListing.superiors(of: mailboxes.map(\.name))
        subscribedParents = MailboxListing.superiors(of: subscriptions)
    }

    func rights(on name: MailboxName) -> MailboxRights { sharedRights[name] ?? .all }

    private static func superiors(of names: [MailboxName]) -> Set<MailboxName> {
        var superiors = Set<MailboxName>()
        for name in names {
            var next = name.parent
            while let superior = next, superiors.insert(superior).inserted { next = superior.parent }
        }
        return superiors
    }

    /// One name with its attributes; and its mailbox, where there is one that the selection is about: more may be told
    /// of it (RFC 5819 §2, RFC 8440 §3, RFC 9590 §3).
    struct Answer {
        var entry: ListEntry
        var mailbox: Mailbox?
    }

    /// RFC 3501 §6.3.8, RFC 5258, RFC 6154.
    func list(_ request: ListRequest) async throws -> [Answer] {
        let patterns = request.patterns.map { MailboxPattern(request.reference + $0) }
        var names = Set(mailboxes.keys).union(parents)
        if request.selection.subscribed { names.formUnion(subscriptions.union(subscribedParents)) }
        let matching = try await matching(names) { name in patterns.contains { $0.matches(name) } }
        // RFC 5258 §3.5: the levels above names that are selected; and above those of them that are not told themselves.
        var (above, aboveUntold): (Set<MailboxName>, Set<MailboxName>) = ([], [])
        if request.selection.recursiveMatch {
            let selected = names.filter { isSelected($0, request.selection) }
            above = MailboxListing.superiors(of: Array(selected))
            aboveUntold = MailboxListing.superiors(of: Array(selected.subtracting(matching)))
        }
        return matching.compactMap { name in
            let isSelected = isSelected(name, request.selection)
            guard isSelected || aboveUntold.contains(name) else { return nil }
            let childInfo = above.contains(name) ? request.selection.criteria : []
            let entry = ListEntry(name: name.text, attributes: attributes(name, request), childInfo: childInfo)
            return Answer(entry: entry, mailbox: isSelected ? mailboxes[name] : nil)
        }
    }

    /// Those that match, in order.
    private func matching(
        _ names: Set<MailboxName>, _ matches: (MailboxName) -> Bool
    ) async throws -> [MailboxName] {
        var matching: [MailboxName] = []
        for (index, name) in names.sorted().enumerated() {
            if index % Self.namesAtOnce == 0 {
                try Task.checkCancellation()
                await Task.yield()
            }
            if matches(name) { matching.append(name) }
        }
        return matching
    }

    private func isSelected(_ name: MailboxName, _ selection: ListSelection) -> Bool {
        (!selection.subscribed || subscriptions.contains(name))
            && (!selection.specialUse || mailboxes[name]?.specialUse != nil)
    }

    private func attributes(_ name: MailboxName, _ request: ListRequest) -> [String] {
        var attributes: [String] = []
        let mailbox = mailboxes[name]
        if mailbox == nil { attributes.append(request.isExtended ? "\\NonExistent" : "\\Noselect") }
        // RFC 5819 §2: it may be looked up, and not be read.
        if mailbox != nil, !rights(on: name).contains(.read) { attributes.append("\\Noselect") }
        if (request.selection.subscribed || request.returns.subscribed), subscriptions.contains(name) {
            attributes.append("\\Subscribed")
        }
        attributes.append(parents.contains(name) ? "\\HasChildren" : "\\HasNoChildren")
        if let use = mailbox?.specialUse { attributes.append(use.rawValue) }
        return attributes
    }

    /// RFC 3501 §6.3.9. A level that is not subscribed, but has something subscribed below that the pattern does not
    /// reach, is told as `\Noselect`.
    func subscribed(reference: String, pattern: String) async throws -> [ListEntry] {
        let pattern = MailboxPattern(reference + pattern)
        let matching = try await matching(subscriptions.union(subscribedParents), pattern.matches)
        let reached = MailboxListing.superiors(of: matching.filter { subscriptions.contains($0) })
        return matching.compactMap { name in
            if subscriptions.contains(name) { return ListEntry(name: name.text) }
            return reached.contains(name) ? nil : ListEntry(name: name.text, attributes: ["\\Noselect"])
        }
    }
}

extension ListSelection {
    /// What CHILDINFO names (RFC 5258 §3.5): all that an inferior satisfies.
    fileprivate var criteria: [String] {
        (subscribed ? ["SUBSCRIBED"] : []) + (specialUse ? ["SPECIAL-USE"] : [])
    }
}

extension MailboxListing {
    /// The untagged responses to a LIST; what else is told of a mailbox stands behind its name.
    ///
    /// - Parameter annotations: by mailbox, of those that may be annotated and are read.
    static func written(
        _ answers: [Answer], _ request: ListRequest, rights: (MailboxName) -> MailboxRights,
        annotations: [MailboxID: [Annotation]], _ encoding: MailboxEncoding, appendLimit: UInt64
    ) -> [UInt8] {
        var output = OutputBuffer()
        for answer in answers {
            output.append(list: answer.entry, encoding)
            guard let mailbox = answer.mailbox else { continue }
            let rights = rights(mailbox.name)
            if !request.returns.status.isEmpty, rights.contains(.read) {
                let values = mailbox.values(request.returns.status, appendLimit: appendLimit)
                output.append(statusOf: mailbox.name, values, encoding)
            }
            if request.returns.rights { output.append(myRights: rights, on: mailbox.name, encoding) }
            if let known = annotations[mailbox.id] {
                let values = request.returns.annotations.map { name in
                    (name: name, value: known.first { $0.name == name }?.value)
                }
                output.append(metadataOf: .mailbox(mailbox.name), values, encoding)
            }
        }
        return output.take()
    }

    /// The untagged responses to an LSUB.
    func written(
        reference: String, pattern: String, _ encoding: MailboxEncoding
    ) async throws -> [UInt8] {
        var output = OutputBuffer()
        for entry in try await subscribed(reference: reference, pattern: pattern) {
            output.append(list: entry, encoding, command: "LSUB")
        }
        return output.take()
    }
}
