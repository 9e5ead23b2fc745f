import MailTestSupport
import Testing

@testable import IMAPServer

@Suite struct SessionTests {
    @Test("A session from greeting to LOGOUT") func session() async throws {
        let fixture = try await Fixture()
        try await fixture.deliver([Fixture.simple(1), Fixture.simple(2)])
        let client = fixture.client()
        let greeting = await client.connect()
        #expect(greeting.hasPrefix("* OK [CAPABILITY IMAP4rev1 "))
        #expect(await client.send("a LOGIN fred secret\r\n").hasPrefix("a OK [CAPABILITY IMAP4rev1 "))
        let selected = await client.send("b SELECT inbox\r\n")
        #expect(selected.contains("* 2 EXISTS\r\n* 2 RECENT\r\n"))
        #expect(selected.contains("* OK [UNSEEN 1] "))
        #expect(selected.contains("* OK [UIDNEXT 3] "))
        #expect(selected.contains("b OK [READ-WRITE] "))
        await client.expect(
            "c FETCH 1:* (FLAGS UID)\r\n",
            """
            * 1 FETCH (FLAGS (\\Recent) UID 1)\r
            * 2 FETCH (FLAGS (\\Recent) UID 2)\r
            c OK FETCH completed\r\n
            """)
        let body = Fixture.simple(2).replacing("\n", with: "\r\n")
        await client.expect(
            "d FETCH 2 BODY[]\r\n",
            "* 2 FETCH (BODY[] {\(body.utf8.count)}\r\n\(body) FLAGS (\\Seen \\Recent))\r\nd OK FETCH completed\r\n"
        )
        await client.expect("e LOGOUT\r\n", "* BYE Logging out\r\ne OK LOGOUT completed\r\n")
        #expect(client.isClosed)
    }
}
