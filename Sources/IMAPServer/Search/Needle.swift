/// Text to be found, without regard to case (RFC 3501 §6.4.4), as the folded octets of its UTF-8.
struct Needle: Sendable {
    let octets: [UInt8]
    /// ASCII can be looked for in undecoded octets of most character sets.
    let isASCII: Bool
    /// How far the window moves when this octet, in either case, is under its end (Horspool); 0 when it is the needle's
    /// last octet, and `shiftAtLast` is how far then.
    private let shifts: [UInt16]
    private let shiftAtLast: Int

    init(_ text: String) {
        octets = Needle.folded(text)
        isASCII = octets.allSatisfy { $0 < 0x80 }
        var shifts = [UInt16](repeating: Needle.shift(octets.count), count: 256)
        var shiftAtLast = octets.count
        for (index, octet) in octets.dropLast().enumerated() {
            let shift = octets.count - 1 - index
            if octet == octets.last { shiftAtLast = shift }
            shifts[Int(octet)] = Needle.shift(shift)
            shifts[Int(Needle.uppercased(octet))] = Needle.shift(shift)
        }
        if let last = octets.last {
            shifts[Int(last)] = 0
            shifts[Int(Needle.uppercased(last))] = 0
        }
        self.shifts = shifts
        self.shiftAtLast = shiftAtLast
    }

    private static func shift(_ distance: Int) -> UInt16 { UInt16(min(distance, Int(UInt16.max))) }

    /// Lower case by Unicode's rules.
    static func folded(_ text: String) -> [UInt8] {
        text.utf8.allSatisfy { $0 < 0x80 } ? text.utf8.map(lowercased) : Array(text.lowercased().utf8)
    }

    private static func uppercased(_ octet: UInt8) -> UInt8 { octet &- 0x61 < 26 ? octet & 0xDF : octet }

    @inline(__always) private static func lowercased(_ octet: UInt8) -> UInt8 {
        octet &- 0x41 < 26 ? octet | 0x20 : octet
    }

    /// Whether the text is in there. Beyond ASCII only if the octets are folded UTF-8.
    func isFound(in haystack: Span<UInt8>) -> Bool {
        guard !octets.isEmpty else { return true }
        let shifts = shifts.span
        var end = octets.count - 1
        while end < haystack.count {
            let shift = Int(shifts[Int(haystack[end])])
            if shift > 0 {
                end += shift
            } else if isFound(in: haystack, at: end - octets.count + 1) {
                return true
            } else {
                end += shiftAtLast
            }
        }
        return false
    }

    private func isFound(in haystack: Span<UInt8>, at start: Int) -> Bool {
        for index in 0..<octets.count - 1 where Needle.lowercased(haystack[start + index]) != octets[index] {
            return false
        }
        return true
    }

    func isFound(in text: String) -> Bool { isFound(in: Needle.folded(text).span) }
}
