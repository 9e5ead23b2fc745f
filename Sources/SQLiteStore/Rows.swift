import GRDB
import MailStore
import MailVocabulary

// Rows as values. Hot ones are read by column number.

struct FoundBody: Sendable {
    var place: BodyPlace
    var content: [UInt8]?
}

enum RowReader {
    static let mailboxColumns = """
        mailbox.id, mailbox.account, mailbox.name, uidvalidity, special_use, uidnext, modseq, messages, unseen, \
        deleted, size, recent, first_recent
        """

    static func mailbox(_ row: Row, isSubscribed: Bool = false) throws -> Mailbox {
        let name: String = row[2]
        let uidValidity: UInt32 = row[3]
        let use: String? = row[4]
        guard let name = MailboxName(name), let uidValidity = UIDValidity(uidValidity) else {
            throw StoreError.damaged("mailbox \(row[0] as Int64): its name or UIDVALIDITY is none")
        }
        return Mailbox(
            id: MailboxID(row[0]), account: AccountID(row[1]), name: name, uidValidity: uidValidity,
            specialUse: use.flatMap(SpecialUse.init(rawValue:)), isSubscribed: isSubscribed,
            uidNext: UInt64(clamping: row[5] as Int64), highestModSeq: ModSeq(UInt64(clamping: row[6] as Int64)),
            messageCount: row[7], unseenCount: row[8], deletedCount: row[9], recentCount: row[11],
            size: UInt64(clamping: row[10] as Int64))
    }

    /// Without rows. Throws `noSuchMailbox`.
    static func state(_ id: MailboxID, _ db: Database) throws -> MailboxState {
        let select = try db.cachedStatement(sql: "SELECT \(mailboxColumns) FROM mailbox WHERE id = ?")
        guard let row = try Row.fetchOne(select, arguments: [id.value]) else { throw StoreError.noSuchMailbox }
        let keywords = try db.cachedStatement(sql: "SELECT name FROM keyword WHERE mailbox = ? ORDER BY number")
        let names = try String.fetchAll(keywords, arguments: [id.value]).map { name in
            guard let keyword = Keyword(name) else { throw StoreError.damaged("mailbox \(id.value): a keyword") }
            return keyword
        }
        return MailboxState(
            record: try mailbox(row), keywords: KeywordTable(names),
            firstRecent: UInt64(clamping: row[12] as Int64))
    }

    /// The rows of a mailbox as `state` says it is.
    static func snapshot(_ state: MailboxState, _ db: Database) throws -> MailboxSnapshot {
        let select = try db.cachedStatement(
            sql: "SELECT uid, flags, modseq, size, date, zone, body FROM message WHERE mailbox = ? ORDER BY uid")
        var rows: [MessageRow] = []
        rows.reserveCapacity(state.record.messageCount)
        let cursor = try Row.fetchCursor(select, arguments: [state.record.id.value])
        while let row = try cursor.next() {
            guard let uid = UInt32(exactly: row[0] as Int64).flatMap({ UID($0) }) else {
                throw StoreError.damaged("mailbox \(state.record.id.value): a UID is none")
            }
            rows.append(
                MessageRow(
                    uid: uid, flags: FlagBits(rawValue: UInt64(bitPattern: row[1])),
                    modSeq: ModSeq(UInt64(bitPattern: row[2])), size: UInt32(truncatingIfNeeded: row[3] as Int64),
                    internalDate: Timestamp(seconds: row[4], zoneMinutes: Int16(truncatingIfNeeded: row[5] as Int64)),
                    body: BodyID(row[6])))
        }
        return MailboxSnapshot(
            mailbox: state.record.id, uidValidity: state.record.uidValidity, uidNext: state.record.uidNext,
            highestModSeq: state.record.highestModSeq, keywords: state.keywords, rows: rows)
    }

    static func place(_ body: BodyID, _ db: Database) throws -> BodyPlace? {
        let select = try db.cachedStatement(
            sql: "SELECT segment, position, length, checksum FROM body WHERE id = ?")
        return try Row.fetchOne(select, arguments: [body.value]).map { row in
            BodyPlace(
                segment: row[0], offset: row[1], length: row[2], checksum: UInt64(bitPattern: row[3] as Int64))
        }
    }

    /// With its octets, when they are in the database.
    static func found(_ body: BodyID, _ db: Database) throws -> FoundBody? {
        guard let place = try place(body, db) else { return nil }
        let content = place.segment == BodyPlace.parked ? try ParkedBodies.content(body, db) : nil
        return FoundBody(place: place, content: content)
    }

    static func account(_ row: Row) throws -> Account {
        let domain: String = row[2]
        guard let domain = Domain(domain) else { throw StoreError.damaged("account \(row[0] as Int64): its domain") }
        return Account(
            id: AccountID(row[0]), address: Address(localPart: row[1], domain: domain), isDisabled: row[3])
    }
}
