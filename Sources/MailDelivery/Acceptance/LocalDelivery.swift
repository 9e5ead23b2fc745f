package import MailStore
import MailVocabulary
import MessageFormat
package import SMTPSyntax
import WireFraming

/// What became of one recipient on this server.
package enum LocalDeliveryResult: Sendable, Hashable {
    case delivered
    /// X.Y.Z (RFC 3463), and this server's own words.
    case deferred(status: String, text: String)
    case failed(status: String, text: String)
}

/// Puts queued mail into mailboxes of this server: mail that had to wait, or whose sender is to be told of its delivery.
extension Acceptance {
    /// One result for each recipient, in their order. Recipients are accounts' own addresses: aliases were looked up
    /// when the message was taken in.
    ///
    /// - Parameter size: octets of the body.
    package func deliver(
        queued body: BodyID, size: Int, envelope: SMTPEnvelope, to recipients: [SMTPRecipient]
    ) async -> [LocalDeliveryResult] {
        let message: NewMessage
        let isSpam: Bool
        do {
            (message, isSpam) = try await localCopy(of: body, size: size, envelope)
        } catch {
            let result =
                error is ConversionRefused
                ? .failed(status: "5.6.3", text: ConversionRefused.reply.lines[0])
                : LocalDeliveryResult(DeliveryFailure(error))
            return recipients.map { _ in result }
        }
        var results: [LocalDeliveryResult] = []
        for recipient in recipients { results.append(await put(message, recipient.mailbox, isSpam: isSpam)) }
        return results
    }

    private func localCopy(
        of body: BodyID, size: Int, _ envelope: SMTPEnvelope
    ) async throws -> (NewMessage, isSpam: Bool) {
        let writer = store.bodyWriter()
        let field = envelope.reversePath.returnPathField
        if envelope.body != .binaryMIME { writer.write(Array(field.utf8).span) }
        for start in stride(from: 0, to: size, by: Self.copiedAtOnce) {
            let octets = try await store.read(body, start..<min(start + Self.copiedAtOnce, size))
            writer.write(octets.span)
            if writer.needsSpill { try await writer.spill() }
        }
        var copy = try await writer.finish()
        if envelope.body == .binaryMIME { copy = try await inLines(copy, after: field) }
        let isSpam = try hasFilters && copy.withBytes { isMarkedAsSpam($0, settings.spamMarks) }
        let summary = try copy.withBytes { MessageSummary(parsing: $0) }
        let message = NewMessage(
            body: copy, internalDate: now(), summary: summary.encoded(),
            threadKeys: summary.threadMessageIDs.map { ThreadKey(messageID: $0) })
        return (message, isSpam)
    }

    private func put(_ message: NewMessage, _ mailbox: SMTPMailbox, isSpam: Bool) async -> LocalDeliveryResult {
        do {
            guard let address = mailbox.address, let account = try await store.account(address) else {
                return .failed(status: "5.1.1", text: "No such user here")
            }
            guard !account.isDisabled else {
                return .failed(status: "5.2.1", text: "This mailbox does not accept mail")
            }
            _ = try await store.append([(try await self.mailbox(of: account.id, isSpam: isSpam), [message])])
            return .delivered
        } catch {
            return LocalDeliveryResult(DeliveryFailure(error))
        }
    }
}

extension LocalDeliveryResult {
    fileprivate init(_ failure: DeliveryFailure) {
        self =
            switch failure {
            case .noSpace: .deferred(status: "4.3.1", text: "Insufficient system storage")
            case .overQuota: .deferred(status: "4.2.2", text: "The recipient's mailbox is full")
            case .tooMuch, .unavailable: .deferred(status: "4.3.0", text: "Mail system cannot serve now")
            }
    }
}
