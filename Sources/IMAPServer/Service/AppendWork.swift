import MailStore
import MailVocabulary
import MessageFormat

extension IMAPService {
    func append(_ message: AppendedMessage) async throws -> AppendResult {
        let body = try await message.body.finish()
        let summary = try body.withBytes { MessageSummary(parsing: $0) }
        let new = NewMessage(
            body: body, flags: message.flags, internalDate: message.internalDate ?? now(), summary: summary.encoded(),
            threadKeys: summary.threadMessageIDs.map { ThreadKey(messageID: $0) })
        guard let result = try await store.append([(message.mailbox, [new])]).first else {
            throw StoreError.unavailable("nothing was appended")
        }
        return result
    }
}
