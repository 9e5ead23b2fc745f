import MailTestSupport
import SubmissionServer
import Testing

/// Every command in every state. What stands here is written down from the RFCs, not from the command table.
@Suite("Commands and states")
struct StateTableTests {
    enum State: String, CaseIterable {
        case clear, clearGreeted, secured, helo, greeted, authenticated, sender, recipients, refusedRecipients

        /// What the client says to get there. Only `clear` and `clearGreeted` are outside TLS.
        var preparation: String {
            switch self {
            case .clear, .secured: ""
            case .clearGreeted, .greeted: "EHLO a.example\r\n"
            case .helo: "HELO a.example\r\n"
            case .authenticated: "EHLO a.example\r\nAUTH PLAIN \(Fixture.plainResponse)\r\n"
            case .sender: Self.authenticated.preparation + "MAIL FROM:<tim@example.com>\r\n"
            case .recipients: Self.sender.preparation + "RCPT TO:<ned@example.com>\r\n"
            case .refusedRecipients: Self.sender.preparation + "RCPT TO:<no@example.com>\r\n"
            }
        }

        var isSecured: Bool { self != .clear && self != .clearGreeted }
    }

    /// The start of the reply in each state, in the order of `State.allCases`.
    static let table: [(command: String, replies: [String])] = [
        ("EHLO b.example", ["250-", "250-", "250-", "250-", "250-", "250-", "250-", "250-", "250-"]),
        ("HELO b.example", ["250 ", "250 ", "250 ", "250 ", "250 ", "250 ", "250 ", "250 ", "250 "]),
        ("NOOP", .init(repeating: "250 2.0.0", count: 9)),
        ("RSET", .init(repeating: "250 2.0.0", count: 9)),
        ("HELP", .init(repeating: "214 2.0.0", count: 9)),
        ("QUIT", .init(repeating: "221 2.0.0", count: 9)),
        ("STARTTLS", ["220 2.0.0", "220 2.0.0"] + .init(repeating: "503 5.5.1", count: 7)),
        ("STARTTLS x", ["501 5.5.4", "501 5.5.4"] + .init(repeating: "503 5.5.1", count: 7)),
        ("VRFY tim", ["530 5.7.0", "530 5.7.0"] + .init(repeating: "252 2.1.5", count: 7)),
        ("EXPN tim", ["530 5.7.0", "530 5.7.0"] + .init(repeating: "502 5.5.1", count: 7)),
        (
            "AUTH PLAIN \(Fixture.plainResponse)",
            [
                "530 5.7.0", "530 5.7.0", "503 5.5.1", "503 5.5.1", "235 2.7.0", "503 5.5.1", "503 5.5.1",
                "503 5.5.1", "503 5.5.1",
            ]
        ),
        (
            "AUTH LOGIN",
            [
                "530 5.7.0", "530 5.7.0", "503 5.5.1", "503 5.5.1", "334 ", "503 5.5.1", "503 5.5.1", "503 5.5.1",
                "503 5.5.1",
            ]
        ),
        (
            "MAIL FROM:<tim@example.com>",
            [
                "530 5.7.0", "530 5.7.0", "503 5.5.1", "530 5.7.0", "530 5.7.0", "250 2.1.0", "503 5.5.1",
                "503 5.5.1", "503 5.5.1",
            ]
        ),
        (
            "RCPT TO:<ned@example.com>",
            [
                "530 5.7.0", "530 5.7.0", "503 5.5.1", "530 5.7.0", "530 5.7.0", "503 5.5.1", "250 2.1.5",
                "250 2.1.5", "250 2.1.5",
            ]
        ),
        (
            "DATA",
            [
                "530 5.7.0", "530 5.7.0", "503 5.5.1", "530 5.7.0", "530 5.7.0", "503 5.5.1", "554 5.5.1", "354 ",
                "554 5.5.1",
            ]
        ),
        ("CLIENT name=x", .init(repeating: "500 5.5.1", count: 9)),
    ]

    // [8314-3.3-6] [8314-3.3-7] [8314-3.3-8] [DEEP-9.1-5s] [2595-2.2-1s] [2595-2.3-1s] [2595-6-1s]
    @Test("Each command is answered as its state allows", arguments: State.allCases)
    func everyCommand(_ state: State) async throws {
        let column = try #require(State.allCases.firstIndex(of: state))
        for (command, replies) in Self.table {
            let fixture = try await Fixture()
            var driver = state.isSecured ? fixture.secureConnection() : fixture.plainConnection()
            _ = await driver.connect()
            _ = await driver.send(state.preparation)
            let reply = await driver.send(command + "\r\n")
            #expect(reply.hasPrefix(replies[column]), "\(command) in \(state): \(reply)")
            let handshakes = driver.awaitsHandshake
            #expect(handshakes == (command == "STARTTLS" && !state.isSecured))
        }
    }

    @Test("RSET, EHLO and HELO end a transaction and keep the login", arguments: ["RSET", "EHLO a", "HELO a"])
    func endOfTransaction(_ command: String) async throws {
        var driver = try await Fixture().loggedIn()
        _ = await driver.send("MAIL FROM:<tim@example.com>\r\nRCPT TO:<ned@example.com>\r\n")
        _ = await driver.send(command + "\r\n")
        let data = await driver.send("DATA\r\n")
        #expect(data.hasPrefix("503 5.5.1"))
        let mail = await driver.send("MAIL FROM:<tim@example.com>\r\n")
        #expect(mail.hasPrefix("250 2.1.0"))
        let authenticated = driver.session.isAuthenticated
        #expect(authenticated)
    }
}
