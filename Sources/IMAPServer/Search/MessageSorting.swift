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
            StableSorting.sort(&order, by: values)
        }
        return order
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
        table.forEachSegment(.sentDate, of: uids) { values, runs in
            guard case .dates(let column) = values else { return }
            for run in runs {
                for offset in 0..<run.count { moments[run.index + offset] = column.moments[run.row + offset] }
            }
        }
        guard moments.contains(DateColumn.none) else { return moments }
        var index = 0
        for position in positions.joined() {
            if moments[index] == DateColumn.none { moments[index] = view[position].internalDate.seconds }
            index += 1
        }
        return moments
    }

    /// Numbers that order the messages as their texts are ordered, from 0, equal for equal texts. The empty text, which
    /// is also that of a message of which there is nothing, comes first.
    func ranks(_ kind: ColumnKinds) -> [UInt32] {
        var texts = SortableTexts(count: uids.count)
        table.forEachSegment(kind, of: uids) { values, runs in
            switch values {
            case .texts(let column), .subjects(let column, _): for run in runs { texts.take(run, of: column) }
            case .dates, .threading: break
            }
        }
        return texts.ranks()
    }
}
