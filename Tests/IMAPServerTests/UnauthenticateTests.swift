import MailTestSupport
import MailVocabulary
import Testing
import WireFraming

@testable import IMAPServer

/// COMPRESS (RFC 4978) and UNAUTHENTICATE (RFC 8437), beside their transcripts.
@Suite struct UnauthenticateTests {
    @Test("Each user of a connection gets his own; compression ends and begins where the RFC says") func users()
        async throws
    {
        let fixture = try await Fixture()
        let client = await fixture.session("INBOX")
        await client.expect("a COMPRESS DEFLATE\r\n", "a OK DEFLATE active\r\n")
        #expect(client.isCompressed)
        await client.expect("b UNAUTHENTICATE\r\n", "b OK Log in again\r\n")
        #expect(!client.isCompressed)
        #expect(client.events.last == .unauthenticated)
        #expect(!client.isAuthenticated)
        #expect(client.patience == .seconds(60))
        #expect(await client.send("c LOGIN joe secret\r\n").hasPrefix("c OK [CAPABILITY "))
    }

    @Test("Where the operator does not want it, it is not there") func disabled() async throws {
        var settings = IMAPSettings()
        settings.offersUnauthenticate = false
        let fixture = try await Fixture()
        let client = await fixture.session("INBOX", settings: settings)
        #expect(!(await client.send("a CAPABILITY\r\n")).contains("UNAUTHENTICATE"))
        await client.expect("b UNAUTHENTICATE\r\n", "b BAD Unknown command\r\n")
        #expect(await client.send("c FETCH 1 FLAGS\r\n").hasPrefix("c BAD No message"))
    }

    @Test("An account of one's own does not buy guesses at others'") func guesses() async throws {
        let fixture = try await Fixture()
        let client = await fixture.session()
        for round in 1...3 {
            _ = await client.send("a UNAUTHENTICATE\r\n")
            let answer = await client.send("b LOGIN mrc guess\(round)\r\n")
            #expect(answer.hasSuffix("* BYE Too many failed logins\r\n") == (round == 3))
            guard round < 3 else { break }
            #expect(await client.send("c LOGIN fred secret\r\n").hasPrefix("c OK "))
        }
        #expect(client.isClosed)
    }

    @Test("IDLE's watch ends with the user") func observation() async throws {
        let fixture = try await Fixture()
        let client = await fixture.session("INBOX")
        _ = await client.send("a IDLE\r\nDONE\r\n")
        _ = await client.send("b UNAUTHENTICATE\r\n")
        try await fixture.deliver([Fixture.simple(1)])
        #expect(await client.changes() == "")
    }
}
