import GRDB
import MailStore
import MailVocabulary
import Synchronization

/// Which mailboxes an account has, and which names it has subscribed to, for accounts in use: a name is looked up for
/// each SELECT, STATUS and APPEND. Dropped by every commit that changes them, before its caller is answered.
final class NameCache: Sendable {
    struct Named: Sendable {
        var id: MailboxID
        var isSubscribed: Bool
    }
    /// Names kept in all, some 30 MB; the least recently used accounts go first.
    static let nameLimit = 200_000

    private struct Entry {
        var names: [MailboxName: Named]
        var lastUse: UInt64
    }
    private struct State {
        var accounts: [AccountID: Entry] = [:]
        var count = 0
        var clock: UInt64 = 0
        /// How often something was dropped.
        var generation = 0

        mutating func remove(_ account: AccountID) {
            count -= accounts.removeValue(forKey: account)?.names.count ?? 0
        }
    }
    private let state = Mutex(State())
    private let limit: Int

    init(limit: Int = NameCache.nameLimit) { self.limit = limit }

    /// Nil when the account's names are not known here.
    func names(of account: AccountID) -> [MailboxName: Named]? {
        state.withLock { state in
            state.clock += 1
            state.accounts[account]?.lastUse = state.clock
            return state.accounts[account]?.names
        }
    }

    /// Reads with `read` and keeps the result, unless a commit came between.
    func load(
        _ account: AccountID, _ read: () throws -> [MailboxName: Named]
    ) rethrows -> [MailboxName: Named] {
        let generation = state.withLock { $0.generation }
        let names = try read()
        state.withLock { state in
            guard state.generation == generation else { return }
            state.clock += 1
            state.remove(account)
            state.accounts[account] = Entry(names: names, lastUse: state.clock)
            state.count += names.count
            guard state.count > limit else { return }
            for (id, _) in state.accounts.map({ ($0.key, $0.value.lastUse) }).sorted(by: { $0.1 < $1.1 }).dropLast()
            where state.count > limit / 4 * 3 { state.remove(id) }
        }
        return names
    }

    func drop(_ accounts: Set<AccountID>) {
        guard !accounts.isEmpty else { return }
        state.withLock { state in
            state.generation += 1
            for account in accounts { state.remove(account) }
        }
    }
}

extension RowReader {
    static func names(of account: AccountID, _ db: Database) throws -> [MailboxName: NameCache.Named] {
        let select = try db.cachedStatement(
            sql: """
                SELECT mailbox.id, mailbox.name, subscription.name IS NOT NULL FROM mailbox
                LEFT JOIN subscription ON subscription.account = mailbox.account AND subscription.name = mailbox.name
                WHERE mailbox.account = ?
                """)
        var names: [MailboxName: NameCache.Named] = [:]
        let cursor = try Row.fetchCursor(select, arguments: [account.value])
        while let row = try cursor.next() {
            // A name that is none is another mailbox's damage; `mailboxes(of:)` and `verify` report it.
            guard let name = (try? row.value(1) as String).flatMap({ MailboxName($0) }) else { continue }
            names[name] = NameCache.Named(id: MailboxID(try row.value(0)), isSubscribed: try row.value(2))
        }
        return names
    }
}
