package import MailVocabulary

/// The difference of two snapshots.
package struct MailboxChanges: Sendable {
    /// UIDs that were there and are not.
    package var expunged: NumberSet
    /// Positions in the newer snapshot of rows whose flags or MODSEQ differ, ascending.
    package var changed: [Int]
    /// Position in the newer snapshot of the first row that is new; `count` when none is.
    package var firstNew: Int
}

extension MailboxSnapshot {
    /// What happened between an earlier snapshot of the same mailbox and this one. Costs what changed, not what is
    /// there: chunks that both share are passed over unseen.
    package func changes(since old: MailboxSnapshot) -> MailboxChanges {
        var changes = MailboxChanges(expunged: NumberSet(), changed: [], firstNew: count)
        var (before, now) = MailboxSnapshot.differingChunks(old, self)
        while let was = before.row, let row = now.row {
            if was.uid < row.uid {
                changes.expunged.appendAscending(was.uid.value)
                before.advance()
            } else if row.uid < was.uid {
                changes.firstNew = min(changes.firstNew, now.position)
                now.advance()
            } else {
                if was.flags != row.flags || was.modSeq != row.modSeq { changes.changed.append(now.position) }
                before.advance()
                now.advance()
            }
        }
        while let was = before.row {
            changes.expunged.appendAscending(was.uid.value)
            before.advance()
        }
        if now.row != nil { changes.firstNew = min(changes.firstNew, now.position) }
        return changes
    }

    /// How many chunks an earlier snapshot does not have: what comparing with it costs, in units of some hundred rows.
    package func differingChunks(since old: MailboxSnapshot) -> Int {
        let known = Set(old.chunks.lazy.map(ObjectIdentifier.init))
        return chunks.reduce(0) { $0 + (known.contains(ObjectIdentifier($1)) ? 0 : 1) }
    }

    /// Cursors over the chunks that only one of the two has. Most of what both have is at the beginning, so it is cut
    /// off there before anything is hashed.
    private static func differingChunks(_ old: MailboxSnapshot, _ new: MailboxSnapshot) -> (RowCursor, RowCursor) {
        var first = 0
        while first < old.chunks.count, first < new.chunks.count, old.chunks[first] === new.chunks[first] { first += 1 }
        let shared = Set(old.chunks[first...].map(ObjectIdentifier.init))
            .intersection(new.chunks[first...].map(ObjectIdentifier.init))
        return (RowCursor(old, from: first, without: shared), RowCursor(new, from: first, without: shared))
    }
}

/// Goes over the rows of some chunks.
private struct RowCursor {
    private let pieces: [(start: Int, rows: [MessageRow])]
    private var piece = 0
    private var rows: [MessageRow]
    private var index = 0

    init(_ snapshot: MailboxSnapshot, from first: Int, without shared: Set<ObjectIdentifier>) {
        pieces = (first..<snapshot.chunks.count).compactMap { index in
            let chunk = snapshot.chunks[index]
            guard !shared.contains(ObjectIdentifier(chunk)) else { return nil }
            return (snapshot.start(ofChunk: index), chunk.rows)
        }
        rows = pieces.first?.rows ?? []
    }

    /// Nil at the end.
    var row: MessageRow? { index < rows.count ? rows[index] : nil }
    var position: Int { pieces[piece].start + index }

    mutating func advance() {
        index += 1
        guard index == rows.count, piece + 1 < pieces.count else { return }
        piece += 1
        index = 0
        rows = pieces[piece].rows
    }
}
