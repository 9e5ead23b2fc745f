import GRDB
import MailStore
import MailVocabulary
import Synchronization

/// What the server does about texts.
package enum TextIndexUse: Sendable {
    /// They are indexed, in the background.
    case maintained
    /// What is there is neither read nor written, but kept: for programs that do not stay.
    case kept
    /// What is there is removed.
    case removed
}

package struct TextIndexLimits: Sendable {
    /// How often new mail is looked for; nil for never. What came meanwhile is read together; searches scan it until then.
    package var interval: Duration? = .seconds(3)
    /// Rest after each piece of work, as a multiple of the time it took: mail comes first.
    package var rest = 2
    /// Seconds after which expunged messages are taken out of an account's index, at the earliest.
    package var erasing: Int64 = 86_400
    /// How often accounts are looked through for what is to be erased.
    package var tidying = Duration.seconds(3600)
    /// After trouble, until the index is tried again.
    package var recovery = Duration.seconds(300)

    package init() {}
}

/// What the background knows of commits, and how far it has come.
final class TextIndexer: Sendable {
    private struct State {
        var file: TextIndexFile?
        var dirty: Set<MailboxID> = []
        var nextTidying = ContinuousClock.now
        /// Not before this.
        var resumption = ContinuousClock.now
    }

    let path: String
    let limits: TextIndexLimits
    let housekeeping = Housekeeping()
    /// Reads, folds and writes, apart from those who wait.
    let pool = WorkPool("store.text", width: 1)
    private let state = Mutex(State())

    init(path: String, limits: TextIndexLimits) {
        self.path = path
        self.limits = limits
    }

    /// Nil as long as it cannot be asked.
    var file: TextIndexFile? { state.withLock { $0.file } }

    func use(_ file: TextIndexFile?) { state.withLock { $0.file = file } }

    /// Messages have been added to these, or are still to be read; never blocks.
    func note(_ mailboxes: some Sequence<MailboxID>) { state.withLock { $0.dirty.formUnion(mailboxes) } }

    func takeDirty() -> [MailboxID] {
        state.withLock { state in
            defer { state.dirty = [] }
            return state.dirty.sorted()
        }
    }

    /// Whether there is something to do.
    var isDue: Bool {
        state.withLock { state in
            let now = ContinuousClock.now
            guard now >= state.resumption else { return false }
            return state.file == nil || !state.dirty.isEmpty || now >= state.nextTidying
        }
    }

    /// True once in so long.
    func takeTidying() -> Bool {
        state.withLock { state in
            let now = ContinuousClock.now
            guard now >= state.nextTidying else { return false }
            state.nextTidying = now + limits.tidying
            return true
        }
    }

    /// What went wrong may go wrong again at once.
    func pause() { state.withLock { $0.resumption = .now + limits.recovery } }

    /// Returns when nothing runs any more.
    func stop() async {
        await housekeeping.stop()
        let file = state.withLock { state in
            defer { state.file = nil }
            return state.file
        }
        _ = try? await pool.run { file?.close() }
    }
}

extension SQLiteStore {
    static func makeTextIndexer(
        _ directory: StoreDirectory, _ pool: DatabasePool, _ options: Options
    ) throws -> TextIndexer? {
        switch options.textIndex {
        case .maintained: return TextIndexer(path: directory.textIndex, limits: options.textIndexing)
        case .kept:
            // Mail that is added while nobody looks would hide that the mail is an older copy.
            guard fileSize(directory.textIndex) != nil else { return nil }
            let nextBody = try pool.read { db in try RowReader.nextBody(db) }
            if let file = try? TextIndexFile(directory.textIndex, nextBody: nextBody) {
                file.close()
            } else {
                TextIndexFile.remove(directory.textIndex)
            }
        case .removed: TextIndexFile.remove(directory.textIndex)
        }
        return nil
    }
}
