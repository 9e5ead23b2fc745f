package import MailStore
import MailVocabulary
import MessageFormat

/// Takes mail from elsewhere into an account.
///
/// What is there already is not added again, so that an import may be repeated: after it was interrupted, or to fetch
/// what has come in meanwhile. A message is there when the mailbox holds as many of the same size, date and content.
/// UIDs are kept where the source knows them and the mailbox never held a message.
package struct MailImport: Sendable {
    /// Messages, and octets of them, that are added in one commit.
    private static let batchCount = 100
    private static let batchOctets = 8 << 20

    private let store: any MailStore
    private let account: AccountID
    private let source: any MailSource
    private let intake: MessageIntake

    /// - Parameter messageLimit: octets of a message; larger ones are reported and left out.
    package init(
        _ source: any MailSource, into account: AccountID, of store: any MailStore,
        messageLimit: Int = StoreLimits.messageSize
    ) {
        self.source = source
        self.account = account
        self.store = store
        intake = MessageIntake(store: store, limit: messageLimit)
    }

    /// - Parameter progress: called now and then with the messages looked at, and all of them.
    /// Throws `TransferError`, `StoreError`, `CancellationError`. What was added until then stays.
    package func run(_ progress: @Sendable (_ done: Int, _ total: Int) -> Void) async throws -> TransferReport {
        var report = TransferReport()
        let mailboxes = try source.mailboxes()
        var total = 0
        // Listed twice rather than kept: an account may have millions.
        for mailbox in mailboxes { total += try source.messages(of: mailbox).count }
        var done = 0
        for mailbox in mailboxes {
            var run = MailboxImport(try await target(mailbox), intake, report)
            for message in try source.messages(of: mailbox) {
                try Task.checkCancellation()
                try await run.take(message)
                if run.count >= Self.batchCount || run.octets >= Self.batchOctets { try await run.flush() }
                done += 1
                progress(done, total)
            }
            try await run.flush()
            report = run.report
            report.mailboxes += 1
        }
        return report
    }

    /// The mailbox to add to, made if need be, subscribed as it was.
    private func target(_ mailbox: SourceMailbox) async throws -> MailboxImport.Target {
        let found = try await store.mailbox(mailbox.name, of: account)
        let record: Mailbox
        if let found {
            record = found
        } else {
            record = try await store.createMailbox(mailbox.name, of: account, specialUse: nil)
        }
        if found == nil || mailbox.isSubscribed == true {
            try await store.setSubscribed(mailbox.isSubscribed ?? true, mailbox.name, of: account)
        }
        var keepsUIDs = record.uidValidity == mailbox.uidValidity
        if !keepsUIDs, let uidValidity = mailbox.uidValidity {
            keepsUIDs = try await store.adoptUIDValidity(uidValidity, of: record.id)
        }
        return MailboxImport.Target(id: record.id, keepsUIDs: keepsUIDs, before: try await store.open(record.id))
    }
}

/// What moved.
package struct TransferReport: Sendable, Equatable, Codable {
    /// Kept of messages that could not be moved: enough to see what is wrong.
    private static let problemLimit = 100

    package var mailboxes = 0
    package var added = 0
    /// There already.
    package var present = 0
    /// Messages left out.
    package var failed = 0
    /// Why the first of them were, and what else was lost.
    package var problems: [String] = []

    package init() {}

    mutating func note(_ problem: String) {
        if problems.count < Self.problemLimit { problems.append(problem) }
    }
}

/// One mailbox's import.
struct MailboxImport {
    struct Target {
        var id: MailboxID
        var keepsUIDs: Bool
        /// As it was when the import began.
        var before: MailboxSnapshot
    }

    /// What messages that may be the same have in common.
    private struct Likeness: Hashable {
        var size: Int
        var date: Int64
    }

    private let target: Target
    private let intake: MessageIntake
    private(set) var report: TransferReport
    private var known: [Likeness: [BodyID]] = [:]
    private var batch: [NewMessage] = []
    /// Octets of the batch.
    private(set) var octets = 0

    var count: Int { batch.count }

    init(_ target: Target, _ intake: MessageIntake, _ report: TransferReport) {
        self.target = target
        self.intake = intake
        self.report = report
        target.before.forEach { _, row in
            known[Likeness(size: Int(row.size), date: row.internalDate.seconds), default: []].append(row.body)
        }
    }

    /// Adds a message to the batch unless it is there. What is wrong with it alone is reported.
    mutating func take(_ message: SourceMessage) async throws {
        do {
            let body = try await intake.stage(message)
            let date = message.internalDate ?? Timestamp(seconds: 0)
            guard try await !isPresent(body, date) else {
                report.present += 1
                return
            }
            let summary = try body.withBytes { MessageSummary(parsing: $0) }
            batch.append(
                NewMessage(
                    body: body, flags: message.flags, internalDate: date, summary: summary.encoded(),
                    threadKeys: summary.threadMessageIDs.map { ThreadKey(messageID: $0) },
                    uid: target.keepsUIDs ? message.uid : nil))
            octets += body.count
        } catch let problem as TransferError {
            report.failed += 1
            report.note(problem.description)
        }
    }

    /// Each message of the mailbox stands for one of the source.
    private mutating func isPresent(_ body: any StagedBody, _ date: Timestamp) async throws -> Bool {
        let likeness = Likeness(size: body.count, date: date.seconds)
        guard let candidates = known[likeness] else { return false }
        for (index, candidate) in candidates.enumerated() where try await isSame(candidate, body) {
            known[likeness]?.remove(at: index)
            return true
        }
        return false
    }

    private func isSame(_ stored: BodyID, _ body: any StagedBody) async throws -> Bool {
        let piece = 1 << 20
        for start in stride(from: 0, to: body.count, by: piece) {
            let range = start..<min(body.count, start + piece)
            let bytes = try await intake.store.read(stored, range)
            let isEqual = try body.withBytes { span in
                bytes.count == range.count && bytes.indices.allSatisfy { bytes[$0] == span[start + $0] }
            }
            guard isEqual else { return false }
        }
        return true
    }

    mutating func flush() async throws {
        guard !batch.isEmpty else { return }
        do {
            _ = try await intake.store.append([(target.id, batch)])
        } catch StoreError.tooManyKeywords {
            report.note("the mailbox has too many different keywords; those of \(batch.count) messages were left out")
            for index in batch.indices {
                batch[index].flags.removeAll { if case .keyword = $0 { true } else { false } }
            }
            _ = try await intake.store.append([(target.id, batch)])
        }
        report.added += batch.count
        batch = []
        octets = 0
    }
}
