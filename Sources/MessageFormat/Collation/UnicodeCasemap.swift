// i;unicode-casemap (RFC 5051): what is compared is the text with each code point in titlecase and decomposed; then
// octets decide. So "Grüße" is found by "grü", and by "gru" too, since the dots come behind their letter.

/// Appends UTF-8 as i;unicode-casemap compares it (RFC 5051 §2). Octets that are no UTF-8 stay as they are.
package func appendCasemapped(_ text: Span<UInt8>, to result: inout [UInt8]) {
    // Of one that grows, every reservation would be a copy.
    if result.isEmpty { result.reserveCapacity(text.count) }
    var index = 0
    while index < text.count {
        let plainEnd = text.asciiEnd(from: index)
        if plainEnd > index {
            result.appendUppercased(text, index..<plainEnd)
            index = plainEnd
            continue
        }
        let (scalar, length) = decodedScalar(text, at: index)
        if let scalar {
            CasemapTable.shared.append(scalar, text, index..<index + length, to: &result)
        } else {
            result.append(text[index])
        }
        index += length
    }
}

/// Appends what a decoded text is put in order by. One that held what its character set does not have, and so U+FFFD
/// now, comes after all others (RFC 5255 §4.6): no UTF-8 begins with 0xFF.
package func appendSortKey(_ text: Span<UInt8>, to result: inout [UInt8]) {
    if text.holdsReplacement { result.append(0xFF) }
    appendCasemapped(text, to: &result)
}

extension Span<UInt8> {
    /// Whether U+FFFD is there.
    fileprivate var holdsReplacement: Bool {
        var index = 0
        while index &+ 2 < count {
            if self[index] == 0xEF, self[index &+ 1] == 0xBF, self[index &+ 2] == 0xBD { return true }
            index &+= 1
        }
        return false
    }

    /// Where the first octet beyond ASCII stands, or the end.
    fileprivate func asciiEnd(from start: Int) -> Int {
        let raw = unsafe self.bytes
        var index = start
        while index &+ 8 <= count,
            unsafe raw.unsafeLoadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
        {
            index &+= 8
        }
        while index < count, self[index] < 0x80 { index &+= 1 }
        return index
    }
}

extension [UInt8] {
    /// Adds ASCII, and then maps it where it is, many octets at once.
    fileprivate mutating func appendUppercased(_ text: Span<UInt8>, _ range: Range<Int>) {
        let start = count
        append(text, range)
        unsafe withUnsafeMutableBufferPointer { octets in
            for index in start..<octets.count { unsafe octets[index] = asciiUppercased(octets[index]) }
        }
    }
}

/// The same of a string.
package func casemapped(_ text: String) -> [UInt8] {
    var result: [UInt8] = []
    var text = text
    text.makeContiguousUTF8()
    appendCasemapped(text.utf8.span, to: &result)
    return result
}

/// A code point of UTF-8 (RFC 3629 §4) beyond ASCII and its length; nil and 1 for an octet that begins none.
private func decodedScalar(_ text: Span<UInt8>, at index: Int) -> (UInt32?, Int) {
    let first = text[index]
    let (length, bits, least): (Int, UInt32, UInt32) =
        switch first {
        case 0xC2...0xDF: (2, UInt32(first & 0x1F), 0x80)
        case 0xE0...0xEF: (3, UInt32(first & 0x0F), 0x800)
        case 0xF0...0xF4: (4, UInt32(first & 0x07), 0x10000)
        case _: (1, 0, 0)
        }
    guard length > 1, index + length <= text.count else { return (nil, 1) }
    var scalar = bits
    for offset in 1..<length {
        let octet = text[index + offset]
        guard octet & 0xC0 == 0x80 else { return (nil, 1) }
        scalar = scalar << 6 | UInt32(octet & 0x3F)
    }
    guard scalar >= least, scalar < 0x110000, scalar & 0xFFFF_F800 != 0xD800 else { return (nil, 1) }
    return (scalar, length)
}

/// What code points become, in pages of 256.
private struct CasemapTable: Sendable {
    static let shared = CasemapTable()

    /// By the code point's upper bits: the number of its page; 0 is a page without entries.
    private var pages = [UInt16](repeating: 0, count: 0x110000 >> 8)
    /// By page and lower bits: 0, or where in `octets` what it becomes is: `offset << 6 | length`.
    private var entries = [UInt32](repeating: 0, count: 256)
    /// UTF-8.
    private var octets: [UInt8] = []

    func append(_ scalar: UInt32, _ text: Span<UInt8>, _ range: Range<Int>, to result: inout [UInt8]) {
        let page = Int(pages[Int(scalar >> 8)])
        let entry = entries[page << 8 | Int(scalar & 0xFF)]
        if entry != 0 {
            let start = Int(entry >> 6)
            result.append(contentsOf: octets[start..<start + Int(entry & 0x3F)])
        } else if (0xAC00...0xD7A3).contains(scalar) {
            CasemapTable.append(syllable: scalar - 0xAC00, to: &result)
        } else {
            result.append(text, range)
        }
    }

    /// A Hangul syllable becomes its letters (Unicode §3.12).
    private static func append(syllable index: UInt32, to result: inout [UInt8]) {
        append(0x1100 + index / 588, to: &result)
        append(0x1161 + index % 588 / 28, to: &result)
        if index % 28 > 0 { append(0x11A7 + index % 28, to: &result) }
    }

    private static func append(_ scalar: UInt32, to result: inout [UInt8]) {
        guard let scalar = Unicode.Scalar(scalar) else { return }
        result.append(contentsOf: UTF8.encode(scalar).map { Array($0) } ?? [])
    }

    // Reading the data: its form is described in Scripts/make-casemap.

    private init() {
        let text = CasemapData.encoded
        let data = unsafe decodeBase64(Span(_unsafeStart: text.utf8Start, count: text.utf8CodeUnitCount))
        var position = 0
        func number() -> UInt32 {
            var (value, shift): (UInt32, UInt32) = (0, 0)
            while position < data.count {
                let octet = data[position]
                position += 1
                value |= UInt32(octet & 0x7F) << shift
                shift += 7
                if octet < 0x80 { break }
            }
            return value
        }
        func difference() -> UInt32 {
            let value = number()
            return value & 1 == 0 ? value >> 1 : ~(value >> 1)
        }
        var last: UInt32 = 0
        for _ in 0..<number() {
            last &+= number()
            let form = number()
            let (step, count) = (form >> 1 & 1 + 1, form >> 2)
            let target = last &+ difference()
            for index in 0..<count { enter(last &+ index * step, [target &+ (form & 1) * index * step]) }
        }
        last = 0
        for _ in 0..<number() {
            last &+= number()
            var (targets, before): ([UInt32], UInt32) = ([], last)
            for _ in 0..<number() {
                before &+= difference()
                targets.append(before)
            }
            enter(last, targets)
        }
    }

    private mutating func enter(_ scalar: UInt32, _ targets: [UInt32]) {
        let high = Int(scalar >> 8)
        guard high < pages.count else { return }
        if pages[high] == 0 {
            pages[high] = UInt16(entries.count >> 8)
            entries.append(contentsOf: repeatElement(0, count: 256))
        }
        let start = octets.count
        for target in targets { CasemapTable.append(target, to: &octets) }
        entries[Int(pages[high]) << 8 | Int(scalar & 0xFF)] = UInt32(start << 6 | (octets.count - start))
    }
}
