import IMAPSyntax
import MailVocabulary
import Testing

@Suite struct FetchStoreTests {
    func items(_ text: String) throws -> [FetchItem] {
        guard case .fetch(_, let items, _, _) = try parse("a FETCH 1 " + text).request else {
            throw SyntaxError("no FETCH")
        }
        return items
    }

    @Test func macros() throws {
        #expect(try items("ALL") == [.flags, .internalDate, .rfc822Size, .envelope])
        #expect(try items("fast") == [.flags, .internalDate, .rfc822Size])
        #expect(try items("FULL") == [.flags, .internalDate, .rfc822Size, .envelope, .body])
        #expect(error("FETCH 1 (ALL)")?.answer == .bad)
    }

    @Test(arguments: [
        ("FLAGS", FetchItem.flags), ("uid", .uid), ("INTERNALDATE", .internalDate), ("RFC822", .rfc822),
        ("RFC822.HEADER", .rfc822Header), ("RFC822.TEXT", .rfc822Text), ("RFC822.SIZE", .rfc822Size),
        ("ENVELOPE", .envelope), ("BODY", .body), ("BODYSTRUCTURE", .bodyStructure), ("MODSEQ", .modSeq),
        ("BODY[]", .section(peek: false, BodySection(), partial: nil)),
        ("body.peek[]<0.2048>", .section(peek: true, BodySection(), partial: PartialRange(offset: 0, count: 2048))),
        ("BODY[HEADER]", .section(peek: false, BodySection(.header), partial: nil)),
        ("BODY[TEXT]", .section(peek: false, BodySection(.text), partial: nil)),
        ("BODY[4.2.2.1]", .section(peek: false, BodySection(part: [4, 2, 2, 1]), partial: nil)),
        ("BODY[1.MIME]", .section(peek: false, BodySection(part: [1], .mime), partial: nil)),
        ("BODY[3.HEADER]", .section(peek: false, BodySection(part: [3], .header), partial: nil)),
        (
            "BODY[HEADER.FIELDS (DATE \"FROM\")]",
            .section(peek: false, BodySection(.headerFields(["DATE", "FROM"])), partial: nil)
        ),
        (
            "BODY.PEEK[2.HEADER.FIELDS.NOT (X])]<10.1>",
            .section(
                peek: true, BodySection(part: [2], .headerFieldsNot(["X]"])),
                partial: PartialRange(offset: 10, count: 1)
            )
        ),
        ("BINARY[1.2]", .binary(peek: false, part: [1, 2], partial: nil)),
        ("BINARY.PEEK[]<5.6>", .binary(peek: true, part: [], partial: PartialRange(offset: 5, count: 6))),
        ("BINARY.SIZE[3]", .binarySize(part: [3])),
    ])
    func item(_ fixture: (text: String, item: FetchItem)) throws {
        #expect(try items(fixture.text) == [fixture.item])
        #expect(try items("(FLAGS \(fixture.text) UID)") == [.flags, fixture.item, .uid])
    }

    @Test(arguments: [
        "()", "(FLAGS", "(FLAGS )", "FLAGS UID", "FOO", "", "BODY[", "BODY[]<", "BODY[]<0>", "BODY[]<0.0>", "BODY.PEEK",
        "BODY[MIME]", "BODY[0]", "BODY[1.]", "BODY[.1]", "BODY[1..2]", "BODY[1 2]", "BODY[HEADER.FIELDS]",
        "BODY[HEADER.FIELDS ()]", "BODY[HEADER.FIELDS (a]", "BODY[1.TEXT.1]", "BODY[FOO]", "BINARY", "BINARY[TEXT]",
        "BINARY[1.MIME]", "BINARY.SIZE", "BODY[4294967296]", "BODY[]<9223372036854775808.1>", "FLAGS[]", "BODY []",
        "FLAGS (CHANGEDSINCE)", "FLAGS (VANISHED)", "FLAGS (FOO)", "FLAGS ()", "FLAGS (PARTIAL)", "FLAGS (PARTIAL 1)",
        "FLAGS (PARTIAL 1:-2)", "FLAGS (PARTIAL -1:2)", "FLAGS (PARTIAL 0:2)", "FLAGS (PARTIAL 1:4294967296)",
        "FLAGS (PARTIAL 1:2 PARTIAL 1:2)", "FLAGS (PARTIAL 1:2",
    ])
    func rejected(_ text: String) {
        #expect(error("FETCH 1 " + text)?.answer == .bad)
    }

    @Test func limits() {
        let parts = Array(repeating: "1", count: IMAPLimits.partDepth).joined(separator: ".")
        #expect(error("FETCH 1 BODY[\(parts)]") == nil)
        #expect(error("FETCH 1 BODY[\(parts).1]")?.code == .limit)
        let flags = Array(repeating: "FLAGS", count: IMAPLimits.fetchItems).joined(separator: " ")
        #expect(error("FETCH 1 (\(flags))") == nil)
        #expect(error("FETCH 1 (\(flags) UID)")?.code == .limit)
    }

    @Test func modifiers() throws {
        guard
            case .fetch(let set, _, let modifiers, let uid) = try parse(
                "s100 UID FETCH 300:500 (FLAGS) (CHANGEDSINCE 12345 VANISHED)"
            ).request
        else { return }
        #expect(set == .ranges([SequenceRange(300, 500)]))
        #expect(modifiers == FetchModifiers(changedSince: 12345, vanished: true))
        #expect(uid)
        guard case .fetch(_, _, let both, _) = try parse("a UID FETCH 1 UID (PARTIAL -1:-30 CHANGEDSINCE 5)").request
        else {
            Issue.record("not a FETCH")
            return
        }
        #expect(both == FetchModifiers(changedSince: 5, partial: ResultRange(1, 30, isFromEnd: true)))
    }

    @Test func seen() throws {
        for (text, sets) in [
            ("BODY[]", true), ("BODY.PEEK[]", false), ("RFC822", true), ("RFC822.TEXT", true),
            ("RFC822.HEADER", false), ("BINARY[1]", true), ("BINARY.PEEK[1]", false), ("BINARY.SIZE[1]", false),
        ] { #expect(try items(text).contains(where: \.setsSeen) == sets, "\(text)") }
    }

    func store(_ text: String) throws -> StoreAction {
        guard case .store(_, let action, _) = try parse("a STORE " + text).request else {
            throw SyntaxError("no STORE")
        }
        return action
    }

    @Test func stores() throws {
        #expect(try store("2:4 +FLAGS (\\Deleted)") == StoreAction(.add, flags: [.deleted]))
        #expect(
            try store("1 -flags.silent \\Seen \\ANSWERED")
                == StoreAction(.remove, isSilent: true, flags: [.seen, .answered]))
        #expect(try store("1 FLAGS ()") == StoreAction(.replace, flags: []))
        #expect(
            try store("* (UNCHANGEDSINCE 12121230045) +FLAGS.SILENT (\\Deleted)")
                == StoreAction(.add, isSilent: true, flags: [.deleted], unchangedSince: 12_121_230_045))
        #expect(try store("1 FLAGS ($Junk a[b)").flags.count == 2)
        for bad in [
            "1", "1 FLAGS", "1 FLAGS ", "1 *FLAGS ()", "1 FLAGS.LOUD ()", "1 FLAGS (", "1 FLAGS (\\)",
            "1 FLAGS (\\Foo)",
            "1 FLAGS \\Recent", "1 FLAGS (\\Seen", "1 FLAGS (\\Seen  \\Deleted)", "1 FLAGS \\*", "1 + FLAGS ()",
            "1 (UNCHANGEDSINCE) FLAGS ()", "1 (FOO 1) FLAGS ()", "1 FLAGS () ()",
        ] { #expect(error("STORE " + bad)?.answer == .bad, "\(bad)") }
        let long = error("STORE 1 FLAGS " + String(repeating: "k", count: 65))
        #expect(long?.answer == .no)
        #expect(long?.code == .limit)
        let many = Array(repeating: "\\Seen", count: IMAPLimits.flags + 1).joined(separator: " ")
        #expect(error("STORE 1 FLAGS \(many)")?.code == .limit)
        #expect(error("STORE 1 FLAGS (\(many))")?.code == .limit)
    }
}
