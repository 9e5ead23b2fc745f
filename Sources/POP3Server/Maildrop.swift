import MailStore
import MailVocabulary

/// The messages as they were at login, and what the client has asked to delete. Nothing here changes the store: QUIT
/// does (RFC 1939 §6).
struct Maildrop: Sendable {
    let account: Account
    let messages: MailboxSnapshot
    let lock: MaildropLock
    /// Whether the client asked for UTF-8 mode before it logged in (RFC 6856 §2.1).
    let isUTF8: Bool

    private var deleted: Set<UID> = []
    /// Of messages not deleted.
    private(set) var count: Int
    /// Of messages not deleted.
    private(set) var octets: Int
    /// Bodies read ahead for a client that retrieves one message after another.
    var prefetched = PrefetchedBodies()

    init(_ account: Account, _ messages: MailboxSnapshot, _ lock: MaildropLock, isUTF8: Bool) {
        self.account = account
        self.messages = messages
        self.lock = lock
        self.isUTF8 = isUTF8
        count = messages.count
        octets = 0
        messages.forEach { octets += Int($1.size) }
    }

    /// Message n, counted from 1; nil when there is none or it is deleted.
    func message(_ number: UInt32) -> MessageRow? {
        guard number >= 1, Int(number) <= messages.count else { return nil }
        let row = messages[Int(number) - 1]
        return deleted.contains(row.uid) ? nil : row
    }

    func isDeleted(_ uid: UID) -> Bool { deleted.contains(uid) }

    mutating func delete(_ row: MessageRow) {
        guard deleted.insert(row.uid).inserted else { return }
        count -= 1
        octets -= Int(row.size)
    }

    mutating func restoreAll() { self = Maildrop(account, messages, lock, isUTF8: isUTF8) }

    var hasDeletions: Bool { !deleted.isEmpty }
    /// What QUIT removes.
    var deletedUIDs: NumberSet { NumberSet(numbers: deleted.map(\.value)) }
}
