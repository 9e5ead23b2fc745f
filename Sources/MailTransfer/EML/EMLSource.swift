package import MailVocabulary
import MessageFormat

/// A tree of directories with `.eml` files, as mail programs save messages. `flags.txt` beside them, which an export
/// writes, says which flags each has.
package struct EMLSource: MailSource {
    /// Octets of a message that are looked at for its date.
    private static let headerLimit = 64 * 1024

    private let root: String
    private let rootName: MailboxName

    /// - Parameter rootName: the mailbox for what lies in the directory itself.
    package init(_ root: String, rootName: MailboxName = .inbox) {
        self.root = root
        self.rootName = rootName
    }

    package func mailboxes() throws -> [SourceMailbox] {
        var found: [SourceMailbox] = []
        try search(root, levels: [], &found)
        return found.sorted { $0.name < $1.name }
    }

    private func search(_ directory: String, levels: [String], _ found: inout [SourceMailbox]) throws {
        guard levels.count < MailboxName.maximumDepth else { return }
        let listing = try DirectoryListing(directory)
        let flags = try FlagFile(directory)
        if listing.files.contains(where: EMLSource.isMessage) || flags.uidValidity != nil {
            guard let name = levels.isEmpty ? rootName : MailboxName(levels.joined(separator: "/")) else {
                throw TransferError("\(directory): no mailbox can have this name; rename the directory")
            }
            found.append(SourceMailbox(name: name, path: directory, uidValidity: flags.uidValidity))
        }
        for name in listing.directories where !name.hasPrefix(".") {
            try search(directory + "/" + name, levels: levels + [FileLevel.decoded(name)], &found)
        }
    }

    static func isMessage(_ file: String) -> Bool { file.asciiLowercased().hasSuffix(".eml") }

    package func messages(of mailbox: SourceMailbox) throws -> [SourceMessage] {
        let flags = try FlagFile(mailbox.path)
        let messages = try DirectoryListing(mailbox.path).files.filter(EMLSource.isMessage).map { name in
            let file = try ReadingFile(mailbox.path + "/" + name)
            var message = SourceMessage(place: FileRange(path: file.path, range: 0..<file.size))
            message.flags = flags.flags[name] ?? []
            // By number, the files are an export's: their times are the messages' own.
            message.uid = flags.uidValidity == nil ? nil : UInt32(name.dropLast(4)).flatMap(UID.init)
            message.internalDate =
                message.uid == nil ? try EMLSource.date(of: file) : Timestamp(seconds: file.modified)
            return message
        }
        return messages.sorted(by: EMLSource.isBefore)
    }

    private static func isBefore(_ a: SourceMessage, _ b: SourceMessage) -> Bool {
        let (first, second) = (a.uid?.value ?? .max, b.uid?.value ?? .max)
        guard first == second else { return first < second }
        let (early, late) = (a.internalDate?.seconds ?? 0, b.internalDate?.seconds ?? 0)
        return early == late ? a.place.path < b.place.path : early < late
    }

    /// When it was received last, or else written, or else the file.
    private static func date(of file: ReadingFile) throws -> Timestamp {
        let head = try file.read(0..<min(file.size, headerLimit))
        if let received = headerValue(Array("Received".utf8), in: head.span),
            let semicolon = received.lastIndex(of: UInt8(ascii: ";")),
            let date = Timestamp(messageDate: Array(received[(semicolon + 1)...]).span)
        {
            return date
        }
        if let written = headerValue(Array("Date".utf8), in: head.span), let date = Timestamp(messageDate: written.span)
        {
            return date
        }
        return Timestamp(seconds: file.modified)
    }
}

/// `flags.txt`: what an `.eml` file cannot say.
///
///     # UIDVALIDITY 1275660208
///     12.eml \Seen \Answered $Forwarded
struct FlagFile {
    static let name = "flags.txt"
    static let heading = "# UIDVALIDITY "

    private(set) var uidValidity: UIDValidity?
    private(set) var flags: [String: [Flag]] = [:]

    init(_ directory: String) throws {
        for line in try ReadingFile.lines(of: directory + "/" + FlagFile.name) {
            if line.hasPrefix(FlagFile.heading) {
                uidValidity = UInt32(line.dropFirst(FlagFile.heading.count)).flatMap(UIDValidity.init)
            }
            let words = line.split(separator: " ")
            guard let file = words.first, file != "#" else { continue }
            flags[String(file)] = words.dropFirst().compactMap { Flag(word: $0) }
        }
    }
}

extension Flag {
    private static let systemWords: [(word: String, flag: Flag)] = [
        ("\\Seen", .seen), ("\\Answered", .answered), ("\\Flagged", .flagged), ("\\Deleted", .deleted),
        ("\\Draft", .draft),
    ]

    /// As in IMAP: `\Seen`, `$Forwarded`.
    init?(word: some StringProtocol) {
        if word.hasPrefix("\\") {
            guard let known = Flag.systemWords.first(where: { $0.word == word }) else { return nil }
            self = known.flag
        } else {
            guard let keyword = Keyword(String(word)) else { return nil }
            self = .keyword(keyword)
        }
    }

    var word: String {
        if case .keyword(let keyword) = self { return keyword.name }
        return Flag.systemWords.first { $0.flag == self }?.word ?? ""
    }
}
