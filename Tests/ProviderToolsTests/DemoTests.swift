import Foundation
import MailStore
import MailVocabulary
import MessageFormat
import ProviderTools
import Testing

@Suite("Demo")
struct DemoTests {
    let directory: TemporaryDirectory

    init() throws { directory = try TemporaryDirectory() }

    private func start(_ store: InMemoryStore, accounts: Int = 2, password: String? = nil) async throws -> Demo {
        let options = Demo.Options(
            stateDirectory: directory.path, accountCount: accounts, password: password, usesFreePorts: true)
        return try await Demo(
            options, logger: makeLogger(level: .error, format: .text), openStore: { _ in store }, progress: { _ in })
    }

    @Test func descriptionHasTheAgreedShape() async throws {
        let demo = try await start(InMemoryStore(), accounts: 3, password: "one for all")
        let data = try JSONEncoder().encode(demo.description)
        let object = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        #expect(Set(object.keys) == ["host", "ca", "pid", "services", "accounts"])
        #expect(object["host"] as? String == "127.0.0.1")
        #expect(FileManager.default.fileExists(atPath: try #require(object["ca"] as? String)))
        let services = try #require(object["services"] as? [String: [String: Int]])
        #expect(Set(services.keys) == ["imap", "pop3", "submission"])
        let ports = services.values.flatMap(\.values)
        #expect(services.values.allSatisfy { Set($0.keys) == ["implicit", "starttls"] })
        #expect(Set(ports).count == 6 && ports.allSatisfy { $0 > 0 })
        let accounts = try #require(object["accounts"] as? [[String: String]])
        #expect(accounts.map { $0["login"] } == ["u1", "u2", "u3"])
        #expect(accounts[0] == ["address": "u1@latchmail.test", "login": "u1", "password": "one for all"])
        await demo.server.stop()
    }

    @Test func aRestartShowsTheSamePasswordsAndMakesNothingAnew() async throws {
        let store = InMemoryStore()
        let first = try await start(store)
        await first.server.stop()
        let account = try #require(try await store.accounts().first)
        let credentials = try await store.credentials(of: account.id)
        let second = try await start(store)
        await second.server.stop()
        #expect(second.description.accounts == first.description.accounts)
        #expect(Set(first.description.accounts.map(\.password)).count == 2)
        #expect(try await store.credentials(of: account.id) == credentials)
        let mode = try FileManager.default.attributesOfItem(atPath: first.passwordsFile)[.posixPermissions] as? Int
        #expect(mode == 0o600)
    }

    @Test func sampleMailShowsAttachmentsAndNames() async throws {
        let store = InMemoryStore()
        let demo = try await start(store, accounts: 1)
        let account = try #require(try await store.accounts().first)
        let inbox = try #require(try await store.mailbox(.inbox, of: account.id))
        let snapshot = try await store.open(inbox.id)
        #expect(snapshot.count == 3)
        let bodies = try await store.read((0..<3).map { snapshot[$0].body }).compactMap(\.self)
        for body in bodies {
            let text = String(decoding: body, as: UTF8.self)
            #expect(!text.replacing("\r\n", with: "").contains { $0 == "\n" || $0 == "\r" })
            let summary = MessageSummary(parsing: body.span)
            #expect(!summary.encoded().isEmpty)
        }
        #expect(String(decoding: bodies[2], as: UTF8.self).contains("filename*=utf-8''%C3%9Cbersicht"))
        await demo.server.stop()
    }

    @Test func theScreenQuotesForTheShell() throws {
        let ports = DemoDescription.Ports(implicit: 1, starttls: 2)
        let description = DemoDescription(
            host: "127.0.0.1", ca: "/tmp/a b/it's.pem", pid: 1,
            services: ["imap": ports, "pop3": ports, "submission": ports],
            accounts: [.init(address: "u1@latchmail.test", login: "u1", password: "a b$c")])
        let screen = description.screen(passwordsFile: "/p")
        #expect(screen.contains(#"--cacert '/tmp/a b/it'\''s.pem' --user 'u1:a b$c'"#))
        #expect(screen.contains("127.0.0.1:1"))
    }
}
