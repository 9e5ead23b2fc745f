import MailVocabulary
import WireFraming

extension CommandParser {
    // fetch = "FETCH" SP sequence-set SP ("ALL" / "FULL" / "FAST" / fetch-att / "(" fetch-att *(SP fetch-att) ")")
    //         [fetch-modifiers]          RFC 9051 §9, RFC 4466 §2.4
    mutating func fetch(uid: Bool) throws(SyntaxError) -> IMAPRequest {
        let set = try sequenceSet()
        try space()
        let items = try fetchItems()
        return .fetch(set, items, try fetchModifiers(), uid: uid)
    }

    private mutating func fetchItems() throws(SyntaxError) -> [FetchItem] {
        guard cursor.peek != UInt8(ascii: "(") else {
            return try list("items", limit: IMAPLimits.fetchItems) { parser throws(SyntaxError) in
                try parser.fetchItem(try parser.word("an item"))
            }
        }
        switch try word("an item") {
        case "ALL": return FetchItem.all
        case "FAST": return FetchItem.fast
        case "FULL": return FetchItem.full
        case let name: return [try fetchItem(name)]
        }
    }

    // fetch-att = "ENVELOPE" / "FLAGS" / "INTERNALDATE" / "RFC822" [".HEADER" / ".SIZE" / ".TEXT"] /
    //             "BODY" ["STRUCTURE"] / "UID" / "BODY" section [partial] / "BODY.PEEK" section [partial] /
    //             "BINARY" [".PEEK"] section-binary [partial] / "BINARY.SIZE" section-binary / "MODSEQ" /
    //             "SAVEDATE" / "EMAILID" / "THREADID"          RFC 8514 §5, RFC 8474 §7
    mutating func fetchItem(_ name: String) throws(SyntaxError) -> FetchItem {
        switch name {
        case "FLAGS": return .flags
        case "UID": return .uid
        case "INTERNALDATE": return .internalDate
        case "ENVELOPE": return .envelope
        case "RFC822": return .rfc822
        case "RFC822.HEADER": return .rfc822Header
        case "RFC822.TEXT": return .rfc822Text
        case "RFC822.SIZE": return .rfc822Size
        case "BODYSTRUCTURE": return .bodyStructure
        case "MODSEQ": return .modSeq
        case "PREVIEW": return .preview(lazy: try previewIsLazy())
        case "SAVEDATE": return .saveDate
        case "EMAILID": return .emailID
        case "THREADID": return .threadID
        case "BODY" where cursor.peek != UInt8(ascii: "["): return .body
        case "BODY", "BODY.PEEK":
            let section = try section()
            return .section(peek: name != "BODY", section, partial: try partial())
        case "BINARY", "BINARY.PEEK":
            let part = try binarySection()
            return .binary(peek: name != "BINARY", part: part, partial: try partial())
        case "BINARY.SIZE": return .binarySize(part: try binarySection())
        case _: throw SyntaxError("There is no such item to fetch")
        }
    }

    // fetch-att   =/ "PREVIEW" [SP "(" preview-mod *(SP preview-mod) ")"]
    // preview-mod = "LAZY"          RFC 8970 §6
    /// What is in parentheses behind the last item may be the command's modifiers instead.
    private mutating func previewIsLazy() throws(SyntaxError) -> Bool {
        let start = cursor.position
        guard cursor.take(UInt8(ascii: " ")), cursor.take(UInt8(ascii: "(")), cursor.take(word: "LAZY") else {
            cursor.position = start
            return false
        }
        while cursor.take(UInt8(ascii: " ")) {
            guard try word("LAZY") == "LAZY" else { throw SyntaxError("There is no such modifier of PREVIEW") }
        }
        try expect(UInt8(ascii: ")"))
        return true
    }

    // section      = "[" [section-spec] "]"
    // section-spec = section-msgtext / (section-part ["." section-text])
    fileprivate mutating func section() throws(SyntaxError) -> BodySection {
        try expect(UInt8(ascii: "["))
        let (part, isTextNext) = try sectionPart()
        guard isTextNext else {
            try expect(UInt8(ascii: "]"))
            return BodySection(part: part)
        }
        let text = try sectionText(isBelowPart: !part.isEmpty)
        try expect(UInt8(ascii: "]"))
        return BodySection(part: part, text)
    }

    // section-binary = "[" [section-part] "]"
    private mutating func binarySection() throws(SyntaxError) -> [UInt32] {
        try expect(UInt8(ascii: "["))
        let (part, isTextNext) = try sectionPart()
        guard !isTextNext, cursor.take(UInt8(ascii: "]")) else { throw SyntaxError("Expected a part's number") }
        return part
    }

    // section-part = nz-number *("." nz-number)
    private mutating func sectionPart() throws(SyntaxError) -> (part: [UInt32], isTextNext: Bool) {
        var part: [UInt32] = []
        while let next = cursor.peek, next != UInt8(ascii: "]") {
            guard CharacterClass.isDigit(next) else { return (part, true) }
            guard part.count < IMAPLimits.partDepth else { throw SyntaxError("The part is too deep", code: .limit) }
            part.append(try nonzero("a part's number"))
            guard cursor.take(UInt8(ascii: ".")) else { return (part, false) }
            guard cursor.peek != UInt8(ascii: "]") else { throw SyntaxError("A part's number ends in a dot") }
        }
        return (part, false)
    }

    // section-msgtext = "HEADER" / "HEADER.FIELDS" [".NOT"] SP header-list / "TEXT"
    // section-text    = section-msgtext / "MIME"
    private mutating func sectionText(isBelowPart: Bool) throws(SyntaxError) -> BodySection.Text {
        switch try word("a section") {
        case "HEADER": return .header
        case "TEXT": return .text
        case "MIME" where isBelowPart: return .mime
        case "HEADER.FIELDS": return .headerFields(try headerList())
        case "HEADER.FIELDS.NOT": return .headerFieldsNot(try headerList())
        case _: throw SyntaxError("There is no such section")
        }
    }

    // header-list = "(" header-fld-name *(SP header-fld-name) ")"
    private mutating func headerList() throws(SyntaxError) -> [String] {
        try space()
        return try list("field names", limit: IMAPLimits.headerNames) { parser throws(SyntaxError) in
            try parser.textArgument("a field's name")
        }
    }

    // partial = "<" number64 "." nz-number64 ">"
    private mutating func partial() throws(SyntaxError) -> PartialRange? {
        guard cursor.take(UInt8(ascii: "<")) else { return nil }
        let offset = try number("an offset")
        try expect(UInt8(ascii: "."))
        let count = try number("a count of octets")
        guard count > 0 else { throw SyntaxError("A partial fetch asks for at least one octet") }
        try expect(UInt8(ascii: ">"))
        return PartialRange(offset: offset, count: count)
    }

    // fetch-modifiers = SP "(" fetch-modifier *(SP fetch-modifier) ")"          RFC 4466 §2.4
    // fetch-modifier  = "CHANGEDSINCE" SP mod-sequence-value / "VANISHED"       RFC 7162 §7
    // fetch-modifier  =/ "PARTIAL" SP partial-range                             RFC 9394 §4
    private mutating func fetchModifiers() throws(SyntaxError) -> FetchModifiers {
        var modifiers = FetchModifiers()
        guard cursor.take(UInt8(ascii: " ")) else { return modifiers }
        _ = try list("modifiers", limit: IMAPLimits.shortList) { parser throws(SyntaxError) in
            switch try parser.word("a modifier") {
            case "CHANGEDSINCE":
                try parser.space()
                modifiers.changedSince = try parser.number("a modification sequence")
            case "VANISHED": modifiers.vanished = true
            case "PARTIAL":
                try parser.space()
                guard modifiers.partial == nil else { throw SyntaxError("PARTIAL may stand once only") }
                modifiers.partial = try parser.resultRange()
            case _: throw SyntaxError("There is no such modifier")
            }
        }
        guard !modifiers.vanished || modifiers.changedSince != nil else {
            throw SyntaxError("VANISHED needs CHANGEDSINCE beside it")
        }
        return modifiers
    }

    // store           = "STORE" SP sequence-set [SP "(" store-modifier ")"] SP store-att-flags
    // store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag)))     RFC 9051 §9
    mutating func store(uid: Bool) throws(SyntaxError) -> IMAPRequest {
        let set = try sequenceSet()
        try space()
        let unchangedSince = try storeModifier()
        let operation: StoreAction.Operation =
            cursor.take(UInt8(ascii: "+")) ? .add : cursor.take(UInt8(ascii: "-")) ? .remove : .replace
        let name = try word("FLAGS")
        guard name == "FLAGS" || name == "FLAGS.SILENT" else { throw SyntaxError("Expected FLAGS or FLAGS.SILENT") }
        try space()
        let flags = cursor.peek == UInt8(ascii: "(") ? try flagList() : try bareFlags()
        let action = StoreAction(
            operation, isSilent: name == "FLAGS.SILENT", flags: flags, unchangedSince: unchangedSince)
        return .store(set, action, uid: uid)
    }

    // store-modifier = "UNCHANGEDSINCE" SP mod-sequence-valzer          RFC 7162 §7
    private mutating func storeModifier() throws(SyntaxError) -> UInt64? {
        guard cursor.take(UInt8(ascii: "(")) else { return nil }
        guard try word("a modifier") == "UNCHANGEDSINCE" else { throw SyntaxError("There is no such modifier") }
        try space()
        let value = try number("a modification sequence")
        try expect(UInt8(ascii: ")"))
        try space()
        return value
    }

    private mutating func bareFlags() throws(SyntaxError) -> [Flag] {
        var flags: [Flag] = []
        repeat {
            guard flags.count < IMAPLimits.flags else { throw SyntaxError("Too many flags", code: .limit) }
            flags.append(try flag())
        } while cursor.take(UInt8(ascii: " "))
        return flags
    }
}

extension BodySection {
    // enc-section: a section-spec          RFC 5092 §11
    /// A section as a URL has it, decoded; nil for what is none.
    init?(specification: [UInt8]) {
        let text = [UInt8(ascii: "[")] + specification + [UInt8(ascii: "]")]
        var parser = CommandParser(text.span, .utf8)
        guard let section = try? parser.section(), parser.cursor.isAtEnd else { return nil }
        self = section
    }
}
