import MailStore
import MailVocabulary
import WireFraming

/// Writes rows of which the index alone tells everything: a client that looks at a large mailbox asks for a hundred
/// thousand of them. All texts are laid out once, one behind the other; for each row octets are only put in place.
struct RowPainter: Sendable {
    private enum Value {
        case uid, size, modSeq, flags
    }

    private let texts: [UInt8]
    /// Ranges of `texts`: what stands before each value.
    private let values: [(label: Range<Int>, value: Value)]
    private let systemFlags: [Range<Int>]
    private let keywords: [Range<Int>]
    private let recentFlag: Range<Int>
    private let recent: NumberSet
    /// Octets of one row at most.
    let longest: Int

    /// Nil for what takes more than this.
    ///
    /// - Parameters:
    ///   - systemFlags: the text of each combination.
    ///   - recent: UIDs.
    init?(_ plan: FetchPlan, keywords: [[UInt8]], systemFlags: [[UInt8]], recent: NumberSet) {
        guard !plan.enabled.contains(.uidOnly) else { return nil }
        var texts: [UInt8] = []
        func lay(_ text: [UInt8]) -> Range<Int> {
            texts += text
            return texts.count - text.count..<texts.count
        }
        var values: [(Range<Int>, Value)] = []
        for item in plan.items {
            guard let value = Self.value(of: item.kind) else { return nil }
            values.append((lay(item.label), value))
        }
        let labels = texts.count
        self.values = values
        self.systemFlags = systemFlags.map(lay)
        self.keywords = keywords.map(lay)
        recentFlag = lay(Array("\\Recent".utf8))
        self.recent = recent
        self.texts = texts
        let flags = (systemFlags.map(\.count).max() ?? 0) + keywords.reduce(0) { $0 + $1.count + 1 } + 9
        // A number has twenty digits at most, and is followed by a parenthesis.
        longest = labels + flags + (values.count + 1) * 21 + 8
    }

    private static func value(of kind: FetchPlan.Kind) -> Value? {
        switch kind {
        case .flags: .flags
        case .uid: .uid
        case .size: .size
        case .modSeq: .modSeq
        case _: nil
        }
    }

    /// - Parameter positions: few enough that so many of the longest rows may stand in memory.
    func write(_ positions: Range<Int>, of view: MailboxSnapshot, _ output: inout OutputBuffer) {
        output.append(upTo: positions.count * longest) { room in
            texts.withUnsafeBufferPointer { texts in
                var brush = Brush(room: room, texts: texts)
                view.forEach(in: positions) { position, row in
                    brush.put(UInt8(ascii: "*"))
                    brush.put(UInt8(ascii: " "))
                    brush.put(decimal: UInt64(position + 1))
                    for (label, value) in values {
                        brush.put(label)
                        put(value, of: row, &brush)
                    }
                    brush.put(UInt8(ascii: ")"))
                    brush.put(0x0D)
                    brush.put(0x0A)
                }
                return brush.end
            }
        }
    }

    private func put(_ value: Value, of row: MessageRow, _ brush: inout Brush) {
        switch value {
        case .uid: brush.put(decimal: UInt64(row.uid.value))
        case .size: brush.put(decimal: UInt64(row.size))
        case .modSeq:
            brush.put(decimal: row.modSeq.value)
            brush.put(UInt8(ascii: ")"))
        case .flags: putFlags(of: row, &brush)
        }
    }

    private func putFlags(of row: MessageRow, _ brush: inout Brush) {
        let bits = row.flags.rawValue
        let start = brush.end
        brush.put(systemFlags[Int(truncatingIfNeeded: bits & FetchWriter.systemFlagBits)])
        if bits >> UInt64(FlagBits.firstKeywordBit) != 0 {
            for (number, keyword) in keywords.enumerated()
            where bits & KeywordTable.bit(number: number).rawValue != 0 {
                if brush.end > start { brush.put(UInt8(ascii: " ")) }
                brush.put(keyword)
            }
        }
        if !recent.isEmpty, recent.contains(row.uid.value) {
            if brush.end > start { brush.put(UInt8(ascii: " ")) }
            brush.put(recentFlag)
        }
        brush.put(UInt8(ascii: ")"))
    }
}

/// Puts octets one behind the other. Every one is checked against the room there is.
private struct Brush {
    let room: UnsafeMutableBufferPointer<UInt8>
    let texts: UnsafeBufferPointer<UInt8>
    var end = 0

    @inline(__always)
    mutating func put(_ byte: UInt8) {
        guard end < room.count else { return }
        room[end] = byte
        end += 1
    }

    @inline(__always)
    mutating func put(_ range: Range<Int>) {
        guard room.count - end >= range.count, range.upperBound <= texts.count else { return }
        for offset in 0..<range.count { room[end + offset] = texts[range.lowerBound + offset] }
        end += range.count
    }

    @inline(__always)
    mutating func put(decimal number: UInt64) {
        var digits = 1
        var bound: UInt64 = 10
        while number >= bound, digits < 20 {
            digits += 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            bound = overflow ? .max : next
        }
        guard room.count - end >= digits else { return }
        var rest = number
        for position in stride(from: end + digits - 1, through: end, by: -1) {
            room[position] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        end += digits
    }
}
