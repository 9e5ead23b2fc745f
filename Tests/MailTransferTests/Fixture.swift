import Foundation
import MailStore
import MailVocabulary
import Testing

@testable import MailTransfer

/// A directory to build other programs' mail in, and a store with one account.
final class Fixture {
    let root: String
    let store = InMemoryStore()
    let account: AccountID

    init() async throws {
        root = FileManager.default.temporaryDirectory.appending(path: "transfer-\(UUID())").path
        try FileManager.default.createDirectory(atPath: root, withIntermediateDirectories: true)
        let domain = try #require(Domain("example.org"))
        try await store.addDomain(domain)
        let credentials = StoredCredentials(
            argon2id: "", scramSHA256: SCRAMVerifier(salt: [], iterations: 1, storedKey: [], serverKey: []))
        account = try await store.addAccounts([(Address(localPart: "fred", domain: domain), credentials)])[0].id
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    /// Writes a file below the root, with its directories.
    func write(_ text: String, to path: String, date: Int64 = 1_000_000) throws {
        let url = URL(filePath: root + "/" + path)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
        try FileManager.default.setAttributes(
            [.modificationDate: Date(timeIntervalSince1970: TimeInterval(date))], ofItemAtPath: url.path)
    }

    func makeMaildir(_ path: String) throws {
        for part in ["cur", "new", "tmp"] {
            try FileManager.default.createDirectory(
                atPath: "\(root)/\(path)/\(part)", withIntermediateDirectories: true)
        }
    }

    func text(of path: String) throws -> String { try String(contentsOfFile: root + "/" + path, encoding: .utf8) }

    @discardableResult
    func take(
        _ path: String = "", format: TransferFormat? = nil, mailbox: String? = nil, limit: Int = 1 << 20
    ) async throws -> TransferReport {
        let full = path.isEmpty ? root : root + "/" + path
        let known = try format ?? TransferFormat.recognize(full)
        let source = known.source(at: full, mailbox: mailbox.flatMap { MailboxName($0) })
        return try await MailImport(source, into: account, of: store, messageLimit: limit).run { _, _ in }
    }

    @discardableResult
    func give(_ format: TransferFormat, to path: String, of other: AccountID? = nil) async throws -> TransferReport {
        try await MailExport(of: other ?? account, from: store, as: format, to: root + "/" + path).run { _, _ in }
    }

    func name(_ text: String) throws -> MailboxName { try #require(MailboxName(text)) }

    func mailbox(_ text: String, of other: AccountID? = nil) async throws -> Mailbox {
        try #require(try await store.mailbox(name(text), of: other ?? account))
    }

    /// A mailbox's messages as text: `uid [flags] seconds: body`, line ends as `|`.
    func messages(_ text: String, of other: AccountID? = nil) async throws -> [String] {
        let snapshot = try await store.open(try await mailbox(text, of: other).id)
        var rows: [MessageRow] = []
        snapshot.forEach { rows.append($1) }
        let bodies = try await store.read(rows.map(\.body))
        return zip(rows, bodies).map { row, body in
            let flags = snapshot.keywords.flags(row.flags).map(\.word).joined(separator: " ")
            let text = String(decoding: body ?? [], as: UTF8.self).replacing("\r\n", with: "|")
            return "\(row.uid.value) [\(flags)] \(row.internalDate.seconds): \(text)"
        }
    }

    func names(of other: AccountID? = nil) async throws -> [String] {
        try await store.mailboxes(of: other ?? account).filter { $0.messageCount > 0 }.map(\.name.text)
    }

    func secondAccount() async throws -> AccountID {
        let domain = try #require(Domain("example.org"))
        let credentials = StoredCredentials(
            argon2id: "", scramSHA256: SCRAMVerifier(salt: [], iterations: 1, storedKey: [], serverKey: []))
        return try await store.addAccounts([(Address(localPart: "other", domain: domain), credentials)])[0].id
    }
}
