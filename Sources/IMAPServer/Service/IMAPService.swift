package import MailStore
package import MailVocabulary
import WireFraming

/// Does the asynchronous work of IMAP sessions on a store and an authenticator.
package struct IMAPService: SessionService {
    package typealias Work = IMAPWork
    package typealias Outcome = IMAPOutcome

    package let name = "imap"
    /// The IANA ALPN registry's identifier.
    package let applicationProtocols = ["imap"]

    let store: any MailStore
    let authenticator: any Authenticator
    /// For messages appended without a date.
    let now: @Sendable () -> Timestamp

    package init(
        store: any MailStore, authenticator: any Authenticator, now: @escaping @Sendable () -> Timestamp
    ) {
        self.store = store
        self.authenticator = authenticator
        self.now = now
    }

    package func perform(_ work: IMAPWork, notify: @escaping @Sendable () -> Void) async -> IMAPOutcome {
        do {
            return try await attempt(work, notify)
        } catch let error as StoreError {
            return .failed(error)
        } catch {
            return .failed(.unavailable("\(type(of: error))"))
        }
    }

    private func attempt(_ work: IMAPWork, _ notify: @escaping @Sendable () -> Void) async throws -> IMAPOutcome {
        switch work {
        case .authenticate(let credentials, let peer):
            return .authentication(await authenticator.authenticate(credentials, from: peer))
        case .open(let account, let name, let claimsRecent):
            return .opened(try await open(name, of: account, claimsRecent: claimsRecent))
        case .refresh(let view, let claimsRecent):
            let firstRecent = claimsRecent ? try await store.claimRecent(view.mailbox) : nil
            let now = try await store.open(view.mailbox)
            return .refreshed(now, now.changes(since: view), firstRecent: firstRecent)
        case .observe(let mailbox):
            return .observing(store.observe(mailbox, notify))
        case .list(let account, let request, let encoding):
            return .written(try await listing(of: account).written(request, encoding))
        case .lsub(let account, let reference, let pattern, let encoding):
            let listing = try await listing(of: account)
            return .written(try await listing.written(reference: reference, pattern: pattern, encoding))
        case .findMailbox(let account, let name):
            return .found(try await store.mailbox(name, of: account))
        case .createMailbox(let account, let name, let use):
            return .found(try await store.createMailbox(name, of: account, specialUse: use))
        case .deleteMailbox(let account, let name):
            return .deleted(try await store.deleteMailbox(name, of: account))
        case .renameMailbox(let account, let from, let to):
            try await store.renameMailbox(from, to: to, of: account)
            return .done
        case .setSubscribed(let account, let name, let subscribed):
            try await store.setSubscribed(subscribed, name, of: account)
            return .done
        case .quota(let root):
            return .quota(try await quota(root))
        case .setQuota(let root, let limits):
            guard let account = try await store.account(root) else { throw StoreError.noSuchAccount }
            try await store.setQuota(limits, of: account.id)
            return .quota(try await store.quota(of: account.id))
        case .spill(let writer):
            try await writer.spill()
            return .done
        case .append(let message):
            return .appended(try await append(message))
        case .changeFlags(let mailbox, let uids, let change, let unchangedSince):
            return .changedFlags(
                modified: try await store.changeFlags(mailbox, uids, change, unchangedSince: unchangedSince))
        case .copy(let account, let uids, let from, let to):
            return .copied(try await store.copy(uids, from: from, to: try await find(to, of: account).id))
        case .move(let account, let uids, let from, let to):
            return .copied(try await store.move(uids, from: from, to: try await find(to, of: account).id))
        case .expunge(let mailbox, let uids):
            return .expunged(try await store.remove(uids, from: mailbox, onlyDeleted: true))
        case .fetch(let request):
            var run = FetchRun(store: store, request: request)
            return .fetched(await run.run())
        case .search(let task):
            return try await search(task)
        }
    }

    private func search(_ task: SearchTask) async throws -> IMAPOutcome {
        do {
            var run = SearchRun(store: store, view: task.mailbox.view, try SearchProgram(task.key, in: task.mailbox))
            return .matched(try await run.run(), unreadable: run.unreadable)
        } catch let problem as SearchProblem {
            return .unsearchable(problem)
        }
    }

    private func quota(_ root: Address) async throws -> Quota {
        guard let account = try await store.account(root) else { throw StoreError.noSuchAccount }
        return try await store.quota(of: account.id)
    }

    private func listing(of account: AccountID) async throws -> MailboxListing {
        let mailboxes = try await store.mailboxes(of: account)
        return MailboxListing(mailboxes, subscriptions: try await store.subscriptions(of: account))
    }

    private func find(_ name: MailboxName, of account: AccountID) async throws -> Mailbox {
        guard let mailbox = try await store.mailbox(name, of: account) else { throw StoreError.noSuchMailbox }
        return mailbox
    }

    private func open(
        _ name: MailboxName, of account: AccountID, claimsRecent: Bool
    ) async throws -> OpenedMailbox {
        let record = try await find(name, of: account)
        guard claimsRecent else {
            let snapshot = try await store.open(record.id)
            return OpenedMailbox(
                record: record, snapshot: snapshot, firstRecent: snapshot.firstUID(ofLast: record.recentCount))
        }
        // Claimed before it is read: a message that comes in between may be recent twice, but never to nobody.
        let firstRecent = try await store.claimRecent(record.id)
        return OpenedMailbox(record: record, snapshot: try await store.open(record.id), firstRecent: firstRecent)
    }
}

extension MailboxSnapshot {
    /// The UID from which on there are `count` messages.
    fileprivate func firstUID(ofLast count: Int) -> UInt64 {
        guard count > 0, !isEmpty else { return uidNext }
        return UInt64(self[max(0, self.count - count)].uid.value)
    }
}
