import Glibc
import MailVocabulary
import MessageFormat

/// One value for each of some messages.
enum ColumnValues: Sendable {
    case dates(DateColumn)
    case texts(TextColumn)
    case subjects(TextColumn, isReply: [Bool])
    case threading(ThreadingColumn)

    init(_ kind: ColumnKinds) {
        self =
            switch kind {
            case .sentDate: .dates(DateColumn())
            case .baseSubject: .subjects(TextColumn(), isReply: [])
            case .threading: .threading(ThreadingColumn(hash: KeyedHash()))
            case _: .texts(TextColumn())
            }
    }

    /// Without values, for more of the same column.
    var emptied: ColumnValues {
        switch self {
        case .dates: .dates(DateColumn())
        case .texts: .texts(TextColumn())
        case .subjects: .subjects(TextColumn(), isReply: [])
        case .threading(let column): .threading(ThreadingColumn(hash: column.hash))
        }
    }

    /// Octets of memory.
    var octets: Int {
        switch self {
        case .dates(let column): column.moments.count * 12
        case .texts(let column): column.memory
        case .subjects(let column, let isReply): column.memory + isReply.count
        case .threading(let column): column.ids.count * 8 + column.ends.count * 4
        }
    }

    /// Adds the value of one more message.
    mutating func append(_ kind: ColumnKinds, of envelope: borrowing EncodedEnvelope) {
        switch self {
        case .dates(var column):
            self = .dates(DateColumn())
            column.append(envelope)
            self = .dates(column)
        case .texts(var column):
            self = .texts(TextColumn())
            column.append(kind, of: envelope)
            self = .texts(column)
        case .subjects(var column, var isReply):
            self = .texts(TextColumn())
            let base = envelope.subject.map { BaseSubject(envelope.bytes.extracting($0)) }
            if let base { appendSortKey(base.text.span, to: &column.octets) }
            column.end()
            isReply.append(base?.isReplyOrForward ?? false)
            self = .subjects(column, isReply: isReply)
        case .threading(var column):
            self = .dates(DateColumn())
            column.append(envelope)
            self = .threading(column)
        }
    }

    /// Adds some values of another that holds the same of other messages.
    mutating func append(_ rows: Range<Int>, of other: ColumnValues) {
        switch (self, other) {
        case (.dates(var column), .dates(let more)):
            self = .dates(DateColumn())
            column.append(rows, of: more)
            self = .dates(column)
        case (.texts(var column), .texts(let more)):
            self = .dates(DateColumn())
            column.append(rows, of: more)
            self = .texts(column)
        case (.subjects(var column, var isReply), .subjects(let more, let isMoreReply)):
            self = .dates(DateColumn())
            column.append(rows, of: more)
            isReply += isMoreReply[rows]
            self = .subjects(column, isReply: isReply)
        case (.threading(var column), .threading(let more)):
            self = .dates(DateColumn())
            column.append(rows, of: more)
            self = .threading(column)
        case _: break
        }
    }
}

/// The Date field's moment, in seconds since 1970, and its writer's day.
struct DateColumn: Sendable {
    /// For a message whose Date field is missing or none.
    static let none = Int64.min

    private(set) var moments: [Int64] = []
    private(set) var days: [Int32] = []

    init(moments: [Int64] = [], days: [Int32] = []) { (self.moments, self.days) = (moments, days) }

    fileprivate mutating func append(_ rows: Range<Int>, of other: DateColumn) {
        moments += other.moments[rows]
        days += other.days[rows]
    }

    fileprivate mutating func append(_ envelope: borrowing EncodedEnvelope) {
        let date = envelope.date.flatMap { Timestamp(messageDate: envelope.bytes.extracting($0)) }
        moments.append(date?.seconds ?? Self.none)
        // Years have four digits: the day's number fits.
        days.append(date.map { Int32(truncatingIfNeeded: $0.dayOfWriting) } ?? .min)
    }
}

/// Texts one behind the other, a NUL behind each: a search goes over all of them at once, and finds nothing that
/// stands in two.
struct TextColumn: Sendable {
    fileprivate(set) var octets: [UInt8] = []
    /// Behind each text's NUL.
    private(set) var ends: [UInt32] = []

    init() {}

    /// Nil when these are not texts and where they end.
    init?(octets: [UInt8], ends: [UInt32]) {
        guard TextColumn.areEnds(ends, in: octets) else { return nil }
        (self.octets, self.ends) = (octets, ends)
    }

    private static func areEnds(_ ends: [UInt32], in octets: [UInt8]) -> Bool {
        octets.withUnsafeBufferPointer { octets in
            var last = 0
            for end in ends {
                guard Int(end) > last, Int(end) <= octets.count, octets[Int(end) - 1] == 0 else { return false }
                last = Int(end)
            }
            return last == octets.count
        }
    }

    fileprivate var memory: Int { octets.count + ends.count * 4 }

    /// Where a text is.
    func range(_ row: Int) -> Range<Int> { (row == 0 ? 0 : Int(ends[row - 1]))..<Int(ends[row]) - 1 }

    fileprivate mutating func end() {
        octets.append(0)
        ends.append(UInt32(octets.count))
    }

    fileprivate mutating func append(_ rows: Range<Int>, of other: TextColumn) {
        guard let last = rows.last else { return }
        let taken = other.range(rows.lowerBound).lowerBound..<Int(other.ends[last])
        let (base, start) = (UInt32(octets.count), UInt32(taken.lowerBound))
        octets += other.octets[taken]
        ends += other.ends[rows].lazy.map { $0 - start + base }
    }

    /// The rows in whose texts the octets stand, ascending. The needle is not empty and holds no NUL.
    func rows(containing needle: Needle) -> [Int] {
        var rows: [Int] = []
        octets.withUnsafeBytes { octets in
            var (position, row) = (0, 0)
            while let hit = needle.position(inFolded: octets, from: position) {
                row = TextColumn.row(holding: UInt32(hit), in: ends, from: row)
                rows.append(row)
                position = Int(ends[row])
                row += 1
            }
        }
        return rows
    }

    /// The first row that ends behind the offset. Hits are near each other or far: steps that double find both.
    private static func row(holding offset: UInt32, in ends: [UInt32], from start: Int) -> Int {
        var (low, step) = (start, 1)
        while low + step < ends.count, ends[low + step] <= offset {
            low += step
            step *= 2
        }
        var high = min(low + step, ends.count - 1)
        while low < high {
            let middle = (low + high) / 2
            if ends[middle] <= offset { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

// What stands in a text column.
extension TextColumn {
    fileprivate mutating func append(_ kind: ColumnKinds, of envelope: borrowing EncodedEnvelope) {
        switch kind {
        case .subject:
            if let subject = envelope.subject { add(envelope.bytes.extracting(subject)) }
        case .from: addAddresses(envelope.from, of: envelope)
        case .to: addAddresses(envelope.to, of: envelope)
        case .cc: addAddresses(envelope.cc, of: envelope)
        case .bcc: addAddresses(envelope.bcc, of: envelope)
        case .fromMailbox: addMailbox(envelope.from, of: envelope)
        case .toMailbox: addMailbox(envelope.to, of: envelope)
        case .ccMailbox: addMailbox(envelope.cc, of: envelope)
        case .displayFrom: addDisplayName(envelope.from, of: envelope)
        case .displayTo: addDisplayName(envelope.to, of: envelope)
        case _: break
        }
        end()
    }

    private mutating func add(_ value: Span<UInt8>) {
        guard value.holdsEncodedWord || value.holdsNonASCII else { return appendCasemapped(value, to: &octets) }
        let text = headerText(value)
        appendCasemapped(text.span, to: &octets)
    }

    private mutating func addSortKey(_ value: Span<UInt8>) {
        guard value.holdsEncodedWord || value.holdsNonASCII else { return appendCasemapped(value, to: &octets) }
        let text = headerText(value)
        appendSortKey(text.span, to: &octets)
    }

    private mutating func addAddresses(_ list: EncodedAddressList, of envelope: borrowing EncodedEnvelope) {
        guard list.count > 0 else { return }
        let text = envelope.searchedText(of: list)
        add(text.span)
    }

    private mutating func addMailbox(_ list: EncodedAddressList, of envelope: borrowing EncodedEnvelope) {
        var members = envelope.members(list)
        if let mailbox = members.next()?.mailbox { appendCasemapped(envelope.bytes.extracting(mailbox), to: &octets) }
    }

    /// RFC 5957 §3: the name; or the address; or as much of it as there is.
    private mutating func addDisplayName(_ list: EncodedAddressList, of envelope: borrowing EncodedEnvelope) {
        var members = envelope.members(list)
        guard let address = members.next() else { return }
        let before = octets.count
        if let name = address.name { addSortKey(envelope.bytes.extracting(name)) }
        guard octets.count == before, let mailbox = address.mailbox else { return }
        appendCasemapped(envelope.bytes.extracting(mailbox), to: &octets)
        guard let host = address.host else { return }
        octets.append(UInt8(ascii: "@"))
        appendCasemapped(envelope.bytes.extracting(host), to: &octets)
    }
}

/// For each message its own identifier's hash, 0 when it has none, then those of its ancestors, oldest first
/// (RFC 5256 §3, REFERENCES).
struct ThreadingColumn: Sendable {
    let hash: KeyedHash
    private(set) var ids: [UInt64] = []
    private(set) var ends: [UInt32] = []

    init(hash: KeyedHash) { self.hash = hash }

    /// Nil when these are not lists of at least one and where they end.
    init?(hash: KeyedHash, ids: [UInt64], ends: [UInt32]) {
        var last: UInt32 = 0
        for end in ends {
            guard end > last else { return nil }
            last = end
        }
        guard Int(last) == ids.count else { return nil }
        (self.hash, self.ids, self.ends) = (hash, ids, ends)
    }

    func range(_ row: Int) -> Range<Int> { (row == 0 ? 0 : Int(ends[row - 1]))..<Int(ends[row]) }

    fileprivate mutating func append(_ envelope: borrowing EncodedEnvelope) {
        let own = envelope.messageID.flatMap { messageIDs(in: envelope.bytes.extracting($0), limit: 1).first }
        ids.append(own.map { hashed($0.span) } ?? 0)
        if !envelope.references.isEmpty {
            for reference in envelope.references { ids.append(hashed(envelope.bytes.extracting(reference))) }
        } else if let reply = envelope.inReplyTo,
            let parent = messageIDs(in: envelope.bytes.extracting(reply)).first
        {
            ids.append(hashed(parent.span))
        }
        ends.append(UInt32(ids.count))
    }

    /// Of another with the same key.
    fileprivate mutating func append(_ rows: Range<Int>, of other: ThreadingColumn) {
        guard let last = rows.last else { return }
        let taken = other.range(rows.lowerBound).lowerBound..<Int(other.ends[last])
        let (base, start) = (UInt32(ids.count), UInt32(taken.lowerBound))
        ids += other.ids[taken]
        ends += other.ends[rows].lazy.map { $0 - start + base }
    }

    /// Never 0.
    private func hashed(_ id: Span<UInt8>) -> UInt64 { hash(id) | 1 }
}
