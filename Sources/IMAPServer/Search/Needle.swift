/// Text to be found, without regard to case (RFC 3501 §6.4.4), as the folded octets of its UTF-8.
struct Needle: Sendable {
    let octets: [UInt8]
    /// ASCII can be looked for in undecoded octets of most character sets.
    let isASCII: Bool
    /// How far the window moves when its last octet is this one (Horspool).
    private let shifts: [UInt16]

    init(_ text: String) {
        octets = Needle.folded(text)
        isASCII = octets.allSatisfy { $0 < 0x80 }
        let farthest = Int(UInt16.max)
        var shifts = [UInt16](repeating: UInt16(min(octets.count, farthest)), count: 256)
        for (index, octet) in octets.dropLast().enumerated() {
            shifts[Int(octet)] = UInt16(min(octets.count - 1 - index, farthest))
        }
        self.shifts = shifts
    }

    /// Lower case by Unicode's rules.
    static func folded(_ text: String) -> [UInt8] {
        text.utf8.allSatisfy { $0 < 0x80 } ? text.utf8.map(lowercased) : Array(text.lowercased().utf8)
    }

    @inline(__always) private static func lowercased(_ octet: UInt8) -> UInt8 {
        octet &- 0x41 < 26 ? octet | 0x20 : octet
    }

    /// Whether the text is in there. Beyond ASCII only if the octets are folded UTF-8.
    func isFound(in haystack: Span<UInt8>) -> Bool {
        guard let last = octets.last else { return true }
        var end = octets.count - 1
        while end < haystack.count {
            let octet = Needle.lowercased(haystack[end])
            if octet == last, isFound(in: haystack, at: end - octets.count + 1) { return true }
            end += Int(shifts[Int(octet)])
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
