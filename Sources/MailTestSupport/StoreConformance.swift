package import MailStore
package import MailVocabulary

/// What every `MailStore` must do, as cases to be run against a fresh, empty store each:
/// `@Test(arguments: StoreConformance.all) func conforms(_ law: StoreConformance) async throws { try await law.check(…) }`
package struct StoreConformance: Sendable, CustomStringConvertible {
    package let description: String
    package let check: @Sendable (any MailStore) async throws -> Void

    package static let all =
        accountLaws + addressLaws + mailboxLaws + messageLaws + bodyLaws + feedLaws + concurrencyLaws + threadLaws
        + quotaLaws + accessLaws + annotationLaws + contentLaws + derivedLaws + queueLaws

    init(_ description: String, _ check: @escaping @Sendable (any MailStore) async throws -> Void) {
        self.description = description
        self.check = check
    }
}

/// A law that does not hold, and where.
package struct Violation: Error, CustomStringConvertible {
    package var description: String
}

func expect(_ holds: Bool, _ what: @autoclosure () -> String, file: String = #fileID, line: Int = #line) throws {
    if !holds { throw Violation(description: "\(file):\(line): \(what())") }
}

func expectEqual<T: Equatable>(_ a: T, _ b: T, file: String = #fileID, line: Int = #line) throws {
    if a != b { throw Violation(description: "\(file):\(line): \(a) is not \(b)") }
}

func expectError<R>(
    _ error: StoreError, file: String = #fileID, line: Int = #line, _ body: () async throws -> R
) async throws {
    do {
        _ = try await body()
    } catch let thrown as StoreError {
        return try expectEqual(thrown, error, file: file, line: line)
    }
    throw Violation(description: "\(file):\(line): no error, expected \(error)")
}

/// An account with a store, and short words for what laws do with them.
package struct StoreFixture: Sendable {
    package let store: any MailStore
    package let account: Account

    package init(_ store: any MailStore, _ account: Account) {
        self.store = store
        self.account = account
    }

    /// Makes the domain and the account.
    package init(_ store: any MailStore, _ address: String = "joe@example.org") async throws {
        self.store = store
        guard let address = Address(address) else { throw Violation(description: "bad address in a law") }
        if try await !store.domains().contains(address.domain) { try await store.addDomain(address.domain) }
        let accounts = try await store.addAccounts([(address, StoreFixture.credentials)])
        guard let account = accounts.first else { throw Violation(description: "no account was made") }
        self.account = account
    }

    package static let credentials = StoredCredentials(
        argon2id: "$argon2id$v=19$m=1,t=1,p=1$c2FsdA$aGFzaA",
        scramSHA256: SCRAMVerifier(salt: [1, 2], iterations: 4096, storedKey: [3, 4], serverKey: [5, 6]))

    package static func name(_ text: String) throws -> MailboxName {
        guard let name = MailboxName(text) else { throw Violation(description: "bad name in a law: \(text)") }
        return name
    }

    package func mailbox(_ text: String) async throws -> Mailbox {
        guard let mailbox = try await store.mailbox(StoreFixture.name(text), of: account.id) else {
            throw Violation(description: "no mailbox \(text)")
        }
        return mailbox
    }

    package func names() async throws -> [String] {
        try await store.mailboxes(of: account.id).map(\.name.text)
    }

    @discardableResult
    package func create(_ text: String, _ use: SpecialUse? = nil) async throws -> Mailbox {
        try await store.createMailbox(StoreFixture.name(text), of: account.id, specialUse: use)
    }

    package func delete(_ text: String) async throws {
        try await store.deleteMailbox(StoreFixture.name(text), of: account.id)
    }

    package func rename(_ text: String, _ to: String) async throws {
        try await store.renameMailbox(StoreFixture.name(text), to: StoreFixture.name(to), of: account.id)
    }

    package func staged(_ bytes: [UInt8]) async throws -> any StagedBody {
        let writer = store.bodyWriter()
        var rest = bytes[...]
        repeat {
            let piece = Array(rest.prefix(8192))
            writer.write(piece.span)
            rest = rest.dropFirst(piece.count)
            if writer.needsSpill { try await writer.spill() }
        } while !rest.isEmpty
        return try await writer.finish()
    }

    package func message(
        _ text: String, _ flags: [Flag] = [], date: Timestamp = Timestamp(seconds: 1_000_000, zoneMinutes: 60)
    ) async throws -> NewMessage {
        try await NewMessage(
            body: staged(Array(text.utf8)), flags: flags, internalDate: date, summary: Array("summary of \(text)".utf8))
    }

    /// Adds messages in one call; returns their UIDs.
    @discardableResult
    package func append(_ texts: [String], _ flags: [Flag] = [], to mailbox: MailboxID) async throws -> [UInt32] {
        var messages: [NewMessage] = []
        for text in texts { messages.append(try await message(text, flags)) }
        return try await store.append([(mailbox, messages)]).flatMap(\.uids).map(\.value)
    }

    /// Rows as text, `uid[flags]`: what laws compare.
    package func rows(_ mailbox: MailboxID) async throws -> [String] {
        let snapshot = try await store.open(mailbox)
        var rows: [String] = []
        snapshot.forEach { _, row in
            rows.append("\(row.uid.value)\(StoreFixture.text(snapshot.keywords.flags(row.flags)))")
        }
        return rows
    }

    package func texts(_ mailbox: MailboxID) async throws -> [String] {
        let snapshot = try await store.open(mailbox)
        var bodies: [BodyID] = []
        snapshot.forEach { bodies.append($1.body) }
        return try await store.read(bodies).map { String(decoding: $0 ?? Array("gone".utf8), as: UTF8.self) }
    }

    package func expectSound(file: String = #fileID, line: Int = #line) async throws {
        try expectEqual(try await store.verify { _ in }, [], file: file, line: line)
        for listed in try await store.mailboxes(of: account.id) {
            let snapshot = try await store.open(listed.id)
            var (unseen, deleted, size, deletedSize) = (0, 0, UInt64(0), UInt64(0))
            snapshot.forEach { _, row in
                unseen += row.flags.contains(.seen) ? 0 : 1
                deleted += row.flags.contains(.deleted) ? 1 : 0
                size += UInt64(row.size)
                deletedSize += row.flags.contains(.deleted) ? UInt64(row.size) : 0
            }
            try expectEqual(listed.messageCount, snapshot.count, file: file, line: line)
            try expectEqual(listed.unseenCount, unseen, file: file, line: line)
            try expectEqual(listed.deletedCount, deleted, file: file, line: line)
            try expectEqual(listed.size, size, file: file, line: line)
            try expectEqual(listed.deletedSize, deletedSize, file: file, line: line)
            try expectEqual(listed.uidNext, snapshot.uidNext, file: file, line: line)
            try expectEqual(listed.highestModSeq, snapshot.highestModSeq, file: file, line: line)
            try expectEqual(listed.uidValidity, snapshot.uidValidity, file: file, line: line)
        }
    }

    private static func text(_ flags: [Flag]) -> String {
        let names = flags.map { flag in
            switch flag {
            case .seen: "S"
            case .answered: "A"
            case .flagged: "F"
            case .deleted: "D"
            case .draft: "T"
            case .keyword(let keyword): keyword.name
            }
        }
        return "[\(names.sorted().joined(separator: " "))]"
    }
}

/// `1...3, 7` as UIDs.
package func uids(_ ranges: ClosedRange<UInt32>...) -> NumberSet { NumberSet(ranges) }
