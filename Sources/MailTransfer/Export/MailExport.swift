package import MailStore
import MailVocabulary

/// Writes an account's mail into a directory. A later export to the same place adds what is new; files are written
/// beside their place and moved there when they are complete.
package struct MailExport: Sendable {
    private let store: any MailStore
    private let account: AccountID
    private let format: TransferFormat
    private let directory: String

    package init(of account: AccountID, from store: any MailStore, as format: TransferFormat, to directory: String) {
        self.account = account
        self.store = store
        self.format = format
        self.directory = directory
    }

    /// - Parameter progress: called now and then with the messages written, and all of them.
    /// Throws `TransferError`, `StoreError`, `CancellationError`.
    package func run(_ progress: @Sendable (_ done: Int, _ total: Int) -> Void) async throws -> TransferReport {
        var report = TransferReport()
        let mailboxes = try await store.mailboxes(of: account)
        let total = mailboxes.reduce(0) { $0 + $1.messageCount }
        try WritingFile.makeDirectory(directory)
        var done = 0
        for mailbox in mailboxes {
            let view = try await store.open(mailbox.id)
            var writer = try writer(for: mailbox, view)
            for position in 0..<view.count {
                try Task.checkCancellation()
                try await write(view[position], view, &writer, &report)
                done += 1
                progress(done, max(total, done))
            }
            try writer.finish()
            report.mailboxes += 1
        }
        try finish(try await store.subscriptions(of: account))
        return report
    }

    private func write(
        _ row: MessageRow, _ view: MailboxSnapshot, _ writer: inout any MailboxWriter, _ report: inout TransferReport
    ) async throws {
        let flags = view.keywords.flags(row.flags)
        guard try writer.begin(row, flags) else {
            report.present += 1
            return
        }
        do {
            for start in stride(from: 0, to: Int(row.size), by: Self.piece) {
                let range = start..<min(Int(row.size), start + Self.piece)
                try writer.write(try await store.read(row.body, range))
            }
            try writer.end(row)
            report.added += 1
        } catch let error as StoreError {
            // One message that is gone or damaged is no other's loss.
            try writer.abandon()
            guard error != .noSuchBody else { return }
            report.failed += 1
            report.note("UID \(row.uid.value): \(error)")
        }
    }

    private static let piece = 1 << 20

    private func writer(for mailbox: Mailbox, _ view: MailboxSnapshot) throws -> any MailboxWriter {
        switch format {
        case .maildir: try MaildirWriter(directory, mailbox.name, view)
        case .mbox: try MboxWriter(directory, mailbox.name, view)
        case .eml: try EMLWriter(directory, mailbox.name, view)
        }
    }

    private func finish(_ subscriptions: [MailboxName]) throws {
        guard format == .maildir else { return }
        try MaildirWriter.writeSubscriptions(subscriptions, to: directory)
    }
}

/// Writes one mailbox.
protocol MailboxWriter {
    /// Before a message; false when an earlier export has written it.
    mutating func begin(_ row: MessageRow, _ flags: [Flag]) throws -> Bool
    /// Octets with CRLF line ends.
    mutating func write(_ octets: [UInt8]) throws
    mutating func end(_ row: MessageRow) throws
    /// Gives up the message that was begun.
    mutating func abandon() throws
    mutating func finish() throws
}
