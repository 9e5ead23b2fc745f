import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

/// Writes `* n FETCH (…)` for rows of a view.
package struct FetchWriter: Sendable {
    let plan: FetchPlan
    let view: MailboxSnapshot
    let recent: NumberSet
    /// UIDs whose answers carry FLAGS though they were not asked for: reading them set `\Seen`.
    var newlySeen = NumberSet()
    private let keywords: [[UInt8]]
    /// For what the index alone tells.
    private let painter: RowPainter?

    init(plan: FetchPlan, mailbox: SelectedMailbox) {
        self.plan = plan
        view = mailbox.view
        recent = mailbox.recent
        keywords = mailbox.view.keywords.keywords.map { Array($0.name.utf8) }
        painter = RowPainter(
            plan, keywords: keywords, systemFlags: Self.systemFlags, recent: recent)
    }

    /// Rows that are written between two looks at how much was: their flags may be long.
    var rowsPerPiece: Int {
        let longest = painter?.longest ?? 128 + keywords.reduce(0) { $0 + $1.count + 1 }
        return max(1, min(256, 16 * 1024 / longest))
    }

    /// Rows by what the index knows.
    func write(_ positions: Range<Int>, _ output: inout OutputBuffer) {
        if let painter, newlySeen.isEmpty { return painter.write(positions, of: view, &output) }
        view.forEach(in: positions) { position, row in
            begin(position, row, &output)
            for item in plan.items { write(item, row, &output) }
            end(row, &output)
        }
    }

    func begin(_ position: Int, _ row: MessageRow, _ output: inout OutputBuffer) {
        output.append("* " as StaticString)
        if plan.enabled.contains(.uidOnly) {
            output.append(decimal: row.uid.value)
        } else {
            output.append(decimal: position + 1)
        }
    }

    func end(_ row: MessageRow, _ output: inout OutputBuffer) {
        if !newlySeen.isEmpty, newlySeen.contains(row.uid.value) { writeSeen(row, &output) }
        output.append(")\r\n")
    }

    /// What of a message that was not read before is told besides what was asked for (RFC 3501 §6.4.5, RFC 7162
    /// §3.2.4).
    private func writeSeen(_ row: MessageRow, _ output: inout OutputBuffer) {
        if !plan.tells(.flags) {
            output.append(" FLAGS (")
            writeFlags(row, &output)
        }
        guard plan.enabled.contains(.condstore) else { return }
        if !plan.tells(.uid), !plan.enabled.contains(.uidOnly) {
            output.append(" UID ")
            output.append(decimal: row.uid.value)
        }
        if !plan.tells(.modSeq) {
            output.append(" MODSEQ (")
            output.append(decimal: row.modSeq.value)
            output.append(UInt8(ascii: ")"))
        }
    }

    /// An item of the index; of others false, and nothing is written.
    @discardableResult
    func write(_ item: FetchPlan.Item, _ row: MessageRow, _ output: inout OutputBuffer) -> Bool {
        switch item.kind {
        case .flags:
            output.append(item.label)
            writeFlags(row, &output)
        case .modSeq:
            output.append(item.label)
            output.append(decimal: row.modSeq.value)
            output.append(UInt8(ascii: ")"))
        case .uid:
            output.append(item.label)
            output.append(decimal: row.uid.value)
        case .internalDate:
            output.append(item.label)
            output.append(internalDate: row.internalDate)
        case .size:
            output.append(item.label)
            output.append(decimal: row.size)
        case .saveDate:
            output.append(item.label)
            output.append(internalDate: Timestamp(seconds: Int64(row.savedDate)))
        // fetch-emailid-resp = "EMAILID" SP "(" objectid ")"          RFC 8474 §7
        case .emailID:
            output.append(item.label)
            output.append(EmailObjectID(row).text)
            output.append(UInt8(ascii: ")"))
        case .threadID:
            output.append(item.label)
            output.append(ThreadObjectID(row).text)
            output.append(UInt8(ascii: ")"))
        case .envelope, .structure, .section, .binary, .binarySize, .preview: return false
        }
        return true
    }

    /// What stands between the parentheses, and the closing one.
    private func writeFlags(_ row: MessageRow, _ output: inout OutputBuffer) {
        let flags = row.flags
        let start = output.count
        output.append(FetchWriter.systemFlags[Int(truncatingIfNeeded: flags.rawValue & Self.systemFlagBits)])
        if flags.rawValue >> UInt64(FlagBits.firstKeywordBit) != 0 {
            for (number, keyword) in keywords.enumerated() where flags.contains(KeywordTable.bit(number: number)) {
                if output.count > start { output.append(UInt8(ascii: " ")) }
                output.append(keyword)
            }
        }
        if !recent.isEmpty, recent.contains(row.uid.value) {
            if output.count > start { output.append(UInt8(ascii: " ")) }
            output.append("\\Recent")
        }
        output.append(UInt8(ascii: ")"))
    }

    /// Kept, as a set's literal in another module is put together at every use.
    static let systemFlagBits = FlagBits.system.rawValue

    /// The text of each combination of system flags.
    private static let systemFlags: [[UInt8]] = (0...FlagBits.system.rawValue).map { bits in
        var output = OutputBuffer()
        for (index, flag) in KeywordTable().flags(FlagBits(rawValue: bits)).enumerated() {
            if index > 0 { output.append(UInt8(ascii: " ")) }
            output.append(flag: flag)
        }
        return output.take()
    }
}
