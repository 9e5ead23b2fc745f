import Foundation
import GRDB
import MailStore
import MailVocabulary

// Annotations. mailbox 0 is the server, reader 0 everybody; payer is the account that answers for the room.

extension WriteTransaction {
    func setAnnotations(
        _ changes: [(name: AnnotationName, value: [UInt8]?)], _ use: SpecialUseChange, on mailbox: MailboxID?,
        for account: AccountID
    ) throws {
        try require(account)
        let place = try mailbox.map { try owned($0) }
        let owner = place?.owner
        guard changes.allSatisfy({ $0.value?.count ?? 0 <= StoreLimits.annotationSize }) else {
            throw StoreError.annotationTooLarge
        }
        guard mailbox != nil || changes.allSatisfy(\.name.isPrivate) else { throw StoreError.noSuchMailbox }
        if case .set(let use) = use { try setSpecialUse(use, of: mailbox) }
        for (name, value) in changes {
            let reader = name.isPrivate ? account : nil
            try set(name, value, on: mailbox, reader: reader, payer: reader ?? owner ?? account)
        }
        if let mailbox { try raiseModSeq(of: mailbox) }
        noteAnnotated(changes.map(\.name), on: place, by: account)
        guard changes.contains(where: { $0.value != nil }) else { return }
        // What had been written is rolled back when there is too much of it.
        let (isPrivate, isShared) = (changes.contains { $0.name.isPrivate }, changes.contains { !$0.name.isPrivate })
        if isPrivate { try requireRoom(on: mailbox, reader: account, payer: account) }
        if isShared, let owner { try requireRoom(on: mailbox, reader: nil, payer: owner) }
    }

    private func owned(_ mailbox: MailboxID) throws -> OwnedMailbox {
        let record = try draft(mailbox).state.record
        return OwnedMailbox(id: mailbox, name: record.name, owner: record.account)
    }

    private func noteAnnotated(_ names: [AnnotationName], on place: OwnedMailbox?, by account: AccountID) {
        let (own, shared) = (names.filter(\.isPrivate), names.filter { !$0.isPrivate })
        if !own.isEmpty { pending.changes.note(.annotated(place, own), of: account) }
        if !shared.isEmpty, let place { pending.changes.note(.annotated(place, shared), of: place.owner) }
    }

    private func raiseModSeq(of mailbox: MailboxID) throws {
        var draft = try draft(mailbox)
        draft.state.record.highestModSeq = draft.state.record.highestModSeq.next()
        draft.state.adoptRecord()
        keep(draft, [])
    }

    private func set(
        _ name: AnnotationName, _ value: [UInt8]?, on mailbox: MailboxID?, reader: AccountID?, payer: AccountID
    ) throws {
        let key: StatementArguments = [mailbox?.value ?? 0, reader?.value ?? 0, name.text]
        if let value {
            try execute(
                "INSERT OR REPLACE INTO annotation (mailbox, reader, name, payer, size, value) VALUES (?, ?, ?, ?, ?, ?)",
                key + [payer.value, value.count, Data(value)])
        } else {
            try execute("DELETE FROM annotation WHERE mailbox = ? AND reader = ? AND name = ?", key)
        }
        pending.changes.accounts.insert(payer)
    }

    private func setSpecialUse(_ use: SpecialUse?, of mailbox: MailboxID?) throws {
        guard let mailbox else { throw StoreError.noSuchMailbox }
        var draft = try draft(mailbox)
        let owner = draft.state.record.account
        if let use {
            let taken = try db.cachedStatement(
                sql: "SELECT 1 FROM mailbox WHERE account = ? AND special_use = ? AND id <> ?")
            guard try Int.fetchOne(taken, arguments: [owner.value, use.rawValue, mailbox.value]) == nil else {
                throw StoreError.specialUseTaken
            }
        }
        try execute("UPDATE mailbox SET special_use = ? WHERE id = ?", [use?.rawValue, mailbox.value])
        draft.state.record.specialUse = use
        pending.drafts[mailbox] = draft
        pending.changes.accounts.insert(owner)
        pending.changes.note(.annotated(try owned(mailbox), [.specialUse]), of: owner)
    }

    private func requireRoom(on mailbox: MailboxID?, reader: AccountID?, payer: AccountID) throws {
        let count = try db.cachedStatement(sql: "SELECT count(*) FROM annotation WHERE mailbox = ? AND reader = ?")
        let octets = try db.cachedStatement(sql: "SELECT ifnull(sum(size), 0) FROM annotation WHERE payer = ?")
        guard
            try Int.fetchOne(count, arguments: [mailbox?.value ?? 0, reader?.value ?? 0]) ?? 0
                <= StoreLimits.annotationsPerMailbox,
            try Int.fetchOne(octets, arguments: [payer.value]) ?? 0 <= StoreLimits.annotationOctetsPerAccount
        else { throw StoreError.tooManyAnnotations }
    }

    func copyAnnotations(from mailbox: MailboxID, to new: MailboxID) throws {
        try execute(
            """
            INSERT INTO annotation (mailbox, reader, name, payer, size, value)
            SELECT ?, reader, name, payer, size, value FROM annotation WHERE mailbox = ?
            """, [new.value, mailbox.value])
    }

    func dropAnnotations(on mailbox: MailboxID) throws {
        try execute("DELETE FROM annotation WHERE mailbox = ?", [mailbox.value])
    }

    /// Its own, wherever they are.
    func dropAnnotations(of account: AccountID) throws {
        try execute("DELETE FROM annotation WHERE payer = ?", [account.value])
    }
}
