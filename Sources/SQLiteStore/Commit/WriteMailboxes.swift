import Foundation
import GRDB
import MailStore
import MailVocabulary

// The tree of mailboxes.

extension WriteTransaction {
    /// All of an account's, so that names are compared as Swift does, not by their octets.
    func mailboxNames(of account: AccountID) throws -> [MailboxName: MailboxID] {
        let select = try db.cachedStatement(sql: "SELECT name, id FROM mailbox WHERE account = ?")
        var names: [MailboxName: MailboxID] = [:]
        let cursor = try Row.fetchCursor(select, arguments: [account.value])
        while let row = try cursor.next() {
            guard let name = MailboxName(try row.value(0) as String) else {
                throw StoreError.damaged("mailbox \(try row.value(1) as Int64): its name")
            }
            names[name] = MailboxID(try row.value(1))
        }
        return names
    }

    func createMailbox(_ name: MailboxName, of account: AccountID, specialUse: SpecialUse?) throws -> Mailbox {
        try require(account)
        let names = try mailboxNames(of: account)
        guard names[name] == nil else { throw StoreError.mailboxExists }
        if let specialUse {
            let taken = try db.cachedStatement(sql: "SELECT 1 FROM mailbox WHERE account = ? AND special_use = ?")
            guard try Int.fetchOne(taken, arguments: [account.value, specialUse.rawValue]) == nil else {
                throw StoreError.specialUseTaken
            }
        }
        let superiors = MailboxTree.missingSuperiors(of: name) { names[$0] != nil }
        guard names.count + superiors.count < StoreLimits.mailboxesPerAccount else {
            throw StoreError.tooManyMailboxes
        }
        let model = nearestSuperior(of: name, names)
        for superior in superiors {
            try inheritAccess(try addMailbox(superior, to: account, specialUse: nil), from: model)
        }
        let id = try addMailbox(name, to: account, specialUse: specialUse)
        try inheritAccess(id, from: model)
        var mailbox = try RowReader.state(id, db).record
        let subscribed = try db.cachedStatement(sql: "SELECT 1 FROM subscription WHERE account = ? AND name = ?")
        mailbox.isSubscribed = try Int.fetchOne(subscribed, arguments: [account.value, name.text]) != nil
        return mailbox
    }

    @discardableResult
    func addMailbox(_ name: MailboxName, to account: AccountID, specialUse: SpecialUse?) throws -> MailboxID {
        try execute(
            "INSERT INTO mailbox (account, name, uidvalidity, special_use) VALUES (?, ?, ?, ?)",
            [account.value, name.text, try newUIDValidity(), specialUse?.rawValue])
        let id = MailboxID(db.lastInsertedRowID)
        pending.changes.accounts.insert(account)
        pending.changes.note(.created(id, name), of: account)
        return id
    }

    /// Never below the clock, so that a store that is built anew in the place of a lost one does not repeat it.
    private func newUIDValidity() throws -> Int64 {
        let value = max(pending.nextUIDValidity, Int64(Date().timeIntervalSince1970))
        guard value <= Int64(UInt32.max) else { throw StoreError.unavailable("no UIDVALIDITY is left") }
        pending.nextUIDValidity = value + 1
        return value
    }

    func adoptUIDValidity(_ uidValidity: UIDValidity, of id: MailboxID) throws -> Bool {
        var (draft, snapshot) = try loadedDraft(id)
        let record = draft.state.record
        guard record.uidNext == 1, uidValidity.value <= rules.now() else { return false }
        try execute("UPDATE mailbox SET uidvalidity = ? WHERE id = ?", [Int64(uidValidity.value), id.value])
        draft.state.record.uidValidity = uidValidity
        draft.state.snapshot = MailboxSnapshot(
            mailbox: id, uidValidity: uidValidity, uidNext: 1, highestModSeq: snapshot.highestModSeq,
            keywords: snapshot.keywords)
        keep(draft, .uidValidity)
        pending.changes.accounts.insert(record.account)
        return true
    }

    func deleteMailbox(_ name: MailboxName, of account: AccountID) throws -> MailboxID {
        guard name != .inbox else { throw StoreError.mailboxNotDeletable }
        let id = try find(name, of: account)
        try dropMailbox(id)
        pending.changes.accounts.insert(account)
        return id
    }

    func dropMailbox(_ id: MailboxID) throws {
        let record = try draft(id).state.record
        count(UsageChange() - UsageChange(record), in: record.account)
        let index = try RowReader.indexFile(of: id, db)
        try dropDerived(of: id)
        for sql in [
            "DELETE FROM keyword WHERE mailbox = ?", "DELETE FROM url_key WHERE mailbox = ?",
            "DELETE FROM flag_change WHERE mailbox = ?", "DELETE FROM expunged WHERE mailbox = ?",
            "DELETE FROM index_file WHERE mailbox = ?",
            "DELETE FROM mailbox WHERE id = ?",
        ] { try execute(sql, [id.value]) }
        try purge(id, messages: record.messageCount)
        if let index { pending.deadFiles.append(directory.index(id, index.modSeq)) }
        try dropAccess(on: id)
        try dropAnnotations(on: id)
        pending.drafts[id] = nil
        pending.dropped.insert(id)
        pending.changes.mailboxes.insert(id)
        pending.changes.note(.deleted(id, record.name), of: record.account)
    }

    func renameMailbox(_ name: MailboxName, to target: MailboxName, of account: AccountID) throws {
        try require(account)
        guard name != .inbox else {
            let id = try find(name, of: account)
            let created = try createMailbox(target, of: account, specialUse: nil)
            pending.changes.note(.renamed(from: name, to: target), of: account)
            try copyAnnotations(from: id, to: created.id)
            let all = try loadedDraft(id).snapshot.allUIDs
            _ = try move(all, from: id, to: created.id)
            return
        }
        let names = try mailboxNames(of: account)
        let renames = try MailboxTree.renames(of: name, to: target, among: names.keys)
        let superiors = MailboxTree.missingSuperiors(of: target) { names[$0] != nil }
        guard names.count + superiors.count <= StoreLimits.mailboxesPerAccount else {
            throw StoreError.tooManyMailboxes
        }
        let model = nearestSuperior(of: target, names)
        for superior in superiors {
            try inheritAccess(try addMailbox(superior, to: account, specialUse: nil), from: model)
        }
        for (old, new) in renames {
            guard let moved = names[old] else { continue }
            try execute("UPDATE mailbox SET name = ? WHERE id = ?", [new.text, moved.value])
            // Read again from the database when next needed, unless rows are at hand.
            var draft = try draft(moved)
            draft.state.record.name = new
            pending.drafts[moved] = draft
        }
        pending.changes.accounts.insert(account)
        pending.changes.note(.renamed(from: name, to: target), of: account)
    }

    func setSubscribed(_ subscribed: Bool, _ name: MailboxName, of account: AccountID) throws {
        try require(account)
        let before = db.totalChangesCount
        if subscribed {
            try requireRoom(forSubscribing: name, account)
            try execute(
                "INSERT OR IGNORE INTO subscription (account, name) VALUES (?, ?)", [account.value, name.text])
        } else {
            try execute("DELETE FROM subscription WHERE account = ? AND name = ?", [account.value, name.text])
        }
        pending.changes.accounts.insert(account)
        if db.totalChangesCount > before { pending.changes.note(.subscribed(name, subscribed), of: account) }
    }

    /// Unless it is subscribed already. Throws `tooManyMailboxes`.
    private func requireRoom(forSubscribing name: MailboxName, _ account: AccountID) throws {
        let others = try db.cachedStatement(sql: "SELECT count(*) FROM subscription WHERE account = ? AND name <> ?")
        let count = try Int.fetchOne(others, arguments: [account.value, name.text]) ?? 0
        guard count < StoreLimits.subscriptionsPerAccount else { throw StoreError.tooManyMailboxes }
    }

    private func find(_ name: MailboxName, of account: AccountID) throws -> MailboxID {
        try require(account)
        guard let id = try mailboxNames(of: account)[name] else { throw StoreError.noSuchMailbox }
        return id
    }
}
