#if canImport(SQLiteStore)
    import Foundation
    import MailStore
    import MailTestSupport
    import MailVocabulary
    import MessageFormat
    import SQLiteStore
    import Testing
    import WireFraming

    @testable import IMAPServer

    /// The same mail in a store that indexes texts and in one that does not: they must answer alike.
    @Suite struct TextIndexSearchTests {
        @Test("An index of texts changes no answer, whatever is looked for", arguments: 0..<6)
        func equal(_ seed: UInt64) async throws {
            var random = SeededGenerator(seed)
            try await withTwins { twins in
                try await twins.deliver((0..<40).map { _ in Self.message(&random) })
                try await twins.indexed.updateTextIndex()
                try await twins.compare(70, &random)
                // Some of it is not indexed yet.
                try await twins.deliver((0..<12).map { _ in Self.message(&random) })
                try await twins.compare(40, &random)
                await twins.run("c UID COPY 5:20 Archive\r\nd STORE 3,9,41 +FLAGS (\\Deleted)\r\ne EXPUNGE\r\n")
                try await twins.indexed.updateTextIndex()
                try await twins.compare(40, &random)
                await twins.run("s SELECT Archive\r\n")
                try await twins.compare(20, &random)
            }
        }

        @Test("Long texts, looked for at their borders", arguments: 0..<2)
        func long(_ seed: UInt64) async throws {
            var random = SeededGenerator(seed &+ 100)
            try await withTwins { twins in
                let sizes = [200, 6_000, 9_000, 40_000]
                try await twins.deliver(
                    (0..<20).map { number in
                        var maker = MessageMaker(&random)
                        return maker.message(words: (number == 7 ? 140_000 : sizes[number % sizes.count]) / 8)
                    })
                try await twins.indexed.updateTextIndex()
                try await twins.compare(20, &random)
            }
        }

        private static func message(_ random: inout SeededGenerator) -> [UInt8] {
            var maker = MessageMaker(&random)
            return Int.random(in: 0..<3, using: &random) == 0 ? maker.compound() : maker.message()
        }

        private func withTwins(_ body: (inout Twins) async throws -> Void) async throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "texts-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: folder) }
            var options = SQLiteStore.Options()
            options.textIndex = .maintained
            options.textIndexing.interval = nil
            options.textIndexing.rest = 0
            let store = try SQLiteStore(path: folder.path, options: options)
            var twins = try await Twins(store)
            try await body(&twins)
            try await store.close()
        }
    }

    /// Two stores with the same mail, and a session on each.
    private struct Twins {
        let indexed: SQLiteStore
        private let stores: [StoreFixture]
        private let clients: [Client]
        private var octets: [[UInt8]] = []

        init(_ indexed: SQLiteStore) async throws {
            self.indexed = indexed
            let plain: any MailStore = InMemoryStore(now: { UInt32(Fixture.now.seconds) })
            var (stores, clients): ([StoreFixture], [Client]) = ([], [])
            for store: any MailStore in [indexed, plain] {
                let fixture = try await StoreFixture(store, "fred@example.org")
                let service = IMAPService(
                    store: store, authenticator: FixedAuthenticator(accounts: ["fred": fixture.account]),
                    now: { Fixture.now })
                let context = SessionContext(hostname: "mail.example.org", tls: Fixture.tls, canStartTLS: true)
                let client = Client(
                    IMAPDriver(
                        IMAPSession(
                            context: context, settings: IMAPSettings(), store: store,
                            authenticator: service.authenticator), service: service))
                _ = await client.connect()
                _ = await client.send("l LOGIN fred secret\r\ns SELECT INBOX\r\n")
                stores.append(fixture)
                clients.append(client)
            }
            (self.stores, self.clients) = (stores, clients)
        }

        mutating func deliver(_ messages: [[UInt8]]) async throws {
            octets += messages
            for fixture in stores {
                var new: [NewMessage] = []
                for message in messages {
                    new.append(
                        NewMessage(
                            body: try await fixture.staged(message), internalDate: Fixture.now,
                            summary: MessageSummary(parsing: message.span).encoded()))
                }
                _ = try await fixture.store.append([(try await fixture.mailbox("INBOX").id, new)])
            }
            await run("n NOOP\r\n")
        }

        func run(_ commands: String) async {
            for client in clients { _ = await client.send(commands) }
        }

        /// Searches for pieces of what is there, as it was sent and as it is read.
        func compare(_ count: Int, _ random: inout SeededGenerator) async throws {
            for _ in 0..<count {
                guard let message = octets.randomElement(using: &random),
                    let needle = MessageMaker.sought(message, &random)
                else { continue }
                let key =
                    [
                        "TEXT", "BODY", "SUBJECT", "FROM", "HEADER X-Any", "NOT TEXT", "NOT BODY", "OR SEEN TEXT",
                        "FUZZY TEXT", "1:10 TEXT",
                    ].randomElement(using: &random) ?? "TEXT"
                let command =
                    Array("a UID SEARCH CHARSET UTF-8 \(key) {\(needle.count)+}\r\n".utf8) + needle + [13, 10]
                let answers = [await clients[0].sendBytes(command), await clients[1].sendBytes(command)]
                #expect(
                    answers[0] == answers[1],
                    """
                    \(key) \(String(decoding: needle, as: UTF8.self)): \(String(decoding: answers[0], as: UTF8.self)) \
                    and not \(String(decoding: answers[1], as: UTF8.self))
                    """)
                #expect(answers[0].starts(with: "* SEARCH".utf8))
            }
        }
    }
#endif
