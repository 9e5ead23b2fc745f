import MailTestSupport
import SubmissionServer
import Testing
import WireFraming

/// Random input from every state. Seeds are fixed.
@Suite("Random input")
struct FuzzTests {
    /// Nothing here authenticates: no command may reach a transaction.
    private static let words = [
        "EHLO a.example", "HELO b", "MAIL FROM:<tim@example.com>", "MAIL FROM:<> SIZE=1 BODY=8BITMIME",
        "RCPT TO:<ned@example.com>", "DATA", ".", "RSET", "NOOP", "VRFY x", "EXPN x", "HELP", "AUTH PLAIN",
        "AUTH LOGIN",
        "AUTH PLAIN =", "AUTH PLAIN AHRpbQB4eA==", "*", "dGlt", "", "STARTTLS", "Subject: x", "\u{0}", "<\">",
        "GARBAGE", "BDAT 5", "BDAT 5 LAST", "BDAT 0 LAST", "BDAT 99999999999999999999", "BURL imap://x LAST", "LHLO a",
        "MAIL FROM:<tim@example.com> BODY=BINARYMIME",
    ]

    private static func line(_ generator: inout SeededGenerator) -> [UInt8] {
        var line = Array((words.randomElement(using: &generator) ?? "").utf8)
        if Int.random(in: 0..<8, using: &generator) == 0 {
            let place = Int.random(in: 0...line.count, using: &generator)
            line.insert(.random(in: 0...255, using: &generator), at: place)
        }
        let ends = ["\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n\r\n", "\r", ""]
        return line + Array((ends.randomElement(using: &generator) ?? "").utf8)
    }

    private static func isWellFormed(_ replies: String) -> Bool {
        replies.split(separator: "\r\n", omittingEmptySubsequences: false).dropLast().allSatisfy { line in
            let bytes = Array(line.utf8)
            return bytes.count >= 4 && (50...53).contains(bytes[0])
                && bytes[1...2].allSatisfy { (48...57).contains($0) }
                && (bytes[3] == 0x20 || bytes[3] == 0x2D) && bytes.count <= 510
        } && (replies.isEmpty || replies.hasSuffix("\r\n"))
    }

    // [8314-3.3-6] [8314-3.3-7]
    @Test("Without TLS and a password no sequence reaches a transaction", arguments: StateTableTests.State.allCases)
    func neverWithoutLogin(_ state: StateTableTests.State) async throws {
        let needsNothing: [StateTableTests.State] = [.clear, .clearGreeted, .secured, .helo, .greeted]
        let isUnauthenticated = needsNothing.contains(state)
        let fixture = try await Fixture()
        var generator = SeededGenerator(seed: 587)
        for _ in 0..<120 {
            var driver = state.isSecured ? fixture.secureConnection() : fixture.plainConnection()
            _ = await driver.connect()
            _ = await driver.send(state.preparation)
            for _ in 0..<40 {
                var bytes = Self.line(&generator)
                if Int.random(in: 0..<3, using: &generator) == 0 { bytes += Self.line(&generator) }
                let replies = String(decoding: await driver.send(bytes), as: UTF8.self)
                #expect(Self.isWellFormed(replies), "\(replies)")
                if driver.awaitsHandshake { _ = await driver.handshake() }
                guard isUnauthenticated else { continue }
                let isAuthenticated = driver.session.isAuthenticated
                #expect(!isAuthenticated)
                #expect(!replies.contains("250 2.1.0") && !replies.contains("354 "))
            }
        }
        if isUnauthenticated { #expect(try await fixture.messageCount() == 0) }
    }

    @Test("Random bytes are answered or refused, and end")
    func randomBytes() async throws {
        let fixture = try await Fixture()
        var generator = SeededGenerator(seed: 465)
        for _ in 0..<300 {
            var driver = fixture.secureConnection()
            _ = await driver.connect()
            let bytes = (0..<Int.random(in: 0...3000, using: &generator)).map { _ in
                UInt8.random(in: 0...255, using: &generator)
            }
            let replies = String(decoding: await driver.send(bytes), as: UTF8.self)
            #expect(Self.isWellFormed(replies))
            let pending = driver.pending.count
            #expect(pending < 4000)
        }
    }

    /// A transaction, with the message stuffed, in pieces of random size and pipelined as far as RFC 2920 allows.
    @Test("What is stored is what was sent, however it was cut")
    func roundTrip() async throws {
        let fixture = try await Fixture()
        var generator = SeededGenerator(seed: 2920)
        var driver = try await fixture.loggedIn()
        var sent: [[UInt8]] = []
        let pieces = [".", "..", "\r\n", "\r\n.", "x", "\r\n\r\n", "\u{20AC}", ".\r\n", " ", "Received", ": "]
        for _ in 0..<250 {
            var body = "Subject: x\r\n"
            for _ in 0..<Int.random(in: 0...30, using: &generator) {
                body += pieces.randomElement(using: &generator) ?? ""
            }
            body += "\r\n"
            sent.append(Array(body.utf8))
            let stuffed = body.replacing("\r\n.", with: "\r\n..")
            let go = await driver.send("RSET\r\nMAIL FROM:<tim@example.com>\r\nRCPT TO:<ned@example.com>\r\nDATA\r\n")
            #expect(go.hasSuffix("354 End data with <CR><LF>.<CR><LF>\r\n"))
            var rest = Array((stuffed + ".\r\n").utf8)[...]
            var reply = ""
            while !rest.isEmpty {
                let count = Int.random(in: 1...max(1, rest.count), using: &generator)
                reply += String(decoding: await driver.send(rest.prefix(count)), as: UTF8.self)
                rest = rest.dropFirst(count)
            }
            #expect(reply.hasPrefix("250 2.0.0"))
        }
        let stored = try await fixture.inbox(of: "ned").map(withoutTrace)
        #expect(stored == sent)
    }
}
