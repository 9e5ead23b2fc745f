import MailStore
import MailVocabulary

package struct ExpungeResult: Sendable {
    /// What was removed.
    var uids: NumberSet
    /// The lowest UID that was to go, when a limit left lower ones (RFC 9738).
    var lowest: UInt32?
}

extension IMAPService {
    /// Removes messages that are marked `\Deleted`; with a limit, the last of them.
    func expunge(_ uids: NumberSet, from mailbox: MailboxID, limit: UInt32?) async throws -> ExpungeResult {
        guard limit != nil else {
            return ExpungeResult(uids: try await store.remove(uids, from: mailbox, onlyDeleted: true))
        }
        let now = try await store.open(mailbox)
        let marked = now.positions(ofUIDs: uids).flatMap { now.positions(in: $0, flags: .deleted, equal: .deleted) }
        let (last, lowest) = now.limited(marked, to: limit)
        let chosen = NumberSet(ascending: now.uids(at: last))
        return ExpungeResult(
            uids: try await store.remove(chosen, from: mailbox, onlyDeleted: true), lowest: lowest)
    }
}
