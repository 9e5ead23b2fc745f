// Octet classes and searches that the parsers of this target share.

@inline(__always) func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

/// White space of a folded field, where a line end counts as such.
@inline(__always) func isFoldingSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x09 || byte == 0x0D || byte == 0x0A || byte == 0
}

@inline(__always) func asciiUppercased(_ byte: UInt8) -> UInt8 { byte >= 0x61 && byte <= 0x7A ? byte & 0xDF : byte }

@inline(__always) func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

@inline(__always) func hexDigitValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case _: nil
    }
}

extension Span<UInt8> {
    /// Where the next LF at or after `start` is; `count` when there is none. Eight octets at a time: this is where a
    /// large message's time goes.
    func lineFeed(from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let raw = unsafe self.bytes
        var index = start
        while index &+ 8 <= count {
            let word = unsafe UInt64(littleEndian: raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self))
            let difference = word ^ (ones &* 0x0A)
            // A byte of `difference` is zero where the octet is LF; the lowest mark set is always a true one.
            let marks = (difference &- ones) & ~difference & (ones &* 0x80)
            if marks != 0 { return index &+ marks.trailingZeroBitCount / 8 }
            index &+= 8
        }
        while index < count, self[index] != 0x0A { index &+= 1 }
        return Swift.min(index, count)
    }

    /// Whether the octets there are the same as `other`. Eight at a time: a line may have to be compared with every
    /// open boundary.
    func holds(_ other: [UInt8], at start: Int) -> Bool {
        let length = other.count
        guard start >= 0, length <= count - start else { return false }
        let (mine, theirs) = unsafe (self.bytes, other.span.bytes)
        var index = 0
        while index &+ 8 <= length {
            let a = unsafe mine.unsafeLoadUnaligned(fromByteOffset: start &+ index, as: UInt64.self)
            let b = unsafe theirs.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self)
            guard a == b else { return false }
            index &+= 8
        }
        while index < length {
            guard self[start &+ index] == other[index] else { return false }
            index &+= 1
        }
        return true
    }

    /// Whether the range is the word, without regard to ASCII case. `word` is in upper case.
    func isWord(_ word: StaticString, in range: Range<Int>) -> Bool {
        guard range.count == word.utf8CodeUnitCount else { return false }
        for offset in 0..<range.count {
            guard unsafe asciiUppercased(self[range.lowerBound + offset]) == word.utf8Start[offset] else {
                return false
            }
        }
        return true
    }

    func array(_ range: Range<Int>) -> [UInt8] {
        unsafe extracting(range).withUnsafeBufferPointer { unsafe Array($0) }
    }

    /// The range without blanks and line ends at either side.
    func trimmed(_ range: Range<Int>) -> Range<Int> {
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high, isFoldingSpace(self[low]) { low += 1 }
        while low < high, isFoldingSpace(self[high - 1]) { high -= 1 }
        return low..<high
    }
}

extension [UInt8] {
    func isWord(_ word: StaticString) -> Bool { span.isWord(word, in: 0..<count) }

    mutating func append(_ span: Span<UInt8>, _ range: Range<Int>) {
        unsafe span.extracting(range).withUnsafeBufferPointer { unsafe append(contentsOf: $0) }
    }
}
