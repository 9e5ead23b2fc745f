/// A header value as text: encoded-words decoded (RFC 2047), white space between two of them dropped (§6.2). What is no
/// encoded-word, or one in an unknown character set, stays as it is; octets above 127 are read as UTF-8.
///
/// Words in the same character set that follow each other are decoded together: many senders split characters.
package func decodeEncodedWords(_ value: Span<UInt8>) -> String {
    var decoder = EncodedWordDecoder()
    var index = 0
    var plainStart = 0
    while index + 1 < value.count {
        guard value[index] == UInt8(ascii: "="), value[index + 1] == UInt8(ascii: "?"),
            let word = EncodedWord(value, at: index)
        else {
            index += 1
            continue
        }
        decoder.addPlain(value, plainStart..<index, isBeforeWord: true)
        decoder.add(word)
        index = word.end
        plainStart = index
    }
    decoder.addPlain(value, plainStart..<value.count, isBeforeWord: false)
    return decoder.finish()
}

private struct EncodedWord {
    var charset: Charset
    var octets: [UInt8]
    /// Behind the word.
    var end: Int

    // encoded-word = "=?" charset "?" encoding "?" encoded-text "?="        RFC 2047 §2
    // charset may have a language: charset "*" language                     RFC 2231 §5
    /// Every part ends at the next "?", so that no octet is looked at more than twice in a value without words.
    init?(_ value: Span<UInt8>, at start: Int) {
        guard let charsetEnd = Self.questionMark(value, from: start + 2),
            let encodingEnd = Self.questionMark(value, from: charsetEnd + 1), encodingEnd == charsetEnd + 2,
            let textEnd = Self.questionMark(value, from: encodingEnd + 1),
            textEnd + 1 < value.count, value[textEnd + 1] == UInt8(ascii: "=")
        else { return nil }
        let name = value.array(start + 2..<charsetEnd).prefix { $0 != UInt8(ascii: "*") }
        guard let charset = Charset(Array(name)) else { return nil }
        let text = value.extracting(encodingEnd + 1..<textEnd)
        switch asciiUppercased(value[charsetEnd + 1]) {
        case UInt8(ascii: "B"): octets = decodeBase64(text)
        case UInt8(ascii: "Q"): octets = decodeQuotedPrintable(text, isHeader: true)
        case _: return nil
        }
        self.charset = charset
        end = textEnd + 2
    }

    private static func questionMark(_ value: Span<UInt8>, from start: Int) -> Int? {
        var index = start
        while index < value.count, value[index] != UInt8(ascii: "?") { index += 1 }
        return index < value.count ? index : nil
    }
}

private struct EncodedWordDecoder {
    private var text = ""
    /// Of the words since the last plain text.
    private var charset: Charset?
    private var octets: [UInt8] = []

    mutating func add(_ word: EncodedWord) {
        if charset != word.charset { flush() }
        charset = word.charset
        octets += word.octets
    }

    mutating func addPlain(_ value: Span<UInt8>, _ range: Range<Int>, isBeforeWord: Bool) {
        guard !range.isEmpty else { return }
        if isBeforeWord, charset != nil, range.allSatisfy({ isFoldingSpace(value[$0]) }) { return }
        flush()
        charset = nil
        text += Charset.utf8.decode(value.extracting(range))
    }

    private mutating func flush() {
        guard let charset else { return }
        text += charset.decode(octets.span)
        octets.removeAll(keepingCapacity: true)
    }

    mutating func finish() -> String {
        flush()
        return text
    }
}
