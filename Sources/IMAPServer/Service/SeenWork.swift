import MailStore
import MailVocabulary

/// Messages that are read, and so marked as seen (RFC 3501 §6.4.5).
package struct SeenTask: Sendable {
    /// Rows that are looked through on the connection's thread, which serves others too.
    private static let rowsAtOnce = 1024

    let mailbox: SelectedMailbox
    /// Of the view; ascending.
    let positions: [Range<Int>]

    /// Whether there is something to do. Of many messages it is not found out here.
    var mayFindUnseen: Bool {
        positions.reduce(0) { $0 + $1.count } > Self.rowsAtOnce || !unseen.isEmpty
    }

    fileprivate var unseen: NumberSet {
        var uids = NumberSet()
        for range in positions {
            mailbox.view.forEach(in: range) { if !$1.flags.contains(.seen) { uids.appendAscending($1.uid.value) } }
        }
        return uids
    }
}

package struct SeenResult: Sendable {
    /// As the client knows it once it has been answered.
    let mailbox: SelectedMailbox
    /// UIDs of what was marked.
    let newlySeen: NumberSet
}

extension IMAPService {
    func markSeen(_ task: SeenTask) async throws -> SeenResult {
        let unseen = task.unseen
        guard !unseen.isEmpty else { return SeenResult(mailbox: task.mailbox, newlySeen: unseen) }
        _ = try await store.changeFlags(task.mailbox.id, unseen, .add([.seen]), unchangedSince: nil)
        let now = try await store.open(task.mailbox.id)
        return SeenResult(mailbox: task.mailbox.marking(unseen, seenIn: now), newlySeen: unseen)
    }
}

extension SelectedMailbox {
    /// The view with the messages marked that the store has marked now. Their MODSEQ is the store's, so that comparing
    /// finds nothing to tell; other changes of the same messages are still found.
    fileprivate func marking(_ uids: NumberSet, seenIn now: MailboxSnapshot) -> SelectedMailbox {
        var marked = self
        marked.view.update(uids) { row in
            guard let position = now.position(of: row.uid) else { return }
            let new = now[position]
            row.flags.insert(.seen)
            if new.flags == row.flags { row.modSeq = new.modSeq }
        }
        // Contexts must hear of what comparing does not find.
        if !contexts.isEmpty { marked.touched = touched.union(uids) }
        return marked
    }
}
