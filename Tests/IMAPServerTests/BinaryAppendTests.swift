import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import IMAPServer

@Suite("APPEND of literal8 [3516-4.4]")
struct BinaryAppendTests {
    private func append(_ message: [UInt8], _ client: Client) async -> String {
        let bytes = Array("a APPEND INBOX ~{\(message.count)+}\r\n".utf8) + message + [0x0D, 0x0A]
        return String(decoding: await client.sendBytes(bytes), as: UTF8.self)
    }

    @Test("Binary content comes back octet by octet, and BODY[] has no NUL", arguments: [1, 57, 58, 200_000])
    func content(size: Int) async throws {
        let fixture = try await Fixture()
        let client = await fixture.session("INBOX")
        var random = SeededGenerator(9)
        let content = [0, 0x0A] + (2..<max(2, size)).map { _ in UInt8.random(in: 0...255, using: &random) }
        let head = """
            Subject: x
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary=b

            --b

            text
            --b
            Content-Type: application/octet-stream
            CONTENT-transfer-encoding: binary
            Content-Description: last


            """.replacing("\n", with: "\r\n")
        let message = Array(head.utf8) + content + Array("\r\n--b--\r\n".utf8)
        #expect(await append(message, client).contains("a OK "))
        let whole = await client.sendBytes(Array("b FETCH 1 BODY.PEEK[]\r\n".utf8))
        #expect(!whole.contains(0))
        let text = String(decoding: whole, as: UTF8.self)
        #expect(text.contains("Content-Description: last\r\nContent-Transfer-Encoding: base64\r\n\r\n"))
        #expect(!text.contains("binary"))
        let part = await client.sendBytes(Array("c FETCH 1 BINARY.PEEK[2]\r\n".utf8))
        let label = Array("* 1 FETCH (BINARY[2] ~{\(content.count)}\r\n".utf8)
        #expect(Array(part.prefix(label.count)) == label)
        #expect(Array(part.dropFirst(label.count).prefix(content.count)) == content)
        #expect(await client.send("d FETCH 1 BINARY.PEEK[1]\r\n").contains("{4}\r\ntext)"))
        #expect(try await fixture.store.verify { _ in }.isEmpty)
    }

    @Test("Text that came as literal8 is kept as text") func text() async throws {
        let fixture = try await Fixture()
        let client = await fixture.session("INBOX")
        #expect(await append(Array("Subject: x\n\nbare\nlines\r\n".utf8), client).contains("a OK "))
        #expect(await client.send("b FETCH 1 BODY.PEEK[TEXT]\r\n").contains("{13}\r\nbare\r\nlines\r\n)"))
    }

    @Test("NUL in a header cannot be kept") func header() async throws {
        let fixture = try await Fixture()
        let client = await fixture.session("INBOX")
        #expect(await append(Array("Subject: \0\r\n\r\nx".utf8), client).hasPrefix("a NO [UNKNOWN-CTE] "))
        await client.expect("b NOOP\r\n", "b OK Completed\r\n")
    }

    @Test("Header fields in UTF-8 are for those who have enabled it [9755-4]") func eightBit() async throws {
        let fixture = try await Fixture()
        let client = await fixture.session()
        let message = Array("Subject: Grüße\r\n\r\nx\r\n".utf8)
        #expect(await append(message, client).hasPrefix("a NO [CANNOT] "))
        _ = await client.send("e ENABLE UTF8=ACCEPT\r\n")
        #expect(await append(message, client).contains("a OK "))
        _ = await client.send("s SELECT INBOX\r\n")
        #expect(await client.send("f FETCH 1 ENVELOPE\r\n").contains("(NIL \"Grüße\" NIL"))
        let other = await fixture.session("INBOX")
        #expect(await other.send("f FETCH 1 ENVELOPE\r\n").contains("(NIL {7}\r\nGrüße NIL"))
        // 8-bit content is anybody's.
        #expect(await append(Array("Subject: x\r\n\r\nGrüße\r\n".utf8), other).contains("a OK "))
    }

    @Test("With LITERAL- a long literal waits to be invited [7888-5]") func literalMinus() async throws {
        let fixture = try await Fixture()
        var settings = IMAPSettings()
        settings.offersLongLiterals = false
        let client = await fixture.session(settings: settings)
        let capabilities = await client.send("a CAPABILITY\r\n")
        #expect(capabilities.contains("LITERAL-") && !capabilities.contains("LITERAL+"))
        let message = String(repeating: "x", count: 4097)
        #expect(await client.send("b APPEND INBOX {4097+}\r\n\(message)\r\n").hasPrefix("b BAD [TOOBIG] "))
        #expect(await client.send("c APPEND INBOX {4096+}\r\n\(message.dropLast())\r\n").contains("c OK "))
        #expect(await client.send("d APPEND INBOX {1+}\r\nx {4097+}\r\n\(message)\r\n").hasPrefix("d BAD [TOOBIG] "))
        await client.expect("e APPEND INBOX {4097}\r\n", "+ Send the message\r\n")
        #expect(await client.send("\(message)\r\n").contains("e OK "))
        #expect(await client.send("f STATUS INBOX (MESSAGES)\r\n").contains("(MESSAGES 2)"))
    }
}
