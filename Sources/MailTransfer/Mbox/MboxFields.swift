import MailVocabulary
import MessageFormat

// What programs write into the headers of an mbox's messages, for want of another place.

/// The file's own facts, in its first message: `X-IMAPbase: 1275660208 0000000026 $Label1`.
struct MboxBase {
    private(set) var uidValidity: UIDValidity?

    init(_ file: ReadingFile) throws {
        let head = try file.read(0..<min(file.size, MboxFields.headerLimit))
        // Behind the From line, which is no field.
        guard let feed = head.firstIndex(of: 0x0A) else { return }
        let header = Array(head[(feed + 1)...])
        for name in ["X-IMAPbase", "X-IMAP"] {
            guard let value = headerValue(Array(name.utf8), in: header.span) else { continue }
            let words = String(decoding: value, as: UTF8.self).split(separator: " ")
            uidValidity = words.first.flatMap { UInt32($0) }.flatMap(UIDValidity.init)
        }
    }
}

/// One message's: flags, keywords and its UID.
struct MboxFields {
    /// Octets of a header that are looked at, and filtered.
    static let headerLimit = 256 * 1024

    /// Fields that are the mbox's and not the message's.
    static let names = ["Status", "X-Status", "X-Keywords", "X-UID", "X-IMAPbase", "X-IMAP", "Content-Length"]
        .map { Array($0.utf8) }

    private(set) var flags: [Flag] = []
    private(set) var uid: UID?
    /// Thunderbird keeps what was deleted until it compacts the file.
    private(set) var isRemoved = false

    init(_ file: ReadingFile, _ content: Range<Int>) throws {
        let head = try file.read(content.prefix(MboxFields.headerLimit))
        func value(_ name: String) -> String? {
            headerValue(Array(name.utf8), in: head.span).map { String(decoding: $0, as: UTF8.self) }
        }
        let letters = (value("Status") ?? "") + (value("X-Status") ?? "")
        let meanings: [(Character, Flag)] = [
            ("R", .seen), ("A", .answered), ("F", .flagged), ("D", .deleted), ("T", .draft),
        ]
        flags = meanings.filter { letters.contains($0.0) }.map(\.1)
        flags += (value("X-Keywords") ?? "").split { " ,".contains($0) }.compactMap { Keyword(String($0)) }
            .map(Flag.keyword)
        uid = value("X-UID").flatMap { UInt32($0.filter(\.isNumber)) }.flatMap(UID.init)
        if let text = value("X-Mozilla-Status"), let bits = UInt16(text, radix: 16) { add(mozilla: bits) }
    }

    /// nsMsgMessageFlags: read, replied, marked, expunged, forwarded.
    private mutating func add(mozilla bits: UInt16) {
        isRemoved = bits & 0x0008 != 0
        let meanings: [(UInt16, Flag?)] = [
            (0x0001, .seen), (0x0002, .answered), (0x0004, .flagged),
            (0x1000, Keyword("$Forwarded").map(Flag.keyword)),
        ]
        for (bit, flag) in meanings where bits & bit != 0 {
            if let flag, !flags.contains(flag) { flags.append(flag) }
        }
    }
}

/// Undoes the quoting of lines that begin `From ` (`>From `, `>>From ` …), piece by piece.
struct FromUnquoting {
    /// A line's beginning that may yet turn out to be quoted.
    private var held: [UInt8] = []
    private var isAtLineStart = true
    /// More `>` than any program nests: the line is taken as it is.
    private static let heldLimit = 256

    mutating func append(_ piece: ArraySlice<UInt8>, to output: inout [UInt8]) {
        for byte in piece {
            guard isAtLineStart else {
                output.append(byte)
                isAtLineStart = byte == 0x0A
                continue
            }
            held.append(byte)
            switch verdict() {
            case .open: continue
            case .quoted: output += held.dropFirst()
            case .plain: output += held
            }
            isAtLineStart = byte == 0x0A
            held.removeAll(keepingCapacity: true)
        }
    }

    mutating func finish(_ output: inout [UInt8]) {
        output += held
        held = []
    }

    private enum Verdict { case open, quoted, plain }

    private func verdict() -> Verdict {
        let rest = held.drop { $0 == UInt8(ascii: ">") }
        guard rest.count < held.count else { return .plain }
        if rest.elementsEqual("From ".utf8) { return .quoted }
        return rest.count < 5 && "From ".utf8.starts(with: rest) && held.count < Self.heldLimit ? .open : .plain
    }
}

/// The other direction: `From ` at the start of a line, whatever `>` stand before it, gets one `>` more.
struct FromQuoting {
    private var held: [UInt8] = []
    private var isAtLineStart = true

    mutating func append(_ piece: [UInt8], to output: inout [UInt8]) {
        for byte in piece {
            guard isAtLineStart else {
                output.append(byte)
                isAtLineStart = byte == 0x0A
                continue
            }
            held.append(byte)
            let rest = held.drop { $0 == UInt8(ascii: ">") }
            if rest.count < 5, "From ".utf8.starts(with: rest) { continue }
            if rest.elementsEqual("From ".utf8) { output.append(UInt8(ascii: ">")) }
            output += held
            isAtLineStart = byte == 0x0A
            held.removeAll(keepingCapacity: true)
        }
    }

    mutating func finish(_ output: inout [UInt8]) {
        output += held
        held = []
    }
}
