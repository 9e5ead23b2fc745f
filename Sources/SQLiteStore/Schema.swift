import GRDB
import MailStore

/// The tables, and how older ones become these.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in try db.execute(sql: first) }
        return migrator
    }

    /// Grows in place until the first release, after which tables change by further migrations only: no store that must
    /// be kept is older.
    ///
    /// No foreign keys: the committer is the only writer, and `verify` checks what they would.
    private static let first = """
        -- Counters: the next UIDVALIDITY, the first body number not yet reserved.
        CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;

        CREATE TABLE domain (name TEXT PRIMARY KEY) WITHOUT ROWID;

        CREATE TABLE account (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            local TEXT NOT NULL, domain TEXT NOT NULL,
            disabled INTEGER NOT NULL DEFAULT 0, administrator INTEGER NOT NULL DEFAULT 0,
            -- Limits: NULL for the operator's default, below 0 for none.
            quota_storage INTEGER, quota_messages INTEGER,
            -- What all its mailboxes hold, so that a limit is checked without looking at each.
            size INTEGER NOT NULL DEFAULT 0, messages INTEGER NOT NULL DEFAULT 0,
            UNIQUE (domain, local));

        CREATE TABLE credentials (
            account INTEGER PRIMARY KEY,
            argon2id TEXT NOT NULL,
            scram_salt BLOB NOT NULL, scram_iterations INTEGER NOT NULL,
            scram_stored_key BLOB NOT NULL, scram_server_key BLOB NOT NULL,
            -- SCRAM-SHA-1 and CRAM-MD5: NULL unless asked for.
            scram1_salt BLOB, scram1_iterations INTEGER, scram1_stored_key BLOB, scram1_server_key BLOB,
            shared_secret BLOB);

        -- With counters, so that SELECT, STATUS and LIST need no row of a message.
        CREATE TABLE mailbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            account INTEGER NOT NULL, name TEXT NOT NULL,
            uidvalidity INTEGER NOT NULL, special_use TEXT,
            uidnext INTEGER NOT NULL DEFAULT 1, modseq INTEGER NOT NULL DEFAULT 1,
            messages INTEGER NOT NULL DEFAULT 0, unseen INTEGER NOT NULL DEFAULT 0,
            deleted INTEGER NOT NULL DEFAULT 0, size INTEGER NOT NULL DEFAULT 0,
            deleted_size INTEGER NOT NULL DEFAULT 0,
            recent INTEGER NOT NULL DEFAULT 0, first_recent INTEGER NOT NULL DEFAULT 1,
            UNIQUE (account, name));

        CREATE TABLE subscription (
            account INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (account, name)) WITHOUT ROWID;

        -- Access control lists. account 0 is anyone of the owner's domain, which domain names; the index finds what is
        -- shared with someone. rights: bits of MailboxRights.
        CREATE TABLE access (
            mailbox INTEGER NOT NULL, account INTEGER NOT NULL, negative INTEGER NOT NULL,
            domain TEXT NOT NULL, rights INTEGER NOT NULL,
            PRIMARY KEY (mailbox, account, negative)) WITHOUT ROWID;
        CREATE INDEX access_by_account ON access (domain, account);

        -- Where an address leads that is no account's own; local is empty for a domain's catch-all.
        CREATE TABLE alias (
            domain TEXT NOT NULL, local TEXT NOT NULL, position INTEGER NOT NULL,
            target_local TEXT NOT NULL, target_domain TEXT NOT NULL,
            PRIMARY KEY (domain, local, position)) WITHOUT ROWID;
        CREATE INDEX alias_by_target ON alias (target_domain, target_local COLLATE NOCASE);

        -- What an account may send as beside its own addresses; local is empty for all of a domain.
        CREATE TABLE sender_grant (
            account INTEGER NOT NULL, domain TEXT NOT NULL, local TEXT NOT NULL,
            PRIMARY KEY (account, domain, local)) WITHOUT ROWID;

        -- What URLs of a mailbox are authorised with.
        CREATE TABLE url_key (mailbox INTEGER PRIMARY KEY, key BLOB NOT NULL);

        -- mailbox 0 is the server, reader 0 everybody who may read the mailbox. payer: whose room it takes.
        CREATE TABLE annotation (
            mailbox INTEGER NOT NULL, reader INTEGER NOT NULL, name TEXT NOT NULL,
            payer INTEGER NOT NULL, size INTEGER NOT NULL, value BLOB NOT NULL,
            UNIQUE (mailbox, reader, name));
        CREATE INDEX annotation_by_payer ON annotation (payer, size);

        CREATE TABLE keyword (
            mailbox INTEGER NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL,
            PRIMARY KEY (mailbox, number)) WITHOUT ROWID;

        -- flags, modseq: without the changes in flag_change, where modseq is higher.
        CREATE TABLE message (
            mailbox INTEGER NOT NULL, uid INTEGER NOT NULL,
            flags INTEGER NOT NULL, modseq INTEGER NOT NULL, size INTEGER NOT NULL,
            date INTEGER NOT NULL, zone INTEGER NOT NULL, saved INTEGER NOT NULL,
            body INTEGER NOT NULL, thread INTEGER NOT NULL,
            PRIMARY KEY (mailbox, uid)) WITHOUT ROWID;

        -- Flag changes, one record whatever number of messages, until they are folded into rows: flags = (flags & ~cleared)
        -- | added, in order, for those of the UIDs whose row has a lower modseq.
        CREATE TABLE flag_change (
            mailbox INTEGER NOT NULL, modseq INTEGER NOT NULL,
            added INTEGER NOT NULL, cleared INTEGER NOT NULL, uids BLOB NOT NULL,
            PRIMARY KEY (mailbox, modseq)) WITHOUT ROWID;

        -- UIDs that went, by the change that removed them; empty: all that are missing went with it or before.
        CREATE TABLE expunged (
            mailbox INTEGER NOT NULL, modseq INTEGER NOT NULL, uids BLOB NOT NULL,
            PRIMARY KEY (mailbox, modseq)) WITHOUT ROWID;

        -- What is off the lists but still takes room: messages of a 'mailbox', 'threads' of an account.
        CREATE TABLE doomed (kind TEXT NOT NULL, id INTEGER NOT NULL, PRIMARY KEY (kind, id)) WITHOUT ROWID;

        -- Which file holds a mailbox's rows as of a modseq, for opening it at less cost. Files are not synced.
        CREATE TABLE index_file (mailbox INTEGER PRIMARY KEY, modseq INTEGER NOT NULL, checksum INTEGER NOT NULL);

        -- Which file holds what was made from a mailbox's messages and can be made again. modseq: of the view it was made
        -- from; through: it is about no UID above; written: seconds since 1970. Files are not synced.
        CREATE TABLE derived_file (
            mailbox INTEGER NOT NULL, name TEXT NOT NULL, uidvalidity INTEGER NOT NULL,
            modseq INTEGER NOT NULL, through INTEGER NOT NULL, checksum INTEGER NOT NULL, written INTEGER NOT NULL,
            PRIMARY KEY (mailbox, name)) WITHOUT ROWID;

        -- The thread of each message-id that a message of the account has, or answers.
        CREATE TABLE thread (
            account INTEGER NOT NULL, key INTEGER NOT NULL, thread INTEGER NOT NULL,
            PRIMARY KEY (account, key)) WITHOUT ROWID;

        CREATE TABLE body (
            id INTEGER PRIMARY KEY,
            segment INTEGER NOT NULL, position INTEGER NOT NULL,
            length INTEGER NOT NULL, checksum INTEGER NOT NULL,
            refs INTEGER NOT NULL, summary_checksum INTEGER NOT NULL, summary BLOB NOT NULL);

        -- Bodies that wait for a segment, for which body.segment is 0: a caller who is alone pays for one sync, not two.
        CREATE TABLE parked (id INTEGER PRIMARY KEY, content BLOB NOT NULL);

        -- Mail on its way elsewhere. sender_host: NULL for the null reverse-path; a domain, or a literal in brackets.
        -- flags: 1 SMTPUTF8, 2 REQUIRETLS, 4 traced deadline. submitter: 0 for the server itself. AUTOINCREMENT: a number
        -- that an attempt in progress knows must not become another message's.
        CREATE TABLE queue_message (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            identifier TEXT NOT NULL, submitter INTEGER NOT NULL, body INTEGER NOT NULL, size INTEGER NOT NULL,
            arrival INTEGER NOT NULL, zone INTEGER NOT NULL, hold TEXT,
            sender_local TEXT NOT NULL, sender_host TEXT, flags INTEGER NOT NULL, body_type TEXT, envid TEXT, ret TEXT,
            priority INTEGER NOT NULL, deadline INTEGER, deadline_mode TEXT);

        -- state: QueuedRecipient.State; the rest is what was last heard.
        CREATE TABLE queue_recipient (
            message INTEGER NOT NULL, number INTEGER NOT NULL, destination TEXT NOT NULL,
            local TEXT NOT NULL, host TEXT NOT NULL, original TEXT, notify INTEGER,
            state INTEGER NOT NULL DEFAULT 0,
            last INTEGER, status TEXT, diagnostic TEXT, remote TEXT, security TEXT,
            PRIMARY KEY (message, number)) WITHOUT ROWID;
        CREATE INDEX queue_owed ON queue_recipient (message) WHERE state >= 2;

        -- A message's waiting recipients at one destination. state: 0 until due, 1 due, 2 held. rank: priority, highest
        -- first; turn: among those of a rank. submitter: the message's.
        CREATE TABLE queue_entry (
            message INTEGER NOT NULL, destination TEXT NOT NULL, submitter INTEGER NOT NULL,
            state INTEGER NOT NULL, due INTEGER NOT NULL, review INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
            rank INTEGER NOT NULL, turn INTEGER NOT NULL,
            PRIMARY KEY (message, destination)) WITHOUT ROWID;
        CREATE INDEX queue_ready ON queue_entry (destination, rank, turn, message) WHERE state = 1;
        CREATE INDEX queue_turn ON queue_entry (submitter, rank, turn) WHERE state = 1;
        CREATE INDEX queue_due ON queue_entry (due) WHERE state = 0;
        CREATE INDEX queue_review ON queue_entry (review) WHERE state < 2;
        CREATE INDEX queue_held ON queue_entry (message) WHERE state = 2;
        CREATE INDEX queue_destination_entries ON queue_entry (destination);

        -- rank, turn: of its first entry that is due; NULL without one. retry: nothing goes there before; 0 for now.
        CREATE TABLE queue_destination (
            name TEXT PRIMARY KEY, failures INTEGER NOT NULL DEFAULT 0, retry INTEGER NOT NULL DEFAULT 0,
            rank INTEGER, turn INTEGER) WITHOUT ROWID;
        CREATE INDEX queue_next ON queue_destination (rank, turn, name) WHERE rank IS NOT NULL AND retry = 0;
        CREATE INDEX queue_retry ON queue_destination (retry) WHERE retry > 0;

        -- live: octets of records that a body names.
        CREATE TABLE segment (id INTEGER PRIMARY KEY, live INTEGER NOT NULL, sealed INTEGER NOT NULL);
        """
}

extension StoreError {
    /// What a database error means to callers. Statements are not quoted: their arguments could be.
    init(_ error: DatabaseError) {
        let text = error.message ?? "no message"
        self =
            switch error.resultCode {
            case .SQLITE_FULL: .noSpace
            case .SQLITE_CORRUPT, .SQLITE_NOTADB: .damaged("database: \(text)")
            case _: .unavailable("database: \(text) (\(error.extendedResultCode.rawValue))")
            }
    }

    init(anyError error: any Error) {
        self =
            switch error {
            case let error as StoreError: error
            case let error as DatabaseError: StoreError(error)
            // Its own description quotes the row, and so what credentials are kept.
            case is RowDecodingError: .damaged("database: a value of another type than was written")
            case let error as SyncFailure: .fromErrno(error.code, "syncing")
            case let error as OpenFailure: error.storeError
            case _: .unavailable("\(error)")
            }
    }
}
