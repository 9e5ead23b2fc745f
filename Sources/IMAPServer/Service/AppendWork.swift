import IMAPSyntax
package import MailStore
package import MailVocabulary
import MessageFormat

/// A message whose octets have all come.
package struct AppendedMessage: Sendable {
    package var body: any BodyWriter
    package var flags: [Flag]
    /// Nil: now.
    package var internalDate: Timestamp?
    /// Whether some of it came as literal8, with line ends as they were and perhaps NUL.
    package var isBinary: Bool
}

/// A message of a mailbox.
package struct ReplacedRow: Sendable, Hashable {
    package var mailbox: MailboxID
    package var uid: UID
}

/// The whole of an APPEND or REPLACE.
package struct AppendJob: Sendable {
    package var mailbox: MailboxID
    package var messages: [AppendedMessage]
    /// The message that goes in the same moment (RFC 8508).
    package var replaced: ReplacedRow?
    /// RFC 9755 §4: only for who has said that it understands them.
    package var allowsUTF8Headers: Bool
    /// Octets of one message.
    package var limit: UInt64
}

/// Why a message is not added.
package enum AppendProblem: Error, Sendable, Hashable {
    /// RFC 4469 §4.1.
    case badURL
    case tooLarge
    /// RFC 9755 §4.
    case eightBitHeader
    /// RFC 3516 §4.4: NUL where no transfer encoding can take it away.
    case unstorable
}

extension IMAPService {
    func append(_ job: AppendJob) async throws -> AppendResult {
        var messages: [NewMessage] = []
        for message in job.messages { messages.append(try await prepare(message, job)) }
        if let replaced = job.replaced, let message = messages.first {
            return try await store.replace(replaced.uid, in: replaced.mailbox, with: message, in: job.mailbox)
        }
        guard let result = try await store.append([(job.mailbox, messages)]).first else {
            throw StoreError.unavailable("nothing was appended")
        }
        return result
    }

    private func prepare(_ message: AppendedMessage, _ job: AppendJob) async throws -> NewMessage {
        var body = try await message.body.finish()
        if message.isBinary { body = try await storable(body, limit: job.limit) }
        let (summary, messageIDs) = try body.withBytes { bytes in
            let summary = MessageSummary(parsing: bytes)
            let header = summary.structure.headerRange
            guard job.allowsUTF8Headers || bytes.isASCII(header) else {
                throw AppendProblem.eightBitHeader
            }
            return (summary.encoded(), summary.threadMessageIDs)
        }
        return NewMessage(
            body: body, flags: message.flags, internalDate: message.internalDate ?? now(), summary: summary,
            threadKeys: messageIDs.map { ThreadKey(messageID: $0) })
    }
}

extension Span<UInt8> {
    fileprivate func isASCII(_ range: Range<Int>) -> Bool {
        for index in range where self[index] >= 0x80 { return false }
        return true
    }
}
