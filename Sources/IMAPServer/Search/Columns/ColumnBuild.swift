import MailStore
import MailVocabulary
import MessageFormat

/// Reads the summaries of some messages and makes segments of columns of them, as far as time allows.
struct ColumnBuild: Sendable {
    /// Messages of one segment: few hundred kilobytes, so that no offset is near the end of its type.
    static let rowsPerSegment = 1 << 16
    /// Octets of text after which a segment ends before that: a subject may have 64 KiB.
    private static let octetsPerSegment = 64 << 20
    /// Messages of one read of summaries, and their octets, after which no more are read.
    private static let batch = 2000
    private static let summaryOctets = 1 << 20

    let kinds: ColumnKinds
    /// The last UID of those to be read.
    let through: UInt32
    let total: Int
    private var rest: ArraySlice<(uid: UInt32, body: BodyID)>
    private(set) var segments: [ColumnKinds: [ColumnSegment]] = [:]
    /// UIDs of messages that are damaged.
    private(set) var unreadable: [UInt32] = []

    private var uids: [UInt32] = []
    private var open: [(kind: ColumnKinds, values: ColumnValues)]

    /// - Parameters:
    ///   - rows: of a view, ascending.
    ///   - table: what is to be continued.
    init(_ kinds: ColumnKinds, of rows: [(uid: UInt32, body: BodyID)], continuing table: ColumnTable = ColumnTable()) {
        self.kinds = kinds
        rest = rows[...]
        total = rows.count
        through = rows.last?.uid ?? 0
        open = kinds.each.map { kind in
            (kind, table.columns[kind]?.segments.last?.values.emptied ?? ColumnValues(kind))
        }
    }

    /// What the table needs to have these kinds of all messages of a view; nil when it has them. When all summaries have
    /// to be read, what is likely to be asked for next is made of them too.
    init?(completing table: ColumnTable, _ kinds: ColumnKinds, in view: MailboxSnapshot) {
        guard let (missing, after) = table.missing(kinds, in: view) else { return nil }
        var kinds = missing
        if after == 0, view.count >= ColumnCache.leastMessages { kinds.formUnion(.usual.subtracting(table.kinds)) }
        self.init(kinds, of: view.bodies(after: after), continuing: table)
    }

    var done: Int { total - rest.count }

    /// True when all is read.
    mutating func advance(_ store: any MailStore, until deadline: ContinuousClock.Instant?) async throws -> Bool {
        while !rest.isEmpty {
            try Task.checkCancellation()
            let batch = rest.prefix(Self.batch)
            let summaries = try await read(batch.map(\.body), store)
            for ((uid, _), summary) in zip(batch, summaries) { take(uid, summary) }
            // At least one came, unless the store breaks its word.
            rest = rest.dropFirst(max(1, summaries.count))
            if uids.count >= Self.rowsPerSegment || openOctets >= Self.octetsPerSegment { endSegments() }
            if let deadline, !rest.isEmpty, ContinuousClock.now >= deadline { return false }
        }
        endSegments()
        return true
    }

    private mutating func take(_ uid: UInt32, _ summary: SummaryRead) {
        guard case .found(let bytes) = summary, let envelope = EncodedEnvelope(encodedSummary: bytes.span) else {
            if case .gone = summary { return }
            unreadable.append(uid)
            return
        }
        uids.append(uid)
        for index in open.indices { open[index].values.append(open[index].kind, of: envelope) }
    }

    private var openOctets: Int { open.reduce(0) { $0 + $1.values.octets } }

    private mutating func endSegments() {
        for index in open.indices {
            let (kind, values) = open[index]
            segments[kind, default: []].append(ColumnSegment(uids: uids, values: values))
            open[index].values = values.emptied
        }
        uids = []
    }

    private enum SummaryRead {
        case found([UInt8])
        case gone
        case damaged
    }

    private func read(_ bodies: [BodyID], _ store: any MailStore) async throws -> [SummaryRead] {
        do {
            let summaries = try await store.summaries(bodies, upTo: Self.summaryOctets).arrays
            return summaries.map { summary in summary.map { .found($0) } ?? .gone }
        } catch StoreError.damaged {
            // One by one: what is damaged of one message is no other's loss.
            var (read, octets): ([SummaryRead], Int) = ([], 0)
            for body in bodies where octets < Self.summaryOctets {
                do {
                    let summary = try await store.summaries([body]).first ?? nil
                    octets += summary?.count ?? 0
                    read.append(summary.map { .found($0) } ?? .gone)
                } catch StoreError.damaged {
                    read.append(.damaged)
                }
            }
            return read
        }
    }
}
