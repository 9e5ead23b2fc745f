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
    /// As columns have it.
    let mapped: MappedNeedle

    init(_ text: String) {
        let octets = TextFolding.folded(text)
        self.octets = octets
        mapped = MappedNeedle(text)
        isASCII = octets.allSatisfy { $0 < 0x80 }
        pivot = octets.indices.max { Needle.rarity(octets[$0]) < Needle.rarity(octets[$1]) } ?? 0
    }

    /// A rank: how rare a folded octet is in mail. A wrong guess costs time only.
    fileprivate static func rarity(_ octet: UInt8) -> Int {
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

/// Text to be found in text that is mapped by i;unicode-casemap (RFC 5051).
struct MappedNeedle: Sendable {
    private let octets: [UInt8]
    /// The rarest octet.
    private let pivot: Int

    init(_ text: String) {
        let octets = casemapped(text)
        func rarity(_ index: Int) -> Int {
            Needle.rarity(octets[index] &- 0x41 < 26 ? octets[index] | 0x20 : octets[index])
        }
        self.octets = octets
        pivot = octets.indices.max { rarity($0) < rarity($1) } ?? 0
    }

    /// The first place at or behind `start` where it stands.
    func position(in haystack: UnsafeRawBufferPointer, from start: Int) -> Int? {
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
}
