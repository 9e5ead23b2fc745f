import MailVocabulary
import WireFraming

// sequence-set = (seq-number / seq-range) ["," sequence-set] / seq-last-command
// seq-range    = seq-number ":" seq-number
// seq-number   = nz-number / "*"          RFC 9051 §9
extension CommandParser {
    mutating func sequenceSet() throws(SyntaxError) -> SequenceSet {
        if cursor.take(UInt8(ascii: "$")) { return .saved }
        var ranges: [SequenceRange] = []
        repeat {
            let first = try sequenceNumber()
            let last = cursor.take(UInt8(ascii: ":")) ? try sequenceNumber() : first
            ranges.append(SequenceRange(first, last))
        } while cursor.take(UInt8(ascii: ","))
        return .ranges(ranges)
    }

    private mutating func sequenceNumber() throws(SyntaxError) -> UInt32? {
        cursor.take(UInt8(ascii: "*")) ? nil : try nonzero("a message number or *")
    }

    /// A set without `*` and `$` (RFC 7162 §7, `known-uids`).
    mutating func numberSet() throws(SyntaxError) -> NumberSet {
        let set = try sequenceSet()
        guard set != .saved, !set.hasWildcard else { throw SyntaxError("* and $ have no place here") }
        return set.resolved(largest: 0)
    }
}
