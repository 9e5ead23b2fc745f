import IMAPSyntax
import MailStore
import MailVocabulary

/// A STORE on messages of a client's view.
package struct StoreTask: Sendable {
    let mailbox: SelectedMailbox
    /// Of the view; ascending.
    let positions: [Range<Int>]
    let change: FlagChange
    /// RFC 7162 §3.1.3.
    let unchangedSince: ModSeq?
}

/// What a STORE did.
package struct StoreResult: Sendable {
    /// UIDs that have the flags now as they were to be.
    var stored = NumberSet()
    /// UIDs that were left alone, since others had changed them; and their sequence numbers.
    var modified = NumberSet()
    var modifiedNumbers = NumberSet()
    /// Whether some of the messages are gone: the command is not fully done (RFC 5530, EXPUNGEISSUED).
    var lacksSome = false
}

extension IMAPService {
    /// How often messages are tried again that others changed in a way the client does not care for.
    private static let storeRetries = 2

    func store(_ task: StoreTask) async throws -> StoreResult {
        let uids = task.mailbox.uids(at: task.positions)
        var result = StoreResult()
        result.modified = try await store.changeFlags(
            task.mailbox.id, uids, task.change, unchangedSince: task.unchangedSince)
        if !result.modified.isEmpty { result.modified = try await retry(result.modified, task) }
        result.stored = uids.subtracting(result.modified)
        result.modifiedNumbers = task.mailbox.sequenceNumbers(of: result.modified)
        let now = try await store.open(task.mailbox.id)
        result.lacksSome = now.positions(ofUIDs: uids).reduce(0) { $0 + $1.count } < uids.count
        return result
    }

    /// Changes those that only other flags were changed of since the client looked, and tells which are left
    /// (RFC 7162 §3.1.12).
    private func retry(_ modified: NumberSet, _ task: StoreTask) async throws -> NumberSet {
        guard let flags = task.change.addedOrRemoved, let limit = task.unchangedSince else { return modified }
        let view = task.mailbox.view
        var (left, open) = (modified, modified)
        for _ in 0..<Self.storeRetries where !open.isEmpty {
            let now = try await store.open(task.mailbox.id)
            let mask = now.keywords.bits(flags)
            let unchanged = open.filter { number in
                guard let uid = UID(number), let before = view.position(of: uid), let after = now.position(of: uid),
                    view[before].modSeq <= limit
                else { return false }
                return view[before].flags.intersection(mask) == now[after].flags.intersection(mask)
            }
            guard !unchanged.isEmpty else { break }
            let tried = NumberSet(ascending: unchanged)
            open = try await store.changeFlags(
                task.mailbox.id, tried, task.change, unchangedSince: now.highestModSeq)
            left = left.subtracting(tried).union(open)
        }
        return left
    }
}

extension FlagChange {
    /// Nil when all flags are replaced.
    fileprivate var addedOrRemoved: [Flag]? {
        switch self {
        case .add(let flags), .remove(let flags): flags
        case .replace, .replaceOnly: nil
        }
    }
}
