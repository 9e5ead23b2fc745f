import MailDelivery
import MailStore
import MailTestSupport
import MailVocabulary
import SubmissionServer
import Testing

/// Knows the URLs that it is given.
struct ListedURLs: AuthorisedURLs {
    var contents: [String: [UInt8]]

    func content(of url: String, for account: Account, at host: String) async throws -> URLOctets? {
        guard host == "mail.example.com", account.address.localPart == "tim" else { return nil }
        return contents[url].map { .held($0) }
    }
}

@Suite("URLs as parts of messages (RFC 4468)")
struct BurlTests {
    private static let header = "From: tim@example.com\r\nSubject: x\r\n\r\n"
    private static let envelope = "MAIL FROM:<tim@example.com>\r\nRCPT TO:<ned@example.com>\r\n"

    private func fixture(_ contents: [String: String]) async throws -> Fixture {
        try await Fixture(
            settings: SubmissionSettings(maximumMessageSize: 400_000),
            urls: ListedURLs(contents: contents.mapValues { Array($0.utf8) }))
    }

    @Test("A message of a URL, and one of chunks and URLs")
    func stored() async throws {
        let large = String(repeating: "line\r\n", count: 50_000)
        let fixture = try await fixture(["imap://whole": Self.header + "body\r\n", "imap://part": large])
        var driver = try await fixture.loggedIn()
        let hello = await driver.send("EHLO a\r\n")
        #expect(hello.contains("250-BURL imap\r\n"))
        _ = await driver.send(Self.envelope)
        #expect(await driver.send("BURL imap://whole LAST\r\n").hasPrefix("250 2.0.0 Message accepted"))
        _ = await driver.send(Self.envelope)
        let replies = await driver.send(
            "BDAT \(Self.header.utf8.count)\r\n\(Self.header)BURL imap://part\r\nBDAT 5 LAST\r\nend\r\nNOOP\r\n")
        #expect(replies.split(separator: "\r\n").map { $0.prefix(9) } == Array(repeating: "250 2.0.0", count: 4))
        let bodies = try await fixture.inbox(of: "ned").map { String(decoding: withoutTrace($0), as: UTF8.self) }
        #expect(bodies == [Self.header + "body\r\n", Self.header + large + "end\r\n"])
    }

    @Test("What is not authorised, not well-formed or too large is refused, and the transaction is over")
    func refused() async throws {
        let fixture = try await fixture([
            "imap://bare": "A: b\r\n\r\nx\ny\r\n", "imap://large": String(repeating: "line\r\n", count: 100_000),
            "imap://other": "From: ned@example.com\r\n\r\nx\r\n",
        ])
        var driver = try await fixture.loggedIn()
        for (url, reply) in [
            ("imap://unknown", "554 5.6.6"), ("imap://bare", "554 5.6.0"), ("imap://large", "552 5.3.4"),
            ("imap://other", "550 5.7.1"),
        ] {
            _ = await driver.send(Self.envelope)
            #expect(await driver.send("BURL \(url) LAST\r\n").hasPrefix(reply), "\(url)")
            #expect(await driver.send("BURL \(url) LAST\r\n").hasPrefix("503 5.5.1"))
        }
        #expect(try await fixture.messageCount() == 0)
    }

    @Test("Where no URLs are known the command is not")
    func notOffered() async throws {
        var driver = try await Fixture().loggedIn()
        #expect(await driver.send("EHLO a\r\n").contains("BURL") == false)
        #expect(await driver.send("BURL imap://x LAST\r\n").hasPrefix("500 5.5.1"))
    }
}
