import MailVocabulary

// Annotations of the in-memory store.

/// Where annotations are.
struct AnnotationPlace: Hashable, Sendable {
    /// Nil: the server.
    var mailbox: MailboxID?
    /// Nil: everybody's who may read the mailbox.
    var reader: AccountID?
}

extension InMemoryState {
    func annotations(
        _ selection: AnnotationSelection, on mailboxes: [MailboxID?], for account: AccountID
    ) -> [[Annotation]] {
        mailboxes.map { mailbox in
            let places = [AnnotationPlace(mailbox: mailbox), AnnotationPlace(mailbox: mailbox, reader: account)]
            let all = places.flatMap { annotations[$0] ?? [:] }.filter { selection.selects($0.key) }
            return all.map { Annotation(name: $0.key, value: $0.value) }.sorted { $0.name < $1.name }
        }
    }

    mutating func setAnnotations(
        _ changes: [(name: AnnotationName, value: [UInt8]?)], _ use: SpecialUseChange, on mailbox: MailboxID?,
        for account: AccountID
    ) throws {
        guard accounts[account] != nil else { throw StoreError.noSuchAccount }
        if let mailbox, mailboxes[mailbox] == nil { throw StoreError.noSuchMailbox }
        let before = (annotations, mailboxes)
        do {
            if case .set(let use) = use { try setSpecialUse(use, of: mailbox) }
            for (name, value) in changes {
                if mailbox == nil, !name.isPrivate { throw StoreError.noSuchMailbox }
                guard value.map({ $0.count <= StoreLimits.annotationSize }) ?? true else {
                    throw StoreError.annotationTooLarge
                }
                let place = AnnotationPlace(mailbox: mailbox, reader: name.isPrivate ? account : nil)
                annotations[place, default: [:]][name] = value
                guard annotations[place]?.count ?? 0 <= StoreLimits.annotationsPerMailbox else {
                    throw StoreError.tooManyAnnotations
                }
            }
            for payer in Set(changes.compactMap { self.payer($0.name, mailbox, account) }) {
                guard
                    annotationOctets(of: payer) <= StoreLimits.annotationOctetsPerAccount
                        || !changes.contains(where: { $0.value != nil })
                else { throw StoreError.tooManyAnnotations }
                noteChange(payer)
            }
            if let mailbox, let modSeq = mailboxes[mailbox]?.snapshot.highestModSeq {
                mailboxes[mailbox]?.snapshot.highestModSeq = modSeq.next()
                noteChange(mailbox)
            }
            noteAnnotated(changes.map(\.name), on: mailbox, by: account)
        } catch {
            (annotations, mailboxes) = before
            _ = takeChanges()
            throw error
        }
    }

    private mutating func setSpecialUse(_ use: SpecialUse?, of id: MailboxID?) throws {
        guard let id, let owner = mailboxes[id]?.account else { throw StoreError.noSuchMailbox }
        let isTaken = mailboxes.contains { $0.key != id && $0.value.account == owner && $0.value.specialUse == use }
        guard use == nil || !isTaken else { throw StoreError.specialUseTaken }
        mailboxes[id]?.specialUse = use
        noteChange(owner)
        note(.annotated(owned(id), [.specialUse]), of: owner)
    }

    private mutating func noteAnnotated(_ names: [AnnotationName], on mailbox: MailboxID?, by account: AccountID) {
        let (own, shared) = (names.filter(\.isPrivate), names.filter { !$0.isPrivate })
        let place = mailbox.flatMap(owned)
        if !own.isEmpty { note(.annotated(place, own), of: account) }
        if !shared.isEmpty, let place { note(.annotated(place, shared), of: place.owner) }
    }

    private func owned(_ id: MailboxID) -> OwnedMailbox? {
        mailboxes[id].map { OwnedMailbox(id: id, name: $0.name, owner: $0.account) }
    }

    /// Who answers for the room that an entry takes.
    private func payer(_ name: AnnotationName, _ mailbox: MailboxID?, _ account: AccountID) -> AccountID? {
        name.isPrivate ? account : mailbox.flatMap { mailboxes[$0]?.account }
    }

    private func annotationOctets(of account: AccountID) -> Int {
        annotations.reduce(0) { sum, entry in
            let payer = entry.key.reader ?? entry.key.mailbox.flatMap { mailboxes[$0]?.account }
            return payer == account ? sum + entry.value.values.reduce(0) { $0 + $1.count } : sum
        }
    }

    mutating func copyAnnotations(from mailbox: MailboxID, to new: MailboxID) {
        for (place, entries) in annotations where place.mailbox == mailbox {
            annotations[AnnotationPlace(mailbox: new, reader: place.reader)] = entries
        }
    }

    mutating func dropAnnotations(on mailbox: MailboxID) {
        annotations = annotations.filter { $0.key.mailbox != mailbox }
    }

    mutating func dropAnnotations(of account: AccountID) {
        annotations = annotations.filter { $0.key.reader != account }
    }
}
