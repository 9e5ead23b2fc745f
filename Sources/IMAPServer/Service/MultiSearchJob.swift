import IMAPSyntax
import MailStore
import MailVocabulary

/// ESEARCH in several mailboxes (RFC 7377).
package struct MultiSearchTask: Sendable {
    let user: Account
    let sources: [MailboxFilter]
    let selected: SelectedMailbox?
    let request: SearchRequest
    let enabled: EnabledFeatures
}

/// What was found in one mailbox.
package struct MailboxFindings: Sendable {
    var mailbox: SearchedMailbox
    var findings: SearchFindings
    /// Whether it is the one that the session has selected.
    var isSelected: Bool
}

/// A search in several mailboxes, one after the other, in slices of time.
package struct MultiSearchJob: Sendable {
    let task: MultiSearchTask
    /// Still to be searched.
    fileprivate var rest: ArraySlice<FoundMailbox>
    fileprivate var present: (mailbox: FoundMailbox, job: SearchJob)?
    fileprivate let count: Int

    fileprivate init(_ task: MultiSearchTask, _ mailboxes: [FoundMailbox]) {
        self.task = task
        rest = mailboxes[...]
        count = mailboxes.count
    }

    /// Mailboxes.
    package var progress: (done: Int, all: Int) { (count - rest.count - (present == nil ? 0 : 1), max(1, count)) }
}

extension IMAPService {
    /// Ranges of numbers found after which they are handed over: what a session holds until they are written.
    private static let rangesAtOnce = 50_000

    func multiSearch(_ task: MultiSearchTask) async throws -> IMAPOutcome {
        let mailboxes = try await mailboxes(task.sources, selected: task.selected, for: task.user)
        return try await advance(MultiSearchJob(task, mailboxes), for: progressIntervals.first)
    }

    func advance(_ job: consuming MultiSearchJob, for time: Duration) async throws -> IMAPOutcome {
        do {
            return try await attempt(job, until: .now + time)
        } catch let problem as SearchProblem {
            return .unsearchable(problem)
        }
    }

    private func attempt(
        _ job: consuming MultiSearchJob, until deadline: ContinuousClock.Instant
    ) async throws -> IMAPOutcome {
        var job = job
        var (found, ranges): ([MailboxFindings], Int) = ([], 0)
        while try await beginNext(&job) {
            guard let (mailbox, present) = job.present else { continue }
            job.present = nil
            var search = present
            guard try await search.advance(until: deadline) else {
                job.present = (mailbox, search)
                break
            }
            let findings = search.findings()
            // RFC 7377 §2.1: of a mailbox without matches, nothing is told.
            if !findings.uids.isEmpty {
                let searched = SearchedMailbox(name: mailbox.name, uidValidity: mailbox.mailbox.uidValidity)
                let isSelected = mailbox.mailbox.id == job.task.selected?.id
                found.append(MailboxFindings(mailbox: searched, findings: findings, isSelected: isSelected))
                ranges += findings.numbers.ranges.count
            }
            if ranges >= Self.rangesAtOnce || ContinuousClock.now >= deadline { break }
        }
        let isDone = job.rest.isEmpty && job.present == nil
        return .foundInMailboxes(found, rest: isDone ? nil : job)
    }

    /// Opens the next mailbox, if none is being searched. False when there is none.
    private func beginNext(_ job: inout MultiSearchJob) async throws -> Bool {
        while job.present == nil, let mailbox = job.rest.popFirst() {
            try Task.checkCancellation()
            let selected: SelectedMailbox
            if let own = job.task.selected, own.id == mailbox.mailbox.id {
                selected = own
            } else {
                guard let snapshot = try? await store.open(mailbox.mailbox.id) else { continue }
                let opened = OpenedMailbox(found: mailbox, snapshot: snapshot, firstRecent: snapshot.uidNext)
                selected = SelectedMailbox(opened, isReadOnly: true, tellsRecent: false)
            }
            var task = SearchTask(request: job.task.request, mailbox: selected)
            task.allowsAnyNumbers = true
            task.usesUIDs = true
            job.present = (mailbox, try SearchJob(task, store: store, cache: columns, now: now().seconds))
        }
        return job.present != nil
    }

    /// The mailboxes meant, each once. Those that the user may not read, or not know of, are passed over
    /// (RFC 7377 §2.2).
    private func mailboxes(
        _ sources: [MailboxFilter], selected: SelectedMailbox?, for user: Account
    ) async throws -> [FoundMailbox] {
        var found: [FoundMailbox] = []
        for source in sources { found += try await mailboxes(source, selected: selected, for: user) }
        var known: Set<MailboxID> = []
        return found.filter { $0.rights.contains(.read) && known.insert($0.mailbox.id).inserted }
    }

    private func mailboxes(
        _ source: MailboxFilter, selected: SelectedMailbox?, for user: Account
    ) async throws -> [FoundMailbox] {
        switch source {
        case .selected:
            guard let selected else { return [] }
            return try await named([selected.name], for: user)
        case .selectedDelayed: return []
        case .inboxes: return try await named([.inbox], for: user)
        case .personal: return try await own(for: user)
        case .subscribed:
            return try await named(try await store.subscriptions(of: user.id), for: user)
                .filter { $0.rights.contains(.lookUp) }
        case .mailboxes(let names): return try await named(names, for: user)
        case .subtree(let names): return try await trees(names, depth: .max, for: user)
        case .subtreeOne(let names): return try await trees(names, depth: 1, for: user)
        }
    }

    private func named(_ names: [MailboxName], for user: Account) async throws -> [FoundMailbox] {
        var found: [FoundMailbox] = []
        for name in names {
            if let mailbox = try await find(name, for: user) { found.append(mailbox) }
        }
        return found
    }

    private func own(for user: Account) async throws -> [FoundMailbox] {
        try await store.mailboxes(of: user.id).map { mailbox in
            FoundMailbox(mailbox: mailbox, name: mailbox.name, rights: .all, accessGeneration: 0, isOwn: true)
        }
    }

    /// The mailboxes of these names, and those down to so many levels below. A tree of names has no loops.
    private func trees(_ names: [MailboxName], depth: Int, for user: Account) async throws -> [FoundMailbox] {
        var all = try await own(for: user)
        if names.contains(where: Namespaces.isForeign) {
            let visible = try await visibleMailboxes(for: user).map(\.mailbox.name)
            all += try await named(visible, for: user)
        }
        return try await names.asyncFlatMap { root in
            let prefix = root.text + String(MailboxName.separator)
            let inferiors = all.filter { mailbox in
                let name = mailbox.name.text
                guard name.hasPrefix(prefix), mailbox.rights.contains(.lookUp) else { return false }
                return depth == .max || !name.dropFirst(prefix.count).contains(MailboxName.separator)
            }
            return try await named([root], for: user) + inferiors
        }
    }
}

extension Sequence {
    fileprivate func asyncFlatMap<Result>(_ transform: (Element) async throws -> [Result]) async rethrows -> [Result] {
        var results: [Result] = []
        for element in self { results += try await transform(element) }
        return results
    }
}
