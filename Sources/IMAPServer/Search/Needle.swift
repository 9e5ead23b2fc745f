import Glibc
import MessageFormat

/// Text to be found, without regard to case (RFC 3501 §6.4.4, RFC 5255 §4.2), as the folded octets of its UTF-8.
struct Needle: Sendable {
    let octets: [UInt8]
    /// ASCII can be looked for in undecoded octets of most character sets: what is found there is there.
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
        let common = " ETAOINSHRDLCUMWFGYPBVKJXQZ".utf8
        guard let rank = common.firstIndex(of: octet) else { return common.count }
        return common.distance(from: common.startIndex, to: rank)
    }

    /// The first place at or behind `start` where it stands in folded UTF-8.
    func position(inFolded haystack: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = haystack.baseAddress, !octets.isEmpty else { return nil }
        let end = haystack.count - (octets.count - 1 - pivot)
        var next = start + pivot
        while next < end, let hit = memchr(base + next, Int32(octets[pivot]), end - next) {
            next = base.distance(to: UnsafeRawPointer(hit))
            if memcmp(base + (next - pivot), octets, octets.count) == 0 { return next - pivot }
            next += 1
        }
        return nil
    }

    /// Whether the text, which is ASCII, is in octets that are not folded. An `é` has no E in it there.
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
        let upper = octets[pivot]
        let lower = upper &- 0x41 < 26 ? upper | 0x20 : upper
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

    /// In text as it is compared: there, case is no more. (What is left of it, the "a" that `ª` becomes, differs.)
    func isFound(in text: String) -> Bool {
        octets.isEmpty || TextFolding.folded(text).withUnsafeBytes { position(inFolded: $0, from: 0) } != nil
    }
}
