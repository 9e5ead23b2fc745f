import IMAPSyntax
import MailStore
import MailVocabulary

// What LIST and LSUB are computed from: the user's own mailboxes, and others' that the user may look up.

extension IMAPService {
    /// Mailboxes whose annotations are read at a time, and octets of all, after which no more are read: for the rest
    /// nothing is told of them (RFC 9590 §3 allows it).
    private static let annotatedAtOnce = 200
    private static let annotationOctets = 1 << 20

    /// The untagged responses to a LIST.
    func list(_ request: ListRequest, for user: Account, _ encoding: MailboxEncoding) async throws -> [UInt8] {
        let listing = try await listing(for: user, request)
        let answers = try await listing.list(request)
        let annotated = answers.compactMap(\.mailbox).filter { mailbox in
            !listing.rights(on: mailbox.name).isDisjoint(with: .annotating)
        }
        var annotations = try await annotations(request.returns.annotations, on: annotated.map(\.id), for: user)
        // Nobody is told what another's mailbox is for: `specialUse` is nil there.
        for mailbox in annotated where request.returns.annotations.contains(.specialUse) {
            guard let use = mailbox.specialUse else { continue }
            annotations[mailbox.id]?.append(Annotation(name: .specialUse, value: Array(use.rawValue.utf8)))
        }
        return MailboxListing.written(
            answers, request, rights: listing.rights(on:), annotations: annotations, encoding)
    }

    private func annotations(
        _ names: [AnnotationName], on mailboxes: [MailboxID], for user: Account
    ) async throws -> [MailboxID: [Annotation]] {
        var annotations: [MailboxID: [Annotation]] = [:]
        guard !names.isEmpty else { return annotations }
        var (rest, octets) = (mailboxes[...], 0)
        while !rest.isEmpty, octets < Self.annotationOctets {
            try Task.checkCancellation()
            let some = Array(rest.prefix(Self.annotatedAtOnce))
            rest = rest.dropFirst(some.count)
            let found = try await store.annotations(AnnotationSelection(names), on: some, for: user.id)
            for (mailbox, known) in zip(some, found) {
                octets += known.reduce(0) { $0 + $1.value.count }
                annotations[mailbox] = known
            }
        }
        return annotations
    }

    private func listing(for user: Account, _ request: ListRequest) async throws -> MailboxListing {
        let reachesOthers = request.patterns.contains { Namespaces.mayMatchForeign(request.reference + $0) }
        let own = try await store.mailboxes(of: user.id)
        let subscriptions = try await store.subscriptions(of: user.id)
        let shared = reachesOthers ? try await visibleMailboxes(for: user) : []
        return MailboxListing(own, shared: shared, subscriptions: subscriptions)
    }

    /// For LSUB, which asks for no mailbox.
    func subscriptionListing(of user: Account) async throws -> MailboxListing {
        MailboxListing([], subscriptions: try await store.subscriptions(of: user.id))
    }

    /// Others' mailboxes with the right `l`, under the user's names for them. What they are for (RFC 6154) is true for
    /// their owner only.
    func visibleMailboxes(for user: Account) async throws -> [SharedMailbox] {
        try await store.sharedMailboxes(with: user.id).compactMap { shared in
            guard shared.rights.contains(.lookUp),
                let name = Namespaces.name(of: shared.mailbox.name, owner: shared.owner)
            else { return nil }
            var shared = shared
            shared.mailbox.name = name
            shared.mailbox.specialUse = nil
            return shared
        }
    }
}
