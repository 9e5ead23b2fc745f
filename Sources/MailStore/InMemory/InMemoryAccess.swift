import MailVocabulary

// Access control lists of the in-memory store.

extension InMemoryState {
    private func domain(_ account: AccountID) -> Domain? { accounts[account]?.account.address.domain }

    func accessList(of id: MailboxID) throws -> [AccessEntry] {
        guard let mailbox = mailboxes[id] else { throw StoreError.noSuchMailbox }
        let entries = mailbox.access.map { identifier, rights in
            AccessEntry(
                identifier: identifier, address: identifier.account.flatMap { accounts[$0]?.account.address },
                rights: rights)
        }
        return entries.sorted { a, b in
            let (first, second) = (a.address?.description ?? "", b.address?.description ?? "")
            return first == second ? !a.identifier.isNegative && b.identifier.isNegative : first < second
        }
    }

    mutating func changeAccess(_ change: RightsChange, of identifier: AccessIdentifier, on id: MailboxID) throws {
        guard let mailbox = mailboxes[id] else { throw StoreError.noSuchMailbox }
        if let account = identifier.account {
            guard account != mailbox.account, let domain = domain(account), domain == self.domain(mailbox.account)
            else { throw StoreError.noSuchAccount }
        }
        let rights = change.applied(to: mailbox.access[identifier] ?? [])
        guard
            rights.isEmpty || mailbox.access[identifier] != nil
                || mailbox.access.count < StoreLimits.accessEntriesPerMailbox
        else { throw StoreError.tooManyAccessEntries }
        mailboxes[id]?.access[identifier] = rights.isEmpty ? nil : rights
        noteAccess(id, of: identifier)
    }

    func rights(of account: AccountID, on id: MailboxID) -> MailboxRights {
        guard let mailbox = mailboxes[id] else { return [] }
        guard mailbox.account != account else { return .all }
        guard let domain = domain(account), domain == self.domain(mailbox.account) else { return [] }
        var effective = EffectiveRights()
        for (identifier, rights) in mailbox.access where identifier.account == nil || identifier.account == account {
            effective.add(rights, isNegative: identifier.isNegative)
        }
        return effective.rights
    }

    func sharedMailboxes(with account: AccountID) -> [SharedMailbox] {
        let shared = mailboxes.filter { !$0.value.access.isEmpty && $0.value.account != account }.keys.sorted()
        return Array(
            shared.compactMap { id in
                let rights = rights(of: account, on: id)
                guard !rights.isEmpty, let mailbox = record(id), let owner = accounts[mailbox.account] else {
                    return nil
                }
                return SharedMailbox(mailbox: mailbox, owner: owner.account.address, rights: rights)
            }.prefix(StoreLimits.sharedMailboxes))
    }

    /// What a new mailbox of that name begins with: the list of the nearest superior that is there.
    func inheritedAccess(_ name: MailboxName, in account: AccountEntry) -> [AccessIdentifier: MailboxRights] {
        var next = name.parent
        while let superior = next {
            if let id = account.mailboxes[superior] { return mailboxes[id]?.access ?? [:] }
            next = superior.parent
        }
        return [:]
    }

    /// Takes an account out of every list.
    mutating func dropAccess(of account: AccountID) {
        // What anyone may, it may no more.
        noteAccess()
        for id in mailboxes.keys {
            for isNegative in [false, true] {
                let identifier = AccessIdentifier(account, isNegative: isNegative)
                guard mailboxes[id]?.access.removeValue(forKey: identifier) != nil else { continue }
                noteAccess(id)
            }
        }
    }
}
