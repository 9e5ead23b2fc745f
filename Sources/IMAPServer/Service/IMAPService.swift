import IMAPSyntax
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
    /// How often a long search tells how far it is.
    var progressIntervals = ProgressIntervals()
    let columns = ColumnCache()

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
        } catch let problem as AppendProblem {
            return .notAppended(problem)
        } catch is AccessDenied {
            return .denied
        } catch is UnusableName {
            return .unusableName
        } catch is UnknownIdentifier {
            return .unknownIdentifier
        } catch is UnusableUse {
            return .unusableUse
        } catch is NotificationOverflow {
            return .overflown
        } catch {
            return .failed(.unavailable("\(type(of: error))"))
        }
    }

    private func attempt(_ work: IMAPWork, _ notify: @escaping @Sendable () -> Void) async throws -> IMAPOutcome {
        switch work {
        case .authenticate(let exchange, let response):
            return .authentication(await exchange.respond(response))
        case .logIn(let credentials, let context):
            return .authentication(await authenticator.authenticate(credentials, by: nil, context))
        case .open(let task):
            return .opened(try await open(task))
        case .refresh(let task):
            return .refreshed(try await refresh(task))
        case .observe(let mailbox):
            return .observing(store.observe(mailbox, notify))
        case .list(let user, let request, let encoding, let limit):
            return .written(try await list(request, for: user, encoding, appendLimit: limit))
        case .lsub(let user, let reference, let pattern, let encoding):
            let listing = try await subscriptionListing(of: user)
            return .written(try await listing.written(reference: reference, pattern: pattern, encoding))
        case .findMailbox(let user, let name, let rights):
            return .found(try await require(rights, on: name, for: user))
        case .createMailbox(let user, let name, let use):
            return .created(try await create(name, use, for: user))
        case .deleteMailbox(let user, let name):
            return .deleted(try await delete(name, for: user))
        case .renameMailbox(let user, let from, let to):
            try await rename(from, to: to, for: user)
            return .done
        case .setSubscribed(let account, let name, let subscribed):
            try await store.setSubscribed(subscribed, name, of: account)
            return .done
        case .accessList(let user, let name):
            return .accessList(try await accessList(of: name, for: user))
        case .changeAccess(let user, let name, let change):
            try await changeAccess(change, on: name, for: user)
            return .done
        case .grantable(let user, let name, let identifier):
            return .grantable(isOwner: try await isOwner(identifier, of: name, for: user))
        case .rights(let account, let mailbox):
            let generation = store.accessGeneration
            return .rights(try await store.rights(of: account, on: mailbox), generation: generation)
        case .metadata(let user, let request):
            return try await metadata(request, for: user)
        case .setMetadata(let user, let place, let changes):
            try await setMetadata(changes, on: place, for: user)
            return .done
        case .quota(let root): return try await quota(root)
        case .quotaRoot(let name, let user): return try await quota(quotaRoot(of: name, for: user))
        case .setQuota(let root, let limits): return try await setQuota(root, limits)
        case .spill(let writer):
            try await writer.spill()
            return .done
        case .catenate(let part):
            try await catenate(part)
            return .done
        case .append(let job):
            return .appended(try await append(job))
        case .authoriseURLs(let requests, let authentication):
            return .authorisedURLs(try await authorise(requests, authentication))
        case .locate(let url, let authentication):
            return .located(try await fetch(url, authentication))
        case .resetURLKeys(let account, let name):
            try await resetURLKeys(of: account, name)
            return .done
        case .read(let body, let range):
            return .octets(try await store.read(body, range))
        case .copy(let user, let uids, let from, let to, let allOrNothing):
            let target = try await require(.insert, on: to, for: user)
            return .copied(
                try await store.copy(
                    uids, from: from, to: target.mailbox.id, keeping: target.rights.flagClasses,
                    allOrNothing: allOrNothing),
                into: target)
        case .move(let user, let uids, let from, let to):
            let target = try await require(.insert, on: to, for: user)
            return .copied(
                try await store.move(uids, from: from, to: target.mailbox.id, keeping: target.rights.flagClasses),
                into: target)
        case .expunge(let mailbox, let uids, let limit):
            return .expunged(try await expunge(uids, from: mailbox, limit: limit))
        case .store(let task):
            return .stored(try await store(task))
        case .markSeen(let task):
            return .markedSeen(try await markSeen(task))
        case .narrow(let scope):
            return .narrowed(try await narrow(scope))
        case .fetch(let request):
            var run = FetchRun(store: store, request: request)
            return .fetched(await run.run())
        case .search(let task):
            return try await search(task)
        case .continueSearch(let job):
            return try await advance(job)
        case .updateContexts(let task):
            return .refreshed(try await updateContexts(task))
        case .multiSearch(let task):
            return try await multiSearch(task)
        case .continueMultiSearch(let job):
            return try await advance(job, for: progressIntervals.next)
        case .watch(let task):
            let (watched, notices) = try await watch(task, notify)
            return .watching(watched, notices)
        case .tell(let task):
            let (foreign, notices) = try await tell(task)
            return .told(foreign, notices)
        case .attributed(let work, let origin):
            return try await ChangeOrigin.$current.withValue(origin) { try await attempt(work, notify) }
        }
    }

    private func refresh(_ task: RefreshTask) async throws -> MailboxUpdate {
        let view = task.mailbox.view
        let claims = task.mailbox.claimsRecent && task.rules.mayAnnounceNew
        let firstRecent = !claims ? nil : try await store.claimRecent(view.mailbox)
        let now = try await store.open(view.mailbox)
        return task.mailbox.updated(
            to: now, now.changes(since: view), firstRecent: firstRecent, task.rules, task.enabled)
    }
}
