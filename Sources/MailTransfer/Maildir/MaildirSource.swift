import MailVocabulary

/// A Maildir as Dovecot, Courier, mbsync and others keep it: Maildir++ (`.Work.Plans` beside `cur` and `new`), nested
/// directories, or both.
package struct MaildirSource: MailSource {
    private let root: String

    package init(_ root: String) { self.root = root }

    static func isMaildir(_ path: String) -> Bool {
        DirectoryListing.isDirectory(path + "/cur") && DirectoryListing.isDirectory(path + "/new")
    }

    package func mailboxes() throws -> [SourceMailbox] {
        let subscriptions = try SubscriptionFiles(root)
        var found: [SourceMailbox] = []
        if Self.isMaildir(root) { found.append(try mailbox(.inbox, at: root, subscriptions)) }
        try search(root, levels: [], subscriptions, &found)
        return found.sorted { $0.name < $1.name }
    }

    private func mailbox(
        _ name: MailboxName, at path: String, _ subscriptions: SubscriptionFiles
    ) throws -> SourceMailbox {
        SourceMailbox(
            name: name, path: path, uidValidity: try UIDList(path).uidValidity,
            isSubscribed: subscriptions.isKnown ? subscriptions.names.contains(name) : nil)
    }

    private func search(
        _ directory: String, levels: [String], _ subscriptions: SubscriptionFiles, _ found: inout [SourceMailbox]
    ) throws {
        guard levels.count < MailboxName.maximumDepth else { return }
        for name in try DirectoryListing(directory).directories where !["cur", "new", "tmp"].contains(name) {
            let path = directory + "/" + name
            let inner = levels + levelsNamed(name)
            if Self.isMaildir(path) {
                guard let mailboxName = MailboxName(inner.joined(separator: "/")) else {
                    throw TransferError("\(path): no mailbox can have this name; rename the directory")
                }
                found.append(try mailbox(mailboxName, at: path, subscriptions))
            }
            try search(path, levels: inner, subscriptions, &found)
        }
    }

    /// `.Work.Plans` is Plans in Work; without the first dot a name is one level.
    private func levelsNamed(_ name: String) -> [String] {
        guard name.hasPrefix(".") else { return [FileLevel.decoded(name)] }
        return name.split(separator: ".").map { FileLevel.decoded($0) }
    }

    package func messages(of mailbox: SourceMailbox) throws -> [SourceMessage] {
        let uids = try UIDList(mailbox.path)
        let keywords = try KeywordFiles(mailbox.path)
        var messages: [(name: String, message: SourceMessage)] = []
        for part in ["new", "cur"] {
            let directory = mailbox.path + "/" + part
            for name in try DirectoryListing(directory).files where !name.hasPrefix(".") {
                let file = try ReadingFile(directory + "/" + name)
                var message = SourceMessage(place: FileRange(path: file.path, range: 0..<file.size))
                let parsed = MaildirFileName(name)
                message.flags = parsed.flags + keywords.flags(of: parsed)
                message.internalDate = Timestamp(seconds: file.modified)
                message.uid = uids.uid(of: parsed.unique)
                messages.append((parsed.unique, message))
            }
        }
        return messages.sorted(by: MaildirSource.isBefore).map(\.message)
    }

    /// By UID, then by date, then by name: what has no UID yet came last.
    private static func isBefore(
        _ a: (name: String, message: SourceMessage), _ b: (name: String, message: SourceMessage)
    ) -> Bool {
        let (first, second) = (a.message.uid?.value ?? .max, b.message.uid?.value ?? .max)
        guard first == second else { return first < second }
        let (early, late) = (a.message.internalDate?.seconds ?? 0, b.message.internalDate?.seconds ?? 0)
        return early == late ? a.name < b.name : early < late
    }
}

/// `1276528487.M364837P9451.host,S=2355:2,RS`: a unique part, and behind `:2,` the flags.
struct MaildirFileName {
    let unique: String
    /// Letters behind `:2,`.
    let letters: Substring

    init(_ name: String) {
        let colon = name.firstIndex(of: ":") ?? name.endIndex
        unique = String(name[..<colon])
        let information = name[colon...].dropFirst()
        letters = information.hasPrefix("2,") ? information.dropFirst(2) : ""
    }

    init(unique: String, flags: [Flag], keywordLetter: (Keyword) -> Character?) {
        self.unique = unique
        let letters = flags.compactMap { flag -> Character? in
            if case .keyword(let keyword) = flag, let letter = keywordLetter(keyword) { return letter }
            return Self.meanings.first { $0.flag == flag }?.letter
        }
        self.letters = Substring(String(Set(letters).sorted()))
    }

    var text: String { "\(unique):2,\(letters)" }

    /// P (passed) is what others write as `$Forwarded`.
    private static let meanings: [(letter: Character, flag: Flag)] = {
        let forwarded = Keyword("$Forwarded").map { [("P" as Character, Flag.keyword($0))] } ?? []
        return [("D", .draft), ("F", .flagged), ("R", .answered), ("S", .seen), ("T", .deleted)] + forwarded
    }()

    var flags: [Flag] { letters.compactMap { letter in Self.meanings.first { $0.letter == letter }?.flag } }
}
