import MessageFormat
import Testing

@Suite("Message identifiers")
struct MessageIDTests {
    private func ids(_ text: String, limit: Int = MessageLimits.references) -> [String] {
        let bytes = Array(text.utf8)
        return messageIDs(in: bytes.span, limit: limit).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "In one form, however they are quoted",
        arguments: [
            ("<a@b>", ["a@b"]), ("<\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>", ["01KF8JCEOCBS0045PS@xxx.yyy.com"]),
            ("<a@b><c@d>", ["a@b", "c@d"]), ("<a@b> (see <x@y>)\r\n\t<c@d>", ["a@b", "c@d"]),
            ("<a . b @ c>", ["a.b@c"]), ("<a@b@c>", ["a@b@c"]), ("<\"a\\\"b\"@c>", ["a\"b@c"]),
            ("Your mail of <when> (Ann <a@b>)", []), ("Your mail of <when> <a@b>", ["a@b"]), ("", []), ("<", []),
            ("<a@b", []), ("<a@>", []), ("<@b>", []), ("<>", []), ("<<a@b>>", ["a@b"]), ("<a <c@d>", ["c@d"]),
            ("a@b", []),
        ])
    func forms(_ fixture: (text: String, ids: [String])) {
        #expect(ids(fixture.text) == fixture.ids)
    }

    @Test("Of many, the first and the last are kept")
    func many() {
        let text = (0..<1000).map { "<\($0)@x>" }.joined(separator: " ")
        #expect(ids(text, limit: 4) == ["0@x", "997@x", "998@x", "999@x"])
        #expect(ids(text).count == MessageLimits.references)
        #expect(ids("<\(String(repeating: "a", count: 999))@x> <b@x>") == ["b@x"])
    }
}
