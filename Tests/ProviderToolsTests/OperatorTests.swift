import Authentication
import Foundation
import Logging
import MailStore
import MailVocabulary
import ProviderTools
import SASL
import Synchronization
import Testing

@Suite("Operator's commands")
struct OperatorTests {
    let directory: TemporaryDirectory
    let store = InMemoryStore()
    let administration: Administration

    init() async throws {
        directory = try TemporaryDirectory()
        administration = Administration(store: store)
        try await store.addDomain(#require(Domain("example.org")))
    }

    private func runImport(
        _ text: String, skipsExisting: Bool = false, by administering: (any Administering)? = nil
    ) async throws -> Int {
        let file = try directory.write(text, to: "users")
        let hashing = UserImport.hashing(processors: 2, cost: Argon2Cost(memoryKiB: 64, passes: 1, lanes: 1))
        return try await UserImport(
            file: file, administering: administering ?? administration, hashing: hashing,
            defaultDomain: Domain("example.org"), skipsExisting: skipsExisting
        ).run { _ in }
    }

    private func problem(_ text: String) async -> String {
        do {
            _ = try await runImport(text)
            return "none"
        } catch {
            return "\(error)".replacing(directory.path + "/", with: "")
        }
    }

    @Test("Quotas are set, printed and taken back")
    func quotas() async throws {
        _ = try await runImport("ada:x")
        let quotas = Mutex<[QuotaRecord]>([])
        func perform(_ request: ControlRequest) async throws -> QuotaRecord? {
            try await administration.perform(request) { reply in
                if case .quota(let quota) = reply { quotas.withLock { $0.append(quota) } }
            }
            return quotas.withLock { $0.popLast() }
        }
        let address = "ada@example.org"
        #expect(try await perform(.quota(address: address))?.storageLimit == nil)
        let set = ControlRequest.setQuota(
            address: address, storage: .limited(1000), messages: .unlimited, isAdministrator: true)
        #expect(try await perform(set)?.storageLimit == 1000)
        #expect(try await perform(.quota(address: address))?.messagesLimit == nil)
        let account = try #require(try await store.accounts().first { $0.address.description == address })
        #expect(account.isAdministrator)
        let onlyAdministrator = ControlRequest.setQuota(
            address: address, storage: nil, messages: nil, isAdministrator: false)
        #expect(try await perform(onlyAdministrator)?.storageLimit == 1000)
        #expect(
            try await perform(.setQuota(address: address, storage: .standard, messages: nil, isAdministrator: nil))?
                .storageLimit == nil)
        await #expect(throws: OperatorError.self) { try await perform(.quota(address: "nobody@example.org")) }
    }

    private func canLogIn(_ name: String, _ password: String) async -> Bool {
        let authenticator = ServerAuthenticator(
            accounts: store, defaultDomain: Domain("example.org"), failureDelay: .zero)
        let credentials = PasswordCredentials(authenticationIdentity: name, password: Secret(password))
        let context = AuthenticationContext(service: "imap", peer: "192.0.2.1", tls: nil)
        if case .success = await authenticator.authenticate(credentials, by: nil, context) { return true }
        return false
    }

    @Test func importedUsersLogIn() async throws {
        let hash = "$argon2id$v=19$m=19456,t=2,p=1$c2l4dGVlbmJ5dGVzYWx0$Gc6bMo8QnjUJBooceflfFhLl68W/1UCReDtWK9YjwH8"
        let count = try await runImport(
            "# users\r\n\r\nada@example.org:one:two\r\nBob:{PLAIN}{x}\nzoe@example.org:{ARGON2ID}\(hash):1000:1000::/home::\nlast:é"
        )
        #expect(count == 4)
        #expect(await canLogIn("ada", "one:two"))
        #expect(await canLogIn("bob", "{x}"))
        #expect(await canLogIn("zoe", "correct horse"))
        #expect(await canLogIn("last", "e\u{301}"))
        #expect(await !canLogIn("zoe", "correct"))
    }

    @Test(arguments: [
        ("ada", "users:1: has no colon; write address:password"),
        ("#\n@:x", "users:2: “@” is not an address"),
        ("a:", "users:1: has an unsuitable password: \(PasswordError.unsuitable)"),
        ("a:{MD5}x", "users:1: has the scheme {MD5}; {ARGON2ID} and {PLAIN} are understood"),
        (
            "a:{ARGON2ID}$argon2id$v=19$m=99999999,t=1,p=1$c2l4dGVlbmJ5dGVzYWx0$c2l4dGVlbmJ5dGVzYWx0YWI",
            "users:1: has a hash that is not argon2id in PHC form within the permitted cost"
        ),
        ("a:x\nb:x\nA:y", "users:3: names a@example.org again, after line 1"),
        (
            "a@else.example:x",
            "users:1: the domain of a@else.example is not served here; “latchmaild domain add else.example” adds it"
        ),
    ])
    func importErrorsNameTheLineAndChangeNothing(text: String, message: String) async throws {
        #expect(await problem(text) == message + "\nnothing was imported")
        #expect(try await store.accounts().isEmpty)
    }

    @Test func notUTF8AndEndlessLines() async throws {
        let file = directory.path + "/users"
        for bytes in [Data([0x61, 0x3A, 0xFF]), Data(repeating: 0x61, count: 100_000)] {
            try bytes.write(to: URL(filePath: file))
            let users = UserImport(
                file: file, administering: administration, hashing: PasswordHashing(), defaultDomain: nil,
                skipsExisting: false)
            await #expect(throws: OperatorError.self) { try await users.run { _ in } }
        }
    }

    @Test func existingUsersAreRefusedOrPassedOver() async throws {
        #expect(try await runImport("a:x\n") == 1)
        #expect(await problem("a:y\nb:y\n").contains("the user a@example.org exists"))
        #expect(try await runImport("a:y\nb:y\n", skipsExisting: true) == 1)
        #expect(await canLogIn("a", "x"))
        #expect(await canLogIn("b", "y"))
    }

    @Test func manyUsersComeInBatches() async throws {
        #expect(try await runImport((1...250).map { "user\($0):p\($0)\n" }.joined()) == 250)
        #expect(await canLogIn("user250", "p250"))
    }

    // The control socket

    private func control() throws -> (ControlServer, ControlClient) {
        let server = try ControlServer(
            directory: directory.path, administration: administration, logger: makeLogger(level: .error, format: .text))
        return (server, try #require(try ControlClient(directory: directory.path)))
    }

    @Test func theSocketAnswersAsTheStoreDoes() async throws {
        let (server, client) = try control()
        defer { server.stop() }
        #expect(try await runImport((1...120).map { "user\($0):p\n" }.joined(), by: client) == 120)
        let listed = Gathered<UserRecord>()
        try await client.perform(.listUsers) { if case .users(let part) = $0 { listed.append(part) } }
        #expect(listed.all.count == 120)
        try await client.perform(.addDomain("new.example")) { _ in }
        #expect(try await store.domains().map(\.name).sorted() == ["example.org", "new.example"])
        try await client.perform(.deleteUser("user1@example.org")) { _ in }
        #expect(try await store.accounts().count == 119)
        try await client.perform(.verify) { _ in }
        await #expect(
            throws: OperatorError(.noUser, "there is no user user1@example.org; “latchmaild user list” shows all")
        ) {
            try await client.perform(.deleteUser("user1@example.org")) { _ in }
        }
    }

    @Test func theSocketIsForItsOwnerOnly() throws {
        let (server, _) = try control()
        defer { server.stop() }
        let path = directory.path + "/" + ControlServer.socketName
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func noServerIsNoClient() throws {
        #expect(try ControlClient(directory: directory.path) == nil)
        let (server, _) = try control()
        server.stop()
    }

    @Test func aLongDirectoryNameIsNoObstacle() throws {
        let long = directory.path + "/" + String(repeating: "d", count: 200)
        try FileManager.default.createDirectory(atPath: long, withIntermediateDirectories: true)
        let server = try ControlServer(
            directory: long, administration: administration, logger: makeLogger(level: .error, format: .text))
        defer { server.stop() }
        #expect(try ControlClient(directory: long) != nil)
    }

    // Logs

    @Test("A log line cannot be forged by what a peer sends")
    func logLines() {
        let lines = Gathered<String>()
        var logger = Logger(label: "test") { _ in EventLogHandler(level: .info, format: .text) { lines.append([$0]) } }
        logger[metadataKey: "service"] = "imap"
        logger.info("hello\n2026 error", metadata: ["login": "a\r\nb\u{1B}[2J \"x\" \u{202E}", "empty": ""])
        logger.debug("not shown")
        #expect(lines.all.count == 1)
        let line = lines.all.first ?? ""
        #expect(line.filter { $0.isNewline }.count == 1 && line.hasSuffix("\n"))
        #expect(
            line.hasSuffix(
                #"Z info hello\u000a2026 error empty="" login="a\u000d\u000ab\u001b[2J \"x\" \u202e" service=imap"#
                    + "\n"))
    }

    @Test func jsonLogLines() throws {
        let lines = Gathered<String>()
        let logger = Logger(label: "test") { _ in EventLogHandler(level: .info, format: .json) { lines.append([$0]) } }
        logger.notice("hé \"x\"\n", metadata: ["a": "b\\"])
        let object = try JSONSerialization.jsonObject(with: Data((lines.all.first ?? "").utf8)) as? [String: String]
        #expect(object?["message"] == "hé \"x\"\n" && object?["a"] == "b\\" && object?["level"] == "notice")
    }
}
