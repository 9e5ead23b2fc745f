import MailTestSupport
import SMTPSyntax
import Testing

@testable import MailRelay

@Suite("Lines that are longer than SMTP has them")
struct LongLineTests {
    @Test("Lines of more than 998 octets: as they are where BINARYMIME is taken, encoded where not, or they come back")
    func longLines() async throws {
        try await withFixture { fixture in
            let long = String(repeating: "x", count: 999)
            let text = "Subject: long\r\n\r\n\(long)\r\n"
            let narrow = try await fixture.peer { $0.securedFeatures = ["8BITMIME", "CHUNKING"] }
            let wide = try await fixture.peer { $0.securedFeatures = ["8BITMIME", "CHUNKING", "BINARYMIME"] }
            let agent = try fixture.agent()
            func send(_ text: String, _ peer: (port: Int, record: MailServerRecord)) async throws -> [String] {
                fixture.policies.set(.hosts([fixture.host(peer.port)]))
                return await agent.deliver(try await fixture.message(text), to: "example.net").map(\.status)
            }
            #expect(try await send(text, wide) == ["2.0.0"])
            #expect(wide.record.messages.map(\.text) == [text])
            #expect(wide.record.lines.contains { $0.hasPrefix("MAIL") && $0.contains("BODY=BINARYMIME") })
            #expect(try await send("DKIM-Signature: v=1\r\n" + text, wide) == ["2.0.0"])
            #expect(try await send(text, narrow) == ["2.0.0"])
            let encoded = try #require(narrow.record.messages.first?.text)
            #expect(encoded.contains("Content-Transfer-Encoding: quoted-printable\r\n"))
            #expect(encoded.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 76 })
            #expect(encoded.replacing("=\r\n", with: "").hasSuffix("\r\n\r\n\(long)\r\n"))
            #expect(!narrow.record.lines.contains { $0.contains("BODY=") })
            #expect(try await send("DKIM-Signature: v=1\r\n" + text, narrow) == ["5.6.3"])
            #expect(try await send("Subject: \(long)\r\n\r\nx\r\n", narrow) == ["5.6.3"])
            #expect(try await send("\r\n\(long.dropLast())\r\n", narrow) == ["2.0.0"])
            await agent.close()
        }
    }
}
