import IMAPSyntax
import MailStore
import MailVocabulary
import Testing
import WireFraming

@testable import IMAPServer

@Suite struct RowPainterTests {
    @Test("Rows painted are rows written, whatever their flags", arguments: [0, 3, 59]) func same(_ keywords: Int)
        async throws
    {
        let fixture = try await Fixture()
        let inbox = try await fixture.mailbox("INBOX")
        let message = NewMessage(body: InMemoryBody([1, 2, 3]), internalDate: Fixture.now, summary: [])
        _ = try await fixture.store.append([(inbox.id, [NewMessage](repeating: message, count: 700))])
        let client = await fixture.session("INBOX")
        _ = await client.send("e ENABLE CONDSTORE\r\n")
        let names = (0..<keywords).map { "Keyword\($0)" + String(repeating: "x", count: $0 * 3) }
        for (number, flag) in (["\\Seen", "\\Deleted", "\\Answered", "\\Flagged", "\\Draft"] + names).enumerated() {
            _ = await client.send("s UID STORE \(number + 1):\(600 - number * 7) +FLAGS.SILENT (\(flag))\r\n")
        }
        // INTERNALDATE is not painted; what stands before it is the same.
        for items in ["FLAGS", "UID", "RFC822.SIZE FLAGS UID", "MODSEQ FLAGS", "FLAGS RFC822.SIZE"] {
            let painted = await client.send("a UID FETCH 1:* (\(items))\r\n").split(separator: "\r\n")
            let written = await client.send("a UID FETCH 1:* (\(items) INTERNALDATE)\r\n").split(separator: "\r\n")
            #expect(painted.count == 701)
            #expect(painted.count == written.count)
            for (short, long) in zip(painted, written).dropLast() {
                #expect(long.hasPrefix(short.dropLast()) && long.hasSuffix("\")"))
            }
        }
        #expect(await client.send("b FETCH 699 FLAGS\r\n").hasPrefix("* 699 FETCH (FLAGS (\\Recent))\r\nb OK"))
    }
}
