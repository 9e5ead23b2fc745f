package import MailVocabulary
import MessageFormat

/// One mbox file, or a tree of them: mutt, Dovecot, Thunderbird (`Inbox` and `Inbox.sbd/`) and others.
package struct MboxSource: MailSource {
    private let root: String
    private let rootName: MailboxName?

    /// - Parameter rootName: the mailbox for a file that is given by itself; nil takes its name from the file's.
    package init(_ root: String, rootName: MailboxName? = nil) {
        self.root = root
        self.rootName = rootName
    }

    /// Whether a file begins as an mbox does. An empty one says nothing.
    static func isMbox(_ path: String) throws -> Bool {
        let file = try ReadingFile(path)
        return try file.read(0..<min(file.size, 5)).elementsEqual("From ".utf8)
    }

    package func mailboxes() throws -> [SourceMailbox] {
        guard DirectoryListing.isDirectory(root) else {
            let last = root.split(separator: "/").last.map(String.init) ?? root
            return [try mailbox(try rootName ?? name([MboxSource.level(last)], root), at: root)]
        }
        var found: [SourceMailbox] = []
        try search(root, levels: [], &found)
        return found.sorted { $0.name < $1.name }
    }

    private func mailbox(_ name: MailboxName, at path: String) throws -> SourceMailbox {
        SourceMailbox(name: name, path: path, uidValidity: try MboxBase(ReadingFile(path)).uidValidity)
    }

    private func name(_ levels: [String], _ path: String) throws -> MailboxName {
        guard let name = MailboxName(levels.joined(separator: "/")) else {
            throw TransferError("\(path): no mailbox can have this name; rename the file")
        }
        return name
    }

    private func search(_ directory: String, levels: [String], _ found: inout [SourceMailbox]) throws {
        guard levels.count < MailboxName.maximumDepth else { return }
        let listing = try DirectoryListing(directory)
        for file in listing.files where !file.hasPrefix(".") {
            let path = directory + "/" + file
            guard try MboxSource.isMbox(path) else { continue }
            found.append(try mailbox(try name(levels + [MboxSource.level(file)], path), at: path))
        }
        for inner in listing.directories where !inner.hasPrefix(".") {
            let level = inner.hasSuffix(".sbd") ? String(inner.dropLast(4)) : inner
            try search(directory + "/" + inner, levels: levels + [FileLevel.decoded(level)], &found)
        }
    }

    /// A file's name is its mailbox's, without `.mbox`; `mbox` alone is what mail readers call the user's own.
    private static func level(_ file: String) -> String {
        if file.asciiLowercased() == "mbox" { return "INBOX" }
        return FileLevel.decoded(file.asciiLowercased().hasSuffix(".mbox") ? String(file.dropLast(5)) : file)
    }

    package func messages(of mailbox: SourceMailbox) throws -> [SourceMessage] {
        let file = try ReadingFile(mailbox.path)
        let base = try MboxBase(file)
        return try MboxScanner.messages(of: file).compactMap { found in
            let fields = try MboxFields(file, found.content)
            guard !fields.isRemoved else { return nil }
            var message = SourceMessage(place: FileRange(path: file.path, range: found.content))
            message.encoding = .mbox
            message.flags = fields.flags
            message.internalDate = found.date ?? Timestamp(seconds: file.modified)
            message.uid = base.uidValidity == nil ? nil : fields.uid
            return message
        }
    }
}

/// Where the messages of an mbox are: each begins behind a `From ` line that is the file's first or follows an empty
/// line, and ends before the empty line that precedes the next.
enum MboxScanner {
    struct Found {
        /// Behind the `From ` line.
        var content: Range<Int>
        var date: Timestamp?
    }

    /// Octets read at a time.
    private static let piece = 1 << 20
    /// Octets of a line that are looked at: `From `, an address and a date.
    private static let lineLimit = 1024

    static func messages(of file: ReadingFile) throws -> [Found] {
        var scan = Scan()
        var position = 0
        while position < file.size {
            let bytes = try file.read(position..<min(file.size, position + piece))
            guard !bytes.isEmpty else { break }
            scan.take(bytes, at: position)
            position += bytes.count
        }
        scan.finish(at: position)
        return scan.found
    }

    private struct Scan {
        var found: [Found] = []
        /// What was seen of the present line, as far as it is looked at.
        private var line: [UInt8] = []
        private var lineStart = 0
        private var isLineEmpty = true
        private var wasEmpty = true
        /// Where the empty line before the present one begins.
        private var gapStart = 0

        mutating func take(_ bytes: [UInt8], at position: Int) {
            var start = 0
            while let feed = bytes[start...].firstIndex(of: 0x0A) {
                keep(bytes[start..<feed])
                endLine(behind: position + feed + 1)
                start = feed + 1
            }
            keep(bytes[start...])
        }

        private mutating func keep(_ part: ArraySlice<UInt8>) {
            if line.count < lineLimit { line += part.prefix(lineLimit - line.count) }
        }

        private mutating func endLine(behind next: Int) {
            if wasEmpty, line.starts(with: "From ".utf8) {
                end(before: found.isEmpty ? lineStart : gapStart)
                found.append(Found(content: next..<next, date: FromLine.date(line)))
            }
            wasEmpty = line.isEmpty || line == [0x0D]
            if wasEmpty { gapStart = lineStart }
            lineStart = next
            line.removeAll(keepingCapacity: true)
        }

        private mutating func end(before position: Int) {
            guard let last = found.last else { return }
            found[found.count - 1].content = last.content.lowerBound..<max(last.content.lowerBound, position)
        }

        /// The last message's empty line belongs to the file too.
        mutating func finish(at size: Int) {
            end(before: wasEmpty && lineStart == size ? gapStart : size)
        }
    }
}

/// `From sender@example.org Fri Nov 21 10:00:00 2025`, in universal time if no zone is named.
enum FromLine {
    static func date(_ line: [UInt8]) -> Timestamp? {
        let words = String(decoding: line, as: UTF8.self).split(whereSeparator: { " \t\r".contains($0) })
        guard
            let clock = words.firstIndex(where: { $0.split(separator: ":").count >= 2 && $0.first?.isNumber == true }),
            clock >= 2, clock + 1 < words.count
        else { return nil }
        let zone = words[(clock + 1)...].first { $0.first == "+" || $0.first == "-" } ?? "+0000"
        let year = words[(clock + 1)...].first { $0.count == 4 && UInt16($0) != nil }
        guard let year else { return nil }
        let date = "\(words[clock - 1]) \(words[clock - 2]) \(year) \(words[clock]) \(zone)"
        return Timestamp(messageDate: Array(date.utf8).span)
    }

    static func text(sender: String, date: Timestamp) -> String {
        let utc = date.utc
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let day = utc.day < 10 ? " \(utc.day)" : "\(utc.day)"
        return "From \(sender) \(CivilDate.weekdayNames[utc.weekday]) \(CivilDate.monthNames[utc.month - 1]) \(day) "
            + "\(two(utc.hour)):\(two(utc.minute)):\(two(utc.second)) \(utc.year)"
    }
}
