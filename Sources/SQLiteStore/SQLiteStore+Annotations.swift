import GRDB
package import MailStore
package import MailVocabulary

extension SQLiteStore {
    package func annotations(
        _ selection: AnnotationSelection, on mailboxes: [MailboxID?], for account: AccountID
    ) async throws -> [[Annotation]] {
        try await read { db in
            let select = try db.cachedStatement(
                sql: "SELECT name, value FROM annotation WHERE mailbox = ? AND reader IN (0, ?) ORDER BY name")
            return try mailboxes.map { mailbox in
                var annotations: [Annotation] = []
                let cursor = try Row.fetchCursor(select, arguments: [mailbox?.value ?? 0, account.value])
                while let row = try cursor.next() {
                    guard let name = AnnotationName(try row.value(0) as String) else {
                        throw StoreError.damaged("an annotation's name")
                    }
                    guard selection.selects(name) else { continue }
                    annotations.append(Annotation(name: name, value: RowReader.bytes(row, 1)))
                }
                return annotations
            }
        }
    }

    package func setAnnotations(
        _ changes: [(name: AnnotationName, value: [UInt8]?)], _ use: SpecialUseChange, on mailbox: MailboxID?,
        for account: AccountID
    ) async throws {
        try await committer.commit { transaction, _ in
            try transaction.setAnnotations(changes, use, on: mailbox, for: account)
        }
    }
}
