import MailStore
import MailVocabulary
import MessageFormat

/// Writes a mailbox as one file in the form mboxrd, in which every line can be told. The whole mailbox is written anew
/// each time.
struct MboxWriter: MailboxWriter {
    private let file: WritingFile
    private let view: MailboxSnapshot
    private var lineFeeds = LineFeeds()
    private var quoting = FromQuoting()
    private var isFirst = true
    private var lastOctet: UInt8 = 0x0A

    init(_ root: String, _ name: MailboxName, _ view: MailboxSnapshot) throws {
        self.view = view
        var levels = name.text.split(separator: "/").map { FileLevel.encoded($0, escaping: "/.") }
        let last = levels.removeLast()
        let directory = ([root] + levels.map { $0 + ".sbd" }).joined(separator: "/")
        try WritingFile.makeDirectory(directory)
        let path = directory + "/" + last
        file = try WritingFile(path, temporary: path + ".part")
    }

    mutating func begin(_ row: MessageRow, _ flags: [Flag]) throws -> Bool {
        var lines = [FromLine.text(sender: "MAILER-DAEMON", date: row.internalDate)]
        let keywords = flags.compactMap { if case .keyword(let keyword) = $0 { keyword.name } else { nil } }
        if isFirst {
            let known = view.keywords.keywords.map(\.name).joined(separator: " ")
            lines.append("X-IMAPbase: \(view.uidValidity.value) \(view.uidNext - 1) \(known)")
            isFirst = false
        }
        lines.append("X-UID: \(row.uid.value)")
        lines.append("Status: " + (flags.contains(.seen) ? "RO" : "O"))
        let letters: [(Flag, String)] = [(.answered, "A"), (.flagged, "F"), (.draft, "T"), (.deleted, "D")]
        lines.append("X-Status: " + letters.filter { flags.contains($0.0) }.map(\.1).joined())
        lines.append("X-Keywords: " + keywords.joined(separator: " "))
        for line in lines { try file.write((line + "\n").utf8) }
        (lineFeeds, quoting) = (LineFeeds(), FromQuoting())
        return true
    }

    mutating func write(_ octets: [UInt8]) throws {
        var lines: [UInt8] = []
        lineFeeds.append(octets, to: &lines)
        try writeQuoted(lines)
    }

    private mutating func writeQuoted(_ lines: [UInt8]) throws {
        var quoted: [UInt8] = []
        quoted.reserveCapacity(lines.count)
        quoting.append(lines, to: &quoted)
        lastOctet = quoted.last ?? lastOctet
        try file.write(quoted)
    }

    mutating func end(_ row: MessageRow) throws { try abandon() }

    /// What is written stays: the next message must begin a line of its own.
    mutating func abandon() throws {
        var rest: [UInt8] = []
        lineFeeds.finish(&rest)
        try writeQuoted(rest)
        rest = []
        quoting.finish(&rest)
        lastOctet = rest.last ?? lastOctet
        try file.write(rest)
        try file.write(lastOctet == 0x0A ? [0x0A] : [0x0A, 0x0A])
    }

    mutating func finish() throws { try file.finish() }
}
