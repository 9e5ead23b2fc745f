import MailStore
import MailTransfer
import MailVocabulary
import Synchronization

extension Administration {
    /// Between two words on how far it is.
    private static let progressInterval = Duration.milliseconds(200)

    /// Imports or exports. What was moved when it ends early stays; the same command again goes on from there.
    func transfer(_ request: ControlRequest, _ reply: @escaping @Sendable (ControlReply) -> Void) async throws {
        let lastShown = Mutex(ContinuousClock.now)
        let show: @Sendable (Int, Int) -> Void = { done, total in
            let now = ContinuousClock.now
            let isDue = lastShown.withLock { last in
                guard done == total || now - last >= Self.progressInterval else { return false }
                last = now
                return true
            }
            if isDue { reply(.progress(checked: done, total: total)) }
        }
        do {
            if let report = try await perform(request, show) { reply(.transferred(report)) }
        } catch is CancellationError {
            throw OperatorError(.temporaryFailure, "ended early; the same command goes on from here")
        }
    }

    private func perform(
        _ request: ControlRequest, _ show: @escaping @Sendable (Int, Int) -> Void
    ) async throws -> TransferReport? {
        switch request {
        case .importMail(let address, let path, let format, let mailbox):
            let account = try await account(address)
            let name = try mailbox.map { text in
                guard let name = MailboxName(text) else {
                    throw OperatorError(.dataError, "“\(text)” cannot be a mailbox's name")
                }
                return name
            }
            let known = try format ?? TransferFormat.recognize(path)
            let source = known.source(at: path, mailbox: name)
            return try await MailImport(source, into: account.id, of: store).run(show)
        case .exportMail(let address, let path, let format):
            let account = try await account(address)
            return try await MailExport(of: account.id, from: store, as: format, to: path).run(show)
        case .listDomains, .addDomain, .deleteDomain, .listUsers, .addUsers, .setCredentials, .deleteUser, .verify,
            .quota, .setQuota, .queue, .listAliases, .setAlias, .removeAlias, .listSenderGrants, .grantSender,
            .revokeSender, .certificate:
            return nil
        }
    }
}
