import Glibc
import MessageFormat

/// Text to be found, without regard to case (RFC 3501 §6.4.4), as the folded octets of its UTF-8.
struct Needle: Sendable {
    let octets: [UInt8]
    /// ASCII can be looked for in undecoded octets of most character sets.
    let isASCII: Bool
    /// The octet that is looked for first, the rarest: the C library finds one octet many times faster than a loop here
    /// finds several.
    private let pivot: Int

    init(_ text: String) {
        let octets = TextFolding.folded(text)
        self.octets = octets
        isASCII = octets.allSatisfy { $0 < 0x80 }
        pivot = octets.indices.max { Needle.rarity(octets[$0]) < Needle.rarity(octets[$1]) } ?? 0
    }

    /// A rank: how rare a folded octet is in mail. A wrong guess costs time only.
    private static func rarity(_ octet: UInt8) -> Int {
        let common = " etaoinshrdlcumwfgypbvkjxqz".utf8
        guard let rank = common.firstIndex(of: octet) else { return common.count }
        return common.distance(from: common.startIndex, to: rank)
    }

    /// Whether the text is in there. Beyond ASCII only if the octets are folded UTF-8.
    func isFound(in haystack: Span<UInt8>) -> Bool {
        guard !octets.isEmpty else { return true }
        return haystack.withUnsafeBufferPointer(isFound)
    }

    private func isFound(in haystack: UnsafeBufferPointer<UInt8>) -> Bool {
        // Where the pivot can stand.
        let end = haystack.count - (octets.count - 1 - pivot)
        guard let base = haystack.baseAddress, pivot < end else { return false }
        func next(_ octet: UInt8, from start: Int) -> Int {
            guard start < end, let found = memchr(base + start, Int32(octet), end - start) else { return end }
            return UnsafeRawPointer(base).distance(to: UnsafeRawPointer(found))
        }
        let lower = octets[pivot]
        let upper = lower &- 0x61 < 26 ? lower & ~0x20 : lower
        var nextLower = next(lower, from: pivot)
        var nextUpper = upper == lower ? end : next(upper, from: pivot)
        while true {
            let position = min(nextLower, nextUpper)
            guard position < end else { return false }
            if isFound(in: haystack, at: position - pivot) { return true }
            if position == nextLower {
                nextLower = next(lower, from: position + 1)
            } else {
                nextUpper = next(upper, from: position + 1)
            }
        }
    }

    private func isFound(in haystack: UnsafeBufferPointer<UInt8>, at start: Int) -> Bool {
        for index in octets.indices where TextFolding.folded(haystack[start + index]) != octets[index] {
            return false
        }
        return true
    }

    func isFound(in text: String) -> Bool { isFound(in: TextFolding.folded(text).span) }
}
