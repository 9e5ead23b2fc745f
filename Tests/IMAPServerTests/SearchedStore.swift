import MailStore
import MailTestSupport
import MailVocabulary
import MessageFormat
import Synchronization
import Testing
import WireFraming

@testable import IMAPServer

/// A mailbox in some store, and sessions of services that have just been started.
struct SearchedStore {
    let store: any MailStore
    let account: Account

    init(_ store: any MailStore) async throws {
        self.store = store
        account = try await StoreFixture(store, "fred@example.org").account
    }

    init(reopened store: any MailStore) async throws {
        self.store = store
        account = try #require(try await store.accounts().first)
    }

    /// As after a restart: nothing is in memory.
    func service() -> IMAPService {
        IMAPService(
            store: store, authenticator: FixedAuthenticator(accounts: ["fred": account]), now: { Fixture.now })
    }

    func client(_ service: IMAPService, _ mailbox: String = "INBOX") async -> Client {
        let context = SessionContext(hostname: "mail.example.org", tls: Fixture.tls, canStartTLS: true)
        let client = Client(
            IMAPDriver(
                IMAPSession(
                    context: context, settings: IMAPSettings(), store: store, authenticator: service.authenticator),
                service: service))
        _ = await client.connect()
        _ = await client.send("l LOGIN fred secret\r\ns SELECT \(mailbox)\r\n")
        return client
    }

    func deliver(_ count: Int, _ mail: inout RandomMail, to name: String = "INBOX") async throws {
        let mailbox = try #require(try await store.mailbox(StoreFixture.name(name), of: account.id))
        var new: [NewMessage] = []
        for number in 0..<count {
            let bytes = Array(mail.next().replacing("\n", with: "\r\n").utf8)
            let flags: [Flag] = number % 7 == 0 ? [.seen] : []
            new.append(
                NewMessage(
                    body: InMemoryBody(bytes), flags: flags,
                    internalDate: Timestamp(seconds: 900_000_000 + Int64(number % 500)),
                    summary: MessageSummary(parsing: bytes.span).encoded()))
        }
        _ = try await store.append([(mailbox.id, new)])
    }

    static let commands = [
        "SEARCH SUBJECT meeting", "SEARCH NOT SUBJECT meeting", "SEARCH OR SUBJECT plan FROM ann",
        "SEARCH SENTBEFORE 1-Feb-2001 UNSEEN", "SEARCH TO user1 NOT CC bob", "SEARCH SUBJECT nowhere",
        "UID SORT (REVERSE DATE) UTF-8 ALL", "SORT (SUBJECT REVERSE DATE) UTF-8 ALL", "SORT (FROM) UTF-8 ALL",
        "SORT (REVERSE CC TO) UTF-8 ALL", "SORT (DISPLAYFROM) UTF-8 ALL",
        "UID THREAD REFERENCES UTF-8 ALL", "THREAD REFS UTF-8 NOT SUBJECT plan", "THREAD ORDEREDSUBJECT UTF-8 ALL",
        "SORT (DATE) UTF-8 SUBJECT \"caf\"",
    ]

    /// What the commands are answered.
    func answers(_ service: IMAPService, _ mailbox: String = "INBOX") async -> [String] {
        let client = await client(service, mailbox)
        var answers: [String] = []
        for command in Self.commands { answers.append(await client.send("a \(command)\r\n")) }
        return answers
    }

    /// The same when the store has kept no columns, and keeps none.
    func answers(without store: TroubledStore) async -> [String] {
        store.condition.withLock { $0.derived = { _, _ in nil } }
        let service = service()
        let answers = await answers(service)
        await service.columns.settled()
        store.condition.withLock { $0.derived = nil }
        return answers
    }
}
