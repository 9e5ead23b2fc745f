import MailTestSupport
import Testing

@testable import MessageFormat

@Suite("What a message is called and what it answers")
struct ThreadMessageIDsTests {
    private func ids(_ header: String) -> [String] {
        let bytes = Array((header + "\n\nMessage-ID: <body>\n").utf8)
        return MessageSummary(parsing: bytes.span).threadMessageIDs.map { String(decoding: $0, as: UTF8.self) }
    }

    @Test("Message-ID, then References from the nearest on")
    func references() {
        #expect(ids("Message-ID: <c@x>\nReferences: <a@x> <b@x>\nIn-Reply-To: <other@x>") == ["c@x", "b@x", "a@x"])
        #expect(ids("message-id: <c@x>\nREFERENCES:\n <a@x>\n\t<b@x>") == ["c@x", "b@x", "a@x"])
        #expect(ids("References: <a@x>") == ["a@x"])
    }

    @Test("without References, the first of In-Reply-To")
    func inReplyTo() {
        #expect(ids("Message-ID: <c@x>\nIn-Reply-To: Your message <a@x> <b@x>") == ["c@x", "a@x"])
        #expect(ids("Message-ID: <c@x>\nReferences: none\nIn-Reply-To: <a@x>") == ["c@x", "a@x"])
    }

    @Test("of a field that stands twice the first counts; of many references the nearest and the first")
    func limits() {
        #expect(ids("Message-ID: <c@x>\nMessage-ID: <d@x>") == ["c@x"])
        let many = (1...50).map { "<r\($0)@x>" }.joined(separator: " ")
        #expect(
            ids("Message-ID: <c@x>\nReferences: \(many)")
                == ["c@x"] + (43...50).reversed().map { "r\($0)@x" } + ["r1@x"])
        #expect(ids("References: " + String(repeating: "<a@b>", count: 5000)).count == 9)
    }

    @Test("whatever is malformed is passed over", arguments: ["", "<", ">", "<>", "a@x", "<a@x", "a@x>", "<<>"])
    func malformed(_ value: String) {
        #expect(ids("Message-ID: \(value)\nReferences: \(value)\nIn-Reply-To: \(value)").isEmpty)
    }
}
