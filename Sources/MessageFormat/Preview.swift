// The beginning of a message's text, for people (RFC 8970): computed when the message is added.

extension BodyPart {
    /// What the text begins with: of the first part in plain text that has any, or else of the first in HTML.
    /// Attachments are not looked at, nor messages inside.
    func preview(of message: Span<UInt8>) -> [UInt8] {
        for isHTML in [false, true] {
            var candidates: [BodyPart] = []
            collectTexts(isHTML: isHTML, &candidates)
            for part in candidates {
                let text = part.previewText(of: message, isHTML: isHTML)
                if !text.isEmpty { return Array(text.utf8) }
            }
        }
        return []
    }

    /// Parts that are looked at for a text that is not blank.
    private static let previewCandidates = 4

    private func collectTexts(isHTML: Bool, _ found: inout [BodyPart]) {
        guard found.count < Self.previewCandidates else { return }
        switch kind {
        case .text:
            if disposition?.type.isWord("ATTACHMENT") != true, subtype.isWord("HTML") == isHTML { found.append(self) }
        case .multipart(let children):
            for child in children { child.collectTexts(isHTML: isHTML, &found) }
        case .single, .message: break
        }
    }

    private func previewText(of message: Span<UInt8>, isHTML: Bool) -> String {
        guard let transfer = TransferEncoding(encoding) else { return "" }
        let range = bodyRange.prefix(MessageLimits.previewSource).clamped(to: 0..<message.count)
        let named = parameters.first { $0.name.isWord("CHARSET") }.map(\.value)
        guard let charset = named.map({ Charset($0) }) ?? .utf8 else { return "" }
        if !isHTML, range.count > Self.previewStart {
            // Mostly enough; the end may be cut within a character.
            let start = transfer.decode(message.extracting(range.prefix(Self.previewStart)))
            let line = PreviewLine(charset.decode(start.span).unicodeScalars.dropLast(Self.cutScalars))
            if line.isFull { return line.finish() }
        }
        let text = charset.decode(transfer.decode(message.extracting(range)).span)
        guard isHTML else { return PreviewLine(text.unicodeScalars[...]).finish() }
        var line = PreviewLine()
        var markup = MarkupStripper(text)
        while !line.isFull, let scalar = markup.next() { line.append(scalar) }
        return line.finish()
    }

    /// Octets of plain text that are decoded first, and scalars at their end that are not relied upon.
    private static let previewStart = 1024
    private static let cutScalars = 8
}

/// Text on one line: runs of white space become one space, what cannot be seen is left out.
struct PreviewLine {
    private var scalars = String.UnicodeScalarView()
    private var count = 0
    private var isSpacePending = false
    /// One more than fits, so that a character that would be cut is noticed.
    var isFull: Bool { count > MessageLimits.preview }

    init() {}

    init(_ text: Substring.UnicodeScalarView) {
        for scalar in text {
            guard !isFull else { break }
            append(scalar)
        }
    }

    mutating func append(_ scalar: Unicode.Scalar) {
        if Self.isWhitespace(scalar) {
            isSpacePending = count > 0
            return
        }
        guard Self.isVisible(scalar) else { return }
        if isSpacePending {
            scalars.append(" ")
            count += 1
            isSpacePending = false
        }
        scalars.append(scalar)
        count += 1
    }

    // Of ASCII they are told without asking the tables of Unicode.

    private static func isWhitespace(_ scalar: Unicode.Scalar) -> Bool {
        guard !scalar.isASCII else { return scalar.value == 0x20 || (0x09...0x0D).contains(scalar.value) }
        return scalar.properties.isWhitespace
    }

    private static func isVisible(_ scalar: Unicode.Scalar) -> Bool {
        guard !scalar.isASCII else { return (0x20..<0x7F).contains(scalar.value) }
        return switch scalar.properties.generalCategory {
        case .control, .surrogate, .unassigned, .privateUse: false
        case .format: scalar == "\u{200C}" || scalar == "\u{200D}"
        case _: true
        }
    }

    /// The line, cut where a character ends.
    consuming func finish() -> String {
        let text = String(scalars)
        guard count > MessageLimits.preview else { return text }
        var kept = 0
        let whole = text.prefix { character in
            kept += character.unicodeScalars.count
            return kept <= MessageLimits.preview
        }
        return String(whole)
    }
}

/// The text between the tags of HTML, by and large: good enough for a line of preview, and one pass whatever comes.
struct MarkupStripper {
    private let scalars: [Unicode.Scalar]
    private var position = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    /// Elements whose content is no text.
    private static let silent: Set<String> = ["head", "style", "script", "title", "template", "noscript"]
    /// Elements that stand within a line.
    private static let inline: Set<String> = [
        "a", "abbr", "b", "bdi", "bdo", "code", "em", "font", "i", "mark", "s", "small", "span", "strong", "sub", "sup",
        "tt", "u", "wbr",
    ]
    private static let entities: [String: Unicode.Scalar] = [
        "amp": "&", "lt": "<", "gt": ">", "quot": "\"", "apos": "'", "nbsp": " ", "euro": "€", "copy": "©", "reg": "®",
        "hellip": "…", "ndash": "–", "mdash": "—", "lsquo": "‘", "rsquo": "’", "ldquo": "“", "rdquo": "”", "bull": "•",
        "auml": "ä", "ouml": "ö", "uuml": "ü", "Auml": "Ä", "Ouml": "Ö", "Uuml": "Ü", "szlig": "ß", "eacute": "é",
        "egrave": "è", "agrave": "à", "zwnj": " ",
    ]
    /// Letters of an entity's name, or digits of its number, at most.
    private static let entityLength = 10

    mutating func next() -> Unicode.Scalar? {
        while position < scalars.count {
            let scalar = scalars[position]
            switch scalar {
            case "<":
                if passTag() { return " " }
            case "&": return entity()
            case _:
                position += 1
                return scalar
            }
        }
        return nil
    }

    /// Passes over a tag, a comment, or an element without text; whether what follows is on another line.
    private mutating func passTag() -> Bool {
        position += 1
        if peek(0) == "!" {
            let isComment = peek(1) == "-" && peek(2) == "-"
            pass(beyond: isComment ? "-->" : ">")
            return false
        }
        let isEnd = peek(0) == "/"
        if isEnd { position += 1 }
        let name = word(limit: 16)
        pass(beyond: ">")
        if !isEnd, Self.silent.contains(name) { passElement(name) }
        return !Self.inline.contains(name)
    }

    /// Up to and with the element's end tag, or the end of all.
    private mutating func passElement(_ name: String) {
        while position < scalars.count {
            pass(beyond: "</")
            if word(limit: 16) == name { return pass(beyond: ">") }
        }
    }

    private mutating func pass(beyond mark: String) {
        let mark = Array(mark.unicodeScalars)
        while position < scalars.count {
            if scalars[position...].starts(with: mark) {
                position += mark.count
                return
            }
            position += 1
        }
    }

    private func peek(_ ahead: Int) -> Unicode.Scalar? {
        position + ahead < scalars.count ? scalars[position + ahead] : nil
    }

    /// ASCII letters and digits, in lower case.
    private mutating func word(limit: Int) -> String {
        var word = String.UnicodeScalarView()
        while let scalar = peek(0), scalar.isASCII, scalar.properties.isAlphabetic || ("0"..."9").contains(scalar),
            word.count < limit
        {
            word.append(scalar)
            position += 1
        }
        return String(word).lowercased()
    }

    /// What stands for an entity; an ampersand that introduces none stays.
    private mutating func entity() -> Unicode.Scalar {
        position += 1
        let body = scalars[position...].prefix(Self.entityLength)
        guard let end = body.firstIndex(of: ";") else { return "&" }
        let name = String(String.UnicodeScalarView(body[..<end]))
        var meant = Self.entities[name]
        if name.hasPrefix("#x") || name.hasPrefix("#X") {
            meant = UInt32(name.dropFirst(2), radix: 16).flatMap { Unicode.Scalar($0) }
        } else if name.hasPrefix("#") {
            meant = UInt32(name.dropFirst()).flatMap { Unicode.Scalar($0) }
        }
        guard let meant else { return "&" }
        position = end + 1
        return meant
    }
}
