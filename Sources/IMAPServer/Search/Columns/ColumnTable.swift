import MailStore
import MailVocabulary

/// The values of one kind of some of a mailbox's messages, ascending by UID; never changed.
final class ColumnSegment: Sendable {
    let uids: [UInt32]
    let values: ColumnValues
    let octets: Int

    init(uids: [UInt32], values: ColumnValues) {
        self.uids = uids
        self.values = values
        octets = values.octets + uids.count * 4
    }

    fileprivate func merged(with next: ColumnSegment) -> ColumnSegment {
        var values = values
        values.append(0..<next.uids.count, of: next.values)
        return ColumnSegment(uids: uids + next.uids, values: values)
    }
}

/// The values of one kind of all messages of a mailbox up to some UID. New messages make new segments: nothing is
/// copied for them, and small ones are put together.
struct Column: Sendable {
    private(set) var segments: [ColumnSegment] = []
    /// Messages up to this UID have been read.
    private(set) var coveredThrough: UInt32 = 0
    /// Of whom there are values: of the others there was nothing to be read.
    private(set) var uids = NumberSet()
    private(set) var octets = 0
    private(set) var count = 0

    /// Rows of the smaller of two neighbours up to which they are put together.
    private static let smallSegment = 2048

    mutating func append(_ new: [ColumnSegment], through uid: UInt32) {
        coveredThrough = uid
        for segment in new where !segment.uids.isEmpty {
            octets += segment.octets
            count += segment.uids.count
            note(segment.uids)
            if let last = segments.last, min(last.uids.count, segment.uids.count) <= Self.smallSegment,
                last.uids.count + segment.uids.count <= ColumnBuild.rowsPerSegment
            {
                segments[segments.count - 1] = last.merged(with: segment)
            } else {
                segments.append(segment)
            }
        }
    }
}

extension Column {
    /// The values of those messages that a view has, in one segment. Nil when there are none, or when the view has one
    /// of which there was nothing to be read: it may be mended.
    func segment(in view: MailboxSnapshot) -> ColumnSegment? {
        let last = coveredThrough == .max ? view.count : view.firstPosition(atOrAfter: coveredThrough + 1)
        let wanted = view.uids(at: [0..<last])
        guard var values = segments.first?.values.emptied else { return nil }
        var index = 0
        for segment in segments {
            var row = 0
            while row < segment.uids.count, index < wanted.count {
                let start = row
                while row < segment.uids.count, index < wanted.count, segment.uids[row] == wanted[index] {
                    row += 1
                    index += 1
                }
                values.append(start..<row, of: segment.values)
                while row < segment.uids.count, index < wanted.count, segment.uids[row] < wanted[index] { row += 1 }
                guard row < segment.uids.count, index < wanted.count, segment.uids[row] > wanted[index] else {
                    continue
                }
                return nil
            }
        }
        return index == wanted.count && index > 0 ? ColumnSegment(uids: wanted, values: values) : nil
    }

    /// How many of the messages have gone from a view since they were read.
    func goneCount(from view: MailboxSnapshot) -> Int {
        let last = coveredThrough == .max ? view.count : view.firstPosition(atOrAfter: coveredThrough + 1)
        return max(0, count - last)
    }

    fileprivate mutating func note(_ new: [UInt32]) {
        guard let first = new.first, let last = new.last else { return }
        if Int(last - first) == new.count - 1 { return uids.appendAscending(first...last) }
        for uid in new { uids.appendAscending(uid) }
    }
}

/// Columns of one mailbox, as far as a run needs them.
struct ColumnTable: Sendable {
    private(set) var columns: [ColumnKinds: Column] = [:]
    /// UIDs of messages that were damaged when they were read.
    private(set) var unreadable = NumberSet()

    var kinds: ColumnKinds { columns.keys.reduce(into: []) { $0.formUnion($1) } }
    var octets: Int { columns.values.reduce(0) { $0 + $1.octets } }
    var rowCount: Int { columns.values.map(\.count).max() ?? 0 }

    /// Those kinds of which least is there, and up to which UID they are; nil when all cover the view.
    func missing(_ kinds: ColumnKinds, in view: MailboxSnapshot) -> (kinds: ColumnKinds, after: UInt32)? {
        guard !view.isEmpty else { return nil }
        let last = view[view.count - 1].uid.value
        var (missing, after): (ColumnKinds, UInt32) = ([], last)
        for kind in kinds.each {
            let covered = columns[kind]?.coveredThrough ?? 0
            if covered < after { (missing, after) = (kind, covered) } else if covered == after { missing.insert(kind) }
        }
        return after < last ? (missing, after) : nil
    }

    /// Takes in what was read of the messages up to a UID.
    mutating func adopt(_ build: ColumnBuild, through uid: UInt32) {
        for (kind, segments) in build.segments { columns[kind, default: Column()].append(segments, through: uid) }
        if !build.unreadable.isEmpty { unreadable = unreadable.union(NumberSet(numbers: build.unreadable)) }
    }

    /// Takes in a column of which there was nothing.
    mutating func adopt(_ column: Column, _ kind: ColumnKinds) {
        if columns[kind] == nil { columns[kind] = column }
    }

    /// Takes over columns that cover more.
    mutating func merge(_ other: ColumnTable) {
        for (kind, column) in other.columns where column.coveredThrough > columns[kind]?.coveredThrough ?? 0 {
            columns[kind] = column
        }
        unreadable = unreadable.union(other.unreadable)
    }

    /// Goes over the values of those messages that are in a list of ascending UIDs, a segment at a time.
    /// - Parameter visit: given a segment's values, and where they stand in the list.
    func forEachSegment(_ kind: ColumnKinds, of uids: [UInt32], _ visit: (ColumnValues, [ColumnRun]) -> Void) {
        var index = 0
        for segment in columns[kind]?.segments ?? [] {
            let runs = ColumnRun.runs(of: segment.uids, in: uids, from: &index)
            if !runs.isEmpty { visit(segment.values, runs) }
        }
    }
}

/// Rows of a segment that stand in a list of messages one behind the other.
struct ColumnRun: Sendable {
    /// Of the first, in the list.
    var index: Int
    var row: Int
    var count: Int

    /// Both ascending. Mostly what is wanted is what is there.
    fileprivate static func runs(of rows: [UInt32], in wanted: [UInt32], from index: inout Int) -> [ColumnRun] {
        var runs: [ColumnRun] = []
        var (row, next) = (0, index)
        rows.withUnsafeBufferPointer { rows in
            wanted.withUnsafeBufferPointer { wanted in
                while row < rows.count, next < wanted.count {
                    if rows[row] < wanted[next] {
                        row += 1
                    } else if rows[row] > wanted[next] {
                        next += 1
                    } else {
                        let first = row
                        while row < rows.count, next < wanted.count, rows[row] == wanted[next] {
                            row += 1
                            next += 1
                        }
                        runs.append(ColumnRun(index: next - (row - first), row: first, count: row - first))
                    }
                }
            }
        }
        index = next
        return runs
    }
}

// Searching.
extension ColumnTable {
    /// UIDs of messages of which there is a value of each of these kinds.
    func uids(with kinds: ColumnKinds) -> NumberSet {
        let known = kinds.each.map { columns[$0]?.uids ?? NumberSet() }
        return known.dropFirst().reduce(known.first ?? NumberSet()) { $0.intersection($1) }
    }

    /// UIDs of messages in whose text the mapped octets stand.
    func uids(_ kind: ColumnKinds, containing needle: Needle) -> NumberSet {
        var found = NumberSet()
        for segment in columns[kind]?.segments ?? [] {
            guard case .texts(let column) = segment.values else { continue }
            for row in column.rows(containing: needle) { found.appendAscending(segment.uids[row]) }
        }
        return found
    }

    /// UIDs of messages whose writer's day is as wanted.
    func uids(sent isWanted: (Int64) -> Bool) -> NumberSet {
        var found = NumberSet()
        for segment in columns[.sentDate]?.segments ?? [] {
            guard case .dates(let column) = segment.values else { continue }
            for (row, day) in column.days.enumerated() where day != .min && isWanted(Int64(day)) {
                found.appendAscending(segment.uids[row])
            }
        }
        return found
    }
}
