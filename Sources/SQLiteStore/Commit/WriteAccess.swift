import GRDB
import MailStore
import MailVocabulary

// Access control lists. A row says whom it is about by number; 0 is anyone of the owner's domain.

extension WriteTransaction {
    func changeAccess(_ change: RightsChange, of identifier: AccessIdentifier, on mailbox: MailboxID) throws {
        let owner = try draft(mailbox).state.record.account
        let domain = try domainName(of: owner)
        if let account = identifier.account {
            guard account != owner, try domainName(of: account) == domain else { throw StoreError.noSuchAccount }
        }
        let key: StatementArguments = [mailbox.value, identifier.account?.value ?? 0, identifier.isNegative]
        let select = try db.cachedStatement(
            sql: "SELECT rights FROM access WHERE mailbox = ? AND account = ? AND negative = ?")
        let known = try Int64.fetchOne(select, arguments: key)
        let rights = change.applied(to: MailboxRights(stored: known ?? 0))
        if rights.isEmpty {
            try execute("DELETE FROM access WHERE mailbox = ? AND account = ? AND negative = ?", key)
        } else {
            if known == nil { try requireRoom(forAccessTo: mailbox) }
            try execute(
                "INSERT OR REPLACE INTO access (mailbox, account, negative, domain, rights) VALUES (?, ?, ?, ?, ?)",
                key + [domain, Int64(rights.rawValue)])
        }
        try noteAccess(mailbox, of: owner, to: identifier, in: domain)
    }

    private func requireRoom(forAccessTo mailbox: MailboxID) throws {
        let select = try db.cachedStatement(sql: "SELECT count(*) FROM access WHERE mailbox = ?")
        let count = try Int.fetchOne(select, arguments: [mailbox.value]) ?? 0
        guard count < StoreLimits.accessEntriesPerMailbox else { throw StoreError.tooManyAccessEntries }
    }

    private func domainName(of account: AccountID) throws -> String {
        let select = try db.cachedStatement(sql: "SELECT domain FROM account WHERE id = ?")
        guard let domain = try String.fetchOne(select, arguments: [account.value]) else {
            throw StoreError.noSuchAccount
        }
        return domain
    }

    private func noteAccess(
        _ mailbox: MailboxID, of owner: AccountID, to identifier: AccessIdentifier, in domain: String
    ) throws {
        noteAccess(mailbox, of: owner)
        let select = try db.cachedStatement(sql: "SELECT local FROM account WHERE id = ?")
        guard let local = try String.fetchOne(select, arguments: [owner.value]), let domain = Domain(domain) else {
            return
        }
        pending.changes.note(
            .access(mailbox, try draft(mailbox).state.record.name, owner: Address(localPart: local, domain: domain)),
            of: owner, others: [identifier.account.map(Audience.account) ?? .domain(domain)])
    }

    private func noteAccess(_ mailbox: MailboxID, of owner: AccountID) {
        pending.changes.access = true
        pending.changes.mailboxes.insert(mailbox)
        pending.changes.accounts.insert(owner)
    }

    /// The nearest superior that is there: new mailboxes begin with its list.
    func nearestSuperior(of name: MailboxName, _ names: [MailboxName: MailboxID]) -> MailboxID? {
        var next = name.parent
        while let superior = next {
            if let id = names[superior] { return id }
            next = superior.parent
        }
        return nil
    }

    func inheritAccess(_ mailbox: MailboxID, from superior: MailboxID?) throws {
        guard let superior else { return }
        try execute(
            """
            INSERT INTO access (mailbox, account, negative, domain, rights)
            SELECT ?, account, negative, domain, rights FROM access WHERE mailbox = ?
            """, [mailbox.value, superior.value])
    }

    func dropAccess(on mailbox: MailboxID) throws {
        let before = db.totalChangesCount
        try execute("DELETE FROM access WHERE mailbox = ?", [mailbox.value])
        if db.totalChangesCount > before { pending.changes.access = true }
    }

    /// Takes an account out of every list.
    func dropAccess(of account: AccountID) throws {
        // What anyone may, it may no more.
        pending.changes.access = true
        let select = try db.cachedStatement(
            sql: """
                SELECT DISTINCT mailbox.id, mailbox.account FROM access JOIN mailbox ON mailbox.id = access.mailbox
                WHERE access.domain = (SELECT domain FROM account WHERE id = ?1) AND access.account = ?1
                """)
        for row in try Row.fetchAll(select, arguments: [account.value]) {
            noteAccess(MailboxID(try row.value(0)), of: AccountID(try row.value(1)))
        }
        try execute(
            "DELETE FROM access WHERE domain = (SELECT domain FROM account WHERE id = ?1) AND account = ?1",
            [account.value])
    }
}

extension MailboxRights {
    /// Bits that no right has are a damaged database's, and give nothing.
    init(stored: Int64) { self = MailboxRights(rawValue: UInt16(truncatingIfNeeded: stored)).intersection(.all) }
}
