import GRDB
package import MailStore
import MailVocabulary

extension SQLiteStore {
    /// Reading so many messages costs less than asking the index.
    private static let fewBodies = 16

    package func mayContain(_ text: [UInt8], _ bodies: [BodyID], in mailbox: MailboxID) async throws -> [Bool]? {
        guard let file = textIndexer?.file, bodies.count >= Self.fewBodies else { return nil }
        let rows = TextSignature.rows(of: text)
        guard !rows.isEmpty else { return nil }
        let account = try await account(of: mailbox).value
        do {
            return try await readers.run {
                let excluded = try file.excluded(rows, account: account, among: bodies.map { $0.value }.sorted())
                    .sorted()
                return SQLiteStore.arePresent(bodies, in: excluded).map { !$0 }
            }
        } catch {
            // If this is the first to notice, and nobody has closed it on purpose.
            if let indexer = textIndexer, indexer.file === file, isFault(ofIndex: error) {
                await discardTextIndex(error)
            }
            return nil
        }
    }

    private func account(of mailbox: MailboxID) async throws -> AccountID {
        if let known = cache.mailbox(mailbox) { return known.record.account }
        return try await read { db in try RowReader.state(mailbox, db).record.account }
    }

    /// Which of the bodies are among numbers, which are ascending. Mostly they follow each other in both.
    private static func arePresent(_ bodies: [BodyID], in numbers: [Int64]) -> [Bool] {
        var next = 0
        return bodies.map { body in
            if next >= numbers.count || numbers[next] != body.value {
                next = numbers.ascendingIndex(of: body.value)
            }
            guard next < numbers.count, numbers[next] == body.value else { return false }
            next += 1
            return true
        }
    }
}
