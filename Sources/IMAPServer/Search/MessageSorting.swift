import Glibc
import IMAPSyntax
import MailStore
import MailVocabulary

/// Puts messages in order (RFC 5256 §3). Each criterion becomes a number for each message; then numbers are sorted.
struct MessageSorting {
    let view: MailboxSnapshot
    let table: ColumnTable
    /// Ascending.
    let positions: [Range<Int>]
    let uids: [UInt32]
    /// By UID; what is not there has none.
    var scores: [UInt32: UInt8] = [:]

    init(_ found: NumberSet, in view: MailboxSnapshot, _ table: ColumnTable) {
        self.view = view
        self.table = table
        positions = found.ranges.map { Int($0.lowerBound) - 1..<Int($0.upperBound) }
        uids = view.uids(at: positions)
    }

    /// Indices of `uids` in the order of the criteria; where they do not decide, in the mailbox's.
    func order(by criteria: [SortCriterion]) -> [UInt32] {
        var order = Array(0..<UInt32(uids.count))
        // The last first: each next one sorts what it finds, and leaves equals as they are.
        for criterion in criteria.reversed() {
            var values = values(criterion.key)
            if criterion.isReverse != (criterion.key == .relevancy), let largest = values.max() {
                for index in values.indices { values[index] = largest - values[index] }
            }
            order = MessageSorting.sorted(order, by: values)
        }
        return order
    }

    /// Stable.
    private static func sorted(_ order: [UInt32], by values: [UInt64]) -> [UInt32] {
        let bits = UInt64(64 - UInt64(max(1, order.count - 1)).leadingZeroBitCount)
        let largest = values.max() ?? 0
        guard largest < 1 << (63 - bits) else {
            // Dates of which no mailbox has as many as it would take.
            return order.enumerated().sorted { a, b in
                let (x, y) = (values[Int(a.element)], values[Int(b.element)])
                return x == y ? a.offset < b.offset : x < y
            }.map(\.element)
        }
        // The value, and behind it the present place: so equals keep their order, and whole numbers are compared.
        var keys = [UInt64](repeating: 0, count: order.count)
        for (place, index) in order.enumerated() { keys[place] = values[Int(index)] << bits | UInt64(place) }
        keys.sort()
        let mask = (UInt64(1) << bits) - 1
        return keys.map { order[Int($0 & mask)] }
    }

    /// One number for each message; a larger one sorts behind.
    private func values(_ key: SortKey) -> [UInt64] {
        switch key {
        case .size: return rowValues { Int64($0.size) }
        case .arrival: return rowValues(\.internalDate.seconds)
        case .date: return MessageSorting.fromLowest(sentMoments())
        case .relevancy: return uids.map { UInt64(scores[$0] ?? 0) }
        case .subject, .from, .to, .cc, .displayFrom, .displayTo:
            return key.column.map { ranks($0).map(UInt64.init) } ?? []
        }
    }

    private func rowValues(_ value: (MessageRow) -> Int64) -> [UInt64] {
        var values: [Int64] = []
        values.reserveCapacity(uids.count)
        for range in positions { view.forEach(in: range) { values.append(value($1)) } }
        return MessageSorting.fromLowest(values)
    }

    private static func fromLowest(_ values: [Int64]) -> [UInt64] {
        let lowest = values.min() ?? 0
        return values.map { UInt64(bitPattern: $0 &- lowest) }
    }

    /// RFC 5256 §2.2: the Date field's moment; INTERNALDATE where there is none.
    func sentMoments() -> [Int64] {
        var moments = [Int64](repeating: DateColumn.none, count: uids.count)
        table.forEach(.sentDate, of: uids) { index, values, row in
            if case .dates(let column) = values { moments[index] = column.moments[row] }
        }
        var index = 0
        for range in positions {
            guard moments[index..<index + range.count].contains(DateColumn.none) else {
                index += range.count
                continue
            }
            view.forEach(in: range) { _, row in
                if moments[index] == DateColumn.none { moments[index] = row.internalDate.seconds }
                index += 1
            }
        }
        return moments
    }

    /// Numbers that order the messages as their texts are ordered, from 0, equal for equal texts. The empty text, which
    /// is also that of a message of which there is nothing, comes first.
    func ranks(_ kind: ColumnKinds) -> [UInt32] {
        var texts = SortableTexts(count: uids.count)
        table.forEach(kind, of: uids) { index, values, row in
            switch values {
            case .texts(let column), .subjects(let column, _): texts.take(index, column.octets, column.range(row))
            case .dates, .threading: break
            }
        }
        return texts.ranks()
    }
}

/// Texts that are compared by octets: the first eight at once, the rest where that does not decide.
private struct SortableTexts {
    private struct Entry {
        var head: UInt64 = 0
        var index: UInt32
        var start: UInt32 = 0
        var length: UInt32 = 0
    }

    private var entries: [Entry]
    /// Of texts longer than eight octets, what is behind.
    private var tails: [UInt8] = []

    init(count: Int) { entries = (0..<UInt32(count)).map { Entry(index: $0) } }

    mutating func take(_ index: Int, _ octets: [UInt8], _ range: Range<Int>) {
        var head: UInt64 = 0
        for offset in 0..<min(8, range.count) {
            head |= UInt64(octets[range.lowerBound + offset]) << UInt64(56 - 8 * offset)
        }
        entries[index].head = head
        guard range.count > 8 else { return }
        entries[index].start = UInt32(tails.count)
        entries[index].length = UInt32(range.count - 8)
        tails.append(contentsOf: octets[range.dropFirst(8)])
    }

    func ranks() -> [UInt32] {
        tails.withUnsafeBytes { tails in
            func compare(_ a: Entry, _ b: Entry) -> Int32 {
                guard a.head == b.head else { return a.head < b.head ? -1 : 1 }
                let common = Int(min(a.length, b.length))
                if common > 0, let base = tails.baseAddress {
                    let order = memcmp(base + Int(a.start), base + Int(b.start), common)
                    if order != 0 { return order }
                }
                return a.length == b.length ? 0 : a.length < b.length ? -1 : 1
            }
            let sorted = entries.sorted { compare($0, $1) < 0 }
            var ranks = [UInt32](repeating: 0, count: sorted.count)
            var rank: UInt32 = 0
            for (place, entry) in sorted.enumerated() {
                if place > 0, compare(sorted[place - 1], entry) != 0 { rank += 1 }
                ranks[Int(entry.index)] = rank
            }
            return ranks
        }
    }
}
