import ArgumentParser
import Foundation
import MailTransfer
import ProviderTools
import Synchronization

extension TransferFormat: ExpressibleByArgument {}

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Add mail from a Maildir, mbox files or .eml files to a user's.",
        discussion: """
            What the user has already is not added again: after an interruption, or when mail has come in meanwhile, the \
            same command goes on. Flags, keywords, dates, folders and subscriptions are taken over, and UIDs where the \
            mailbox here never held a message. The server's own user must be able to read the files.
            """)

    @OptionGroup var server: StateOptions
    @Option(help: "maildir, mbox or eml; recognised when it is not said.") var format: TransferFormat?
    @Option(help: "For a single mbox file, or .eml files in the directory itself.") var mailbox: String?
    @Argument(help: "Such as name@example.org.") var address: String
    @Argument(help: "A file or a directory.") var path: String

    func run() async throws {
        let request = ControlRequest.importMail(
            address: address, path: absolutePath(path), format: format, mailbox: mailbox)
        try await TransferRun(title: "importing", verb: "imported").run(request, server)
    }
}

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write a user's mail into a directory.",
        discussion: """
            As a Maildir that Dovecot and Courier serve with the same UIDs, flags and keywords, as mbox files, or as .eml \
            files. The same command again adds what is new. The server's own user must be able to write there.
            """)

    @OptionGroup var server: StateOptions
    @Option(help: "maildir, mbox or eml.") var format: TransferFormat = .maildir
    @Argument(help: "Such as name@example.org.") var address: String
    @Argument(help: "A directory; it is made if there is none.") var directory: String

    func run() async throws {
        let request = ControlRequest.exportMail(address: address, path: absolutePath(directory), format: format)
        try await TransferRun(title: "exporting", verb: "exported").run(request, server)
    }
}

/// One transfer, with its progress and its end.
private struct TransferRun {
    let title: String
    let verb: String

    func run(_ request: ControlRequest, _ server: StateOptions) async throws {
        let progress = ProgressLine(title)
        let result = Mutex<TransferReport?>(nil)
        try await server.withAdministration { administering in
            try await administering.perform(request) { reply in
                switch reply {
                case .progress(let done, let total): progress.show(done, of: total)
                case .transferred(let report): result.withLock { $0 = report }
                case .domains, .users, .aliases, .senders, .damage, .textIndex, .quota, .queue, .certificate, .done,
                    .failed:
                    break
                }
            }
        }
        progress.finish()
        guard let report = result.withLock({ $0 }) else { return }
        for problem in report.problems { FileHandle.standardError.write(Data("\(problem)\n".utf8)) }
        var text = "\(report.added) messages \(verb), \(report.mailboxes) mailboxes"
        if report.present > 0 { text += "; \(report.present) were there already" }
        if report.failed > 0 { text += "; \(report.failed) left out" }
        print(text)
        if report.failed > 0 { throw ExitCode(1) }
    }
}
