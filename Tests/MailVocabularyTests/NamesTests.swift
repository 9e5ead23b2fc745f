import MailVocabulary
import Testing

@Suite struct NamesTests {
    @Test("Mailbox names: INBOX in any case is one mailbox, and its first level only")
    func inbox() {
        #expect(MailboxName("inBox") == .inbox)
        #expect(MailboxName("inbox/Work")?.text == "INBOX/Work")
        #expect(MailboxName("Work/inbox")?.text == "Work/inbox")
        #expect(MailboxName("inboxes")?.text == "inboxes")
    }

    @Test(
        "Names that cannot be mailboxes",
        arguments: [
            "", "/a", "a/", "a//b", "a\u{0}b", "a\r\nb", String(repeating: "x", count: 1001),
            Array(repeating: "a", count: 65).joined(separator: "/"),
        ])
    func impossible(_ name: String) { #expect(MailboxName(name) == nil) }

    @Test func hierarchy() throws {
        let name = try #require(MailboxName("a/b/c"))
        #expect(name.parent?.text == "a/b")
        #expect(name.levels.map(String.init) == ["a", "b", "c"])
        #expect(name.isInferior(to: try #require(MailboxName("a"))))
        #expect(!name.isInferior(to: try #require(MailboxName("a/b/c"))))
    }

    @Test("Addresses keep the local part and fold the domain; accounts fold both")
    func address() throws {
        let address = try #require(Address("Joe.Bloggs@EXAMPLE.Org"))
        #expect(address.description == "Joe.Bloggs@example.org")
        #expect(address.canonical.description == "joe.bloggs@example.org")
        let spaced = Address(localPart: "a \"b\"", domain: try #require(Domain("example.org")))
        #expect(spaced.description == "\"a \\\"b\\\"\"@example.org")
    }

    @Test(
        "What is no address",
        arguments: [
            "", "joe", "@example.org", "joe@", "joe@-x.org", "joe@x..org", "a b@x.org", ".a@x.org", "joe@x.org\r\nRCPT",
            "joe@" + String(repeating: "a", count: 64) + ".org", String(repeating: "a", count: 65) + "@x.org",
        ])
    func noAddress(_ text: String) { #expect(Address(text) == nil) }

    @Test("Keywords are atoms, the same in any case, shown as first written")
    func keywords() {
        #expect(Keyword("$Forwarded") == Keyword("$FORWARDED"))
        #expect(Keyword("$Forwarded")?.name == "$Forwarded")
        for text in ["", "a b", "a(", "\\Seen", "a\"", "ü", "a]", String(repeating: "k", count: 65)] {
            #expect(Keyword(text) == nil)
        }
    }

    @Test("A keyword table gives each keyword one bit, and has an end")
    func keywordTable() throws {
        var table = KeywordTable()
        for number in 0..<KeywordTable.maximumCount {
            let flag = Flag.keyword(try #require(Keyword("k\(number)")))
            let bits = table.admit([flag, .seen])
            #expect(bits.map(table.flags) == [.seen, flag])
        }
        let (another, present) = (try #require(Keyword("one-more")), try #require(Keyword("K3")))
        let (refused, found) = (table.admit([.keyword(another)]), table.admit([.keyword(present)]))
        #expect(refused == nil)
        #expect(found == KeywordTable.bit(number: 3))
    }

    @Test("A secret shows itself in no description, dump or interpolation")
    func secret() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(secret, to: &dumped)
        let shown = "\(secret) \(String(reflecting: secret)) \([secret]) \(Optional(secret) as Any) " + dumped
        #expect(!shown.contains("hunter2"))
        #expect(secret.revealed() == "hunter2")
        #expect(secret.count == 7)
    }
}
