/// A subject without what replies and forwards add to it (RFC 5256 §2.1).
package struct BaseSubject: Sendable, Hashable {
    /// Decoded; white space in single spaces.
    package let text: [UInt8]
    /// Whether something was removed that replies and forwards have: `Re:`, `(fwd)`, `[fwd: …]`.
    package let isReplyOrForward: Bool

    /// - Parameter subject: a Subject field's value, unfolded, its encoded-words not yet decoded.
    package init(_ subject: Span<UInt8>) {
        var extraction = BaseSubjectExtraction(headerText(subject))
        extraction.run()
        text = Array(extraction.text[extraction.range])
        isReplyOrForward = extraction.isReplyOrForward
    }
}

/// A header value's text in UTF-8, encoded-words decoded.
package func headerText(_ value: Span<UInt8>) -> [UInt8] {
    guard value.holdsEncodedWord || value.holdsNonASCII else { return value.array(0..<value.count) }
    return Array(decodeEncodedWords(value).utf8)
}

extension Span<UInt8> {
    /// Whether `=?` is there, which every encoded-word begins with.
    package var holdsEncodedWord: Bool {
        var index = 0
        while index &+ 1 < count {
            if self[index] == UInt8(ascii: "="), self[index &+ 1] == UInt8(ascii: "?") { return true }
            index &+= 1
        }
        return false
    }

    package var holdsNonASCII: Bool {
        var all: UInt8 = 0
        for index in indices { all |= self[index] }
        return all >= 0x80
    }
}

/// The procedure of RFC 5256 §2.1 on a range of the text that only shrinks.
private struct BaseSubjectExtraction {
    let text: [UInt8]
    var range: Range<Int>
    var isReplyOrForward = false
    /// Blobs that begin before this have been found to lead to no subj-refwd: they are not gone over again for each
    /// of them that is removed.
    private var plainBlobsEnd = 0

    /// (1): tabs become spaces, several spaces one.
    init(_ decoded: [UInt8]) {
        var text: [UInt8] = []
        text.reserveCapacity(decoded.count)
        for octet in decoded {
            let isSpace = octet == 0x20 || (0x09...0x0D).contains(octet)
            if !isSpace {
                text.append(octet)
            } else if text.last != 0x20 {
                text.append(0x20)
            }
        }
        self.text = text
        range = 0..<text.count
    }

    mutating func run() {
        repeat {
            plainBlobsEnd = 0
            removeTrailers()
            var hasChanged = true
            while hasChanged {
                hasChanged = removeLeader()
                if removeBlob() { hasChanged = true }
            }
        } while removeForward()
    }

    /// (2) subj-trailer = "(fwd)" / WSP
    private mutating func removeTrailers() {
        while !range.isEmpty {
            if text[range.upperBound - 1] == 0x20 {
                range = range.lowerBound..<range.upperBound - 1
            } else if range.count >= 5, isWord("(FWD)", at: range.upperBound - 5) {
                range = range.lowerBound..<range.upperBound - 5
                isReplyOrForward = true
            } else {
                return
            }
        }
    }

    /// (3) subj-leader = (*subj-blob subj-refwd) / WSP
    private mutating func removeLeader() -> Bool {
        let start = range.lowerBound
        while !range.isEmpty {
            if text[range.lowerBound] == 0x20 {
                range = range.lowerBound + 1..<range.upperBound
                continue
            }
            var position = range.lowerBound
            guard position >= plainBlobsEnd else { break }
            while let end = blob(at: position) { position = end }
            guard let end = replyMark(at: position) else {
                plainBlobsEnd = position
                break
            }
            range = end..<range.upperBound
            isReplyOrForward = true
        }
        return range.lowerBound > start
    }

    /// (4): unless nothing would be left.
    private mutating func removeBlob() -> Bool {
        guard let end = blob(at: range.lowerBound), end < range.upperBound else { return false }
        range = end..<range.upperBound
        return true
    }

    /// (6) subj-fwd = subj-fwd-hdr subject subj-fwd-trl        subj-fwd-hdr = "[fwd:"        subj-fwd-trl = "]"
    private mutating func removeForward() -> Bool {
        guard range.count >= 6, isWord("[FWD:", at: range.lowerBound),
            text[range.upperBound - 1] == UInt8(ascii: "]")
        else { return false }
        range = range.lowerBound + 5..<range.upperBound - 1
        isReplyOrForward = true
        return true
    }

    /// subj-blob = "[" *BLOBCHAR "]" *WSP        BLOBCHAR = %x01-5a / %x5c / %x5e-ff
    /// Its end.
    private func blob(at start: Int) -> Int? {
        guard start < range.upperBound, text[start] == UInt8(ascii: "[") else { return nil }
        var position = start + 1
        while position < range.upperBound {
            switch text[position] {
            case UInt8(ascii: "["): return nil
            case UInt8(ascii: "]"): return behindSpaces(position + 1)
            case _: position += 1
            }
        }
        return nil
    }

    /// subj-refwd = ("re" / ("fw" ["d"])) *WSP [subj-blob] ":"
    /// Its end.
    private func replyMark(at start: Int) -> Int? {
        var position = start
        if isWord("RE", at: start) {
            position += 2
        } else if isWord("FWD", at: start) {
            position += 3
        } else if isWord("FW", at: start) {
            position += 2
        } else {
            return nil
        }
        position = behindSpaces(position)
        position = blob(at: position) ?? position
        guard position < range.upperBound, text[position] == UInt8(ascii: ":") else { return nil }
        return position + 1
    }

    private func behindSpaces(_ start: Int) -> Int {
        var position = start
        while position < range.upperBound, text[position] == 0x20 { position += 1 }
        return position
    }

    private func isWord(_ word: StaticString, at start: Int) -> Bool {
        let end = start + word.utf8CodeUnitCount
        return end <= range.upperBound && text.span.isWord(word, in: start..<end)
    }
}
