import IMAPSyntax
import MailVocabulary
import Testing

@Suite("APPEND with several messages and parts, and REPLACE [3502-6.3.11] [4469-5] [8508-5]")
struct AppendTests {
    private func events(_ text: String) -> [AppendEvent]? {
        switch try? parse(text).request {
        case .append(let events): events
        case .replace(let events, _): events
        case _: nil
        }
    }

    @Test func severalMessages() throws {
        let inbox = AppendTarget(mailbox: .inbox)
        #expect(
            events("a APPEND INBOX {1}\r\nx (\\Seen) {1}\r\ny") == [
                .target(inbox), .message(flags: [], internalDate: nil), .text([0x78], isBinary: false), .endOfMessage,
                .message(flags: [.seen], internalDate: nil), .text([0x79], isBinary: false), .endOfMessage, .end,
            ])
    }

    @Test func catenate() throws {
        #expect(
            events("a APPEND INBOX CATENATE (URL \"/INBOX/;UID=1\" TEXT {1}\r\nx UTF8 (~{1}\r\ny) URL {3}\r\n/;x)")
                == [
                    .target(AppendTarget(mailbox: .inbox)), .message(flags: [], internalDate: nil),
                    .url("/INBOX/;UID=1"), .text([0x78], isBinary: false), .text([0x79], isBinary: true), .url("/;x"),
                    .endOfMessage, .end,
                ])
    }

    @Test func replace() throws {
        let star = ReplacedMessage(set: .ranges([SequenceRange(nil, nil)]), uid: false)
        #expect(
            events("a REPLACE * Drafts {1}\r\nx")?.first
                == .target(AppendTarget(mailbox: try #require(MailboxName("Drafts")), replaced: star)))
        #expect(events("a UID REPLACE 7 Drafts UTF8 (~{1}\r\nx)")?.last == .end)
        for bad in [
            "REPLACE 1:2 a {1}\r\nx", "REPLACE 1,2 a {1}\r\nx", "REPLACE $ a {1}\r\nx", "REPLACE a {1}\r\nx",
            "REPLACE 1 a {1}\r\nx {1}\r\ny", "UID APPEND a {1}\r\nx", "APPEND a CATENATE ()", "APPEND a CATENATE",
            "APPEND a CATENATE (URL \"x\"", "APPEND a CATENATE (TEXT x)", "APPEND a CATENATE (FOO {1}\r\nx)",
            "APPEND a UTF8 ({1}\r\nx)", "APPEND a UTF8 (~{1}\r\nx", "APPEND a CATENATE (URL x) )",
        ] { #expect(events("a " + bad) == nil, "\(bad)") }
    }

    @Test("Between streamed literals the rest of the command is read piece by piece") func pieces() throws {
        var parser = AppendParser()
        func feed(_ text: String) throws -> [AppendEvent]? {
            let bytes = Array(text.utf8)
            return try parser.parse(bytes.span, .modifiedUTF7)
        }
        // The mailbox's name is a literal: nothing can be said before it is there.
        #expect(try feed("a APPEND {5}\r\n") == nil)
        #expect(try feed("a APPEND {5}\r\ninbox CATENATE (TEXT {3}\r\n")?.count == 3)
        #expect(try feed(" URL {9}\r\n") == nil)
        #expect(try feed(" URL {9}\r\n/a/;UID=1 TEXT {3+}\r\n")?.first == .url("/a/;UID=1"))
        #expect(throws: SyntaxError.self) { try feed(" TEXT") }
        #expect(try feed(") {3}\r\n")?.first == .endOfMessage)
        #expect(try feed("") == [.endOfMessage, .end])
    }

    @Test("Too many parts are refused") func limits() throws {
        let parts = Array(repeating: "URL x", count: IMAPLimits.catenatedParts + 1).joined(separator: " ")
        #expect(events("a APPEND a CATENATE (\(parts))") == nil)
    }
}
