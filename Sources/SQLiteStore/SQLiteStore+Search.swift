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

extension SQLiteStore {
    package func textIndexState() async throws -> TextIndexState? {
        let octets = ["", "-wal"].reduce(0) { $0 + (fileSize(directory.textIndex + $1) ?? 0) }
        let marks: [Int64: Int64]
        if let indexer = textIndexer {
            guard let file = indexer.file else { return try await textIndexState([:], octets: octets) }
            marks = try await readers.run { try file.marks() }
        } else {
            guard octets > 0 else { return nil }
            marks = try await readers.run { [directory] in
                let file = try TextIndexFile(directory.textIndex, nextBody: .max)
                defer { file.close() }
                return try file.marks()
            }
        }
        return try await textIndexState(marks, octets: octets)
    }

    private func textIndexState(_ marks: [Int64: Int64], octets: Int) async throws -> TextIndexState {
        try await read { db in
            var (messages, missing) = (0, 0)
            var behind: [(mailbox: Int64, mark: Int64)] = []
            try db.forEachRecord("SELECT id, uidnext, messages FROM mailbox", []) { record in
                messages += Int(record.number(2))
                let mark = marks[record.number(0)] ?? 0
                if record.number(1) - 1 > mark { behind.append((record.number(0), mark)) }
            }
            for (mailbox, mark) in behind {
                try db.forEachRecord("SELECT count(*) FROM message WHERE mailbox = ? AND uid > ?", [mailbox, mark]) {
                    missing += Int($0.number(0))
                }
            }
            return TextIndexState(indexed: max(0, messages - missing), messages: messages, octets: octets)
        }
    }
}
