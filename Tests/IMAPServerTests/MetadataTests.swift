import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import IMAPServer

/// RFC 5464: limits, and annotations of others' mailboxes.
@Suite struct MetadataTests {
    private static let box = "\"Other Users/ann@example.org/Box\""

    @Test("A value that is too large is refused, and the session is in step behind it")
    func tooLarge() async throws {
        let fixture = try await Fixture()
        let fred = await fixture.session()
        let value = String(repeating: "x", count: StoreLimits.annotationSize + 1)
        let refused = await fred.send(
            "a SETMETADATA INBOX (/private/comment {\(value.utf8.count)+}\r\n\(value))\r\nb NOOP\r\n")
        #expect(refused.hasPrefix("a NO [METADATA MAXSIZE 32768]") && refused.hasSuffix("b OK Completed\r\n"))
        let fits = String(value.dropLast())
        let stored = await fred.send("c SETMETADATA INBOX (/private/comment {\(fits.utf8.count)+}\r\n\(fits))\r\n")
        #expect(stored == "c OK SETMETADATA completed\r\n")
        await fred.expect(
            "d GETMETADATA (MAXSIZE 32767) INBOX /private/comment\r\n",
            "d OK [METADATA LONGENTRIES 32768] GETMETADATA completed\r\n")
        #expect(await fred.send("e GETMETADATA INBOX /private/comment\r\n").utf8.count > 32_768)
    }

    @Test("The entry that is one too many is refused with those beside it")
    func tooMany() async throws {
        let fixture = try await Fixture()
        let fred = await fixture.session()
        for number in 0..<StoreLimits.annotationsPerMailbox {
            await fred.expect("a SETMETADATA INBOX (/private/n\(number) \"x\")\r\n", "a OK SETMETADATA completed\r\n")
        }
        let refused = await fred.send("b SETMETADATA INBOX (/private/n0 \"y\" /private/more \"x\")\r\n")
        #expect(refused.hasPrefix("b NO [METADATA TOOMANY]"))
        await fred.expect(
            "c GETMETADATA INBOX (/private/n0 /private/more)\r\n",
            "* METADATA INBOX (/private/n0 \"x\" /private/more NIL)\r\nc OK GETMETADATA completed\r\n")
    }

    @Test("Shared entries are everybody's who may annotate, private ones one's own")
    func others() async throws {
        let fixture = try await Fixture()
        try await fixture.share("Box", of: "ann", "lr")
        try await fixture.share("Box", of: "ann", "lw", with: "bob")
        try await fixture.share("Box", of: "ann", "lka", with: "chris")
        let (ann, fred) = (await fixture.session(as: "ann"), await fixture.session())
        let (bob, chris) = (await fixture.session(as: "bob"), await fixture.session(as: "chris"))
        let ok = "a OK SETMETADATA completed\r\n"
        await ann.expect("a SETMETADATA Box (/private/comment \"ann's\" /shared/comment \"all\")\r\n", ok)
        await fred.expect("a SETMETADATA \(Self.box) (/private/comment \"fred's\")\r\n", ok)
        #expect(await fred.send("b SETMETADATA \(Self.box) (/shared/comment \"x\")\r\n").hasPrefix("b NO [NOPERM]"))
        await bob.expect("a SETMETADATA \(Self.box) (/shared/comment \"bob's\")\r\n", ok)
        await fred.expect(
            "c LIST \"\" \(Self.box) RETURN (METADATA (/private/comment /shared/comment))\r\n",
            "* LIST (\\HasNoChildren) \"/\" \(Self.box)\r\n"
                + "* METADATA \(Self.box) (/private/comment \"fred's\" /shared/comment \"bob's\")\r\n"
                + "c OK LIST completed\r\n")
        // RFC 5464 §3.3: `l` and another right than those of chris.
        #expect(await chris.send("b GETMETADATA \(Self.box) /shared/comment\r\n").hasPrefix("b NO [NOPERM]"))
        await chris.expect(
            "c LIST \"\" \(Self.box) RETURN (METADATA (/shared/comment))\r\n",
            "* LIST (\\Noselect \\HasNoChildren) \"/\" \(Self.box)\r\nc OK LIST completed\r\n")
        // What another's mailbox is for is not theirs to say.
        let use = await bob.send("b SETMETADATA \(Self.box) (/private/specialuse \"\\\\Archive\")\r\n")
        #expect(use.hasPrefix("b NO [USEATTR]"))
    }
}
