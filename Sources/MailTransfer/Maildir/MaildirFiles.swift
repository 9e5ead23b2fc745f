import MailVocabulary

// What Dovecot and Courier keep beside the messages of a Maildir.

/// `dovecot-uidlist` or `courierimapuiddb`: which UID each file has.
///
///     3 V1275660208 N26 G…                         1 1275660208 26
///     25 W2481 :1276528487.M364837P9451.host       25 1276528487.M364837P9451.host
struct UIDList {
    private(set) var uidValidity: UIDValidity?
    private var uids: [String: UID] = [:]

    /// Of the mailbox in a directory; empty when there is neither file, or it is of no known form.
    init(_ directory: String) throws {
        for name in ["dovecot-uidlist", "courierimapuiddb"] {
            let lines = try ReadingFile.lines(of: directory + "/" + name)
            guard let first = lines.first, let validity = UIDList.validity(first) else { continue }
            uidValidity = validity
            for line in lines.dropFirst() { add(line) }
            return
        }
    }

    func uid(of unique: String) -> UID? { uids[unique] }

    private static func validity(_ line: Substring) -> UIDValidity? {
        let words = line.split(separator: " ")
        guard words.count >= 2 else { return nil }
        let number =
            words[0] == "3"
            ? words.first { $0.hasPrefix("V") }.flatMap { UInt32($0.dropFirst()) }
            : words[0] == "1" ? UInt32(words[1]) : nil
        return number.flatMap(UIDValidity.init)
    }

    private mutating func add(_ line: Substring) {
        guard let space = line.firstIndex(of: " "), let uid = UInt32(line[..<space]).flatMap(UID.init) else { return }
        let rest = line[space...].dropFirst()
        // Version 3 puts further words before a colon; no word has one.
        let name = rest.hasPrefix(":") ? rest.dropFirst() : rest.range(of: " :").map { rest[$0.upperBound...] } ?? rest
        uids[MaildirFileName(String(name)).unique] = uid
    }
}

extension Substring {
    fileprivate func range(of word: String) -> Range<Index>? { firstRange(of: word) }
}

/// Keywords: Dovecot's letters `a` to `z` in file names, which `dovecot-keywords` explains; Courier's list of files.
struct KeywordFiles {
    private var byLetter: [Character: Flag] = [:]
    private var byFile: [String: [Flag]] = [:]

    init(_ directory: String) throws {
        for line in try ReadingFile.lines(of: directory + "/dovecot-keywords") {
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2, let number = UInt8(words[0]), number < 26, let keyword = Keyword(String(words[1]))
            else { continue }
            byLetter[Character(Unicode.Scalar(UInt8(ascii: "a") + number))] = .keyword(keyword)
        }
        try readCourier(directory + "/courierimapkeywords/:list")
    }

    /// Names, one a line; then `file:0 2`, by their numbers. No name has a colon and a dot.
    private mutating func readCourier(_ path: String) throws {
        var names: [Flag?] = []
        for line in try ReadingFile.lines(of: path) {
            guard let colon = line.lastIndex(of: ":"), line[..<colon].contains(".") else {
                names.append(Keyword(String(line)).map(Flag.keyword))
                continue
            }
            let numbers = line[colon...].dropFirst().split(separator: " ").compactMap { Int($0) }
            byFile[String(line[..<colon])] = numbers.compactMap { names.indices.contains($0) ? names[$0] : nil }
        }
    }

    func flags(of file: MaildirFileName) -> [Flag] {
        file.letters.compactMap { byLetter[$0] } + (byFile[file.unique] ?? [])
    }
}

/// `subscriptions` (Dovecot) and `courierimapsubscribed` (Courier): names in modified UTF-7, one a line, levels between
/// dots (Dovecot's newer file says otherwise in its first line).
struct SubscriptionFiles {
    private(set) var isKnown = false
    private(set) var names: Set<MailboxName> = []

    init(_ root: String) throws {
        for file in ["subscriptions", "courierimapsubscribed"] where DirectoryListing.isFile(root + "/" + file) {
            isKnown = true
            let lines = try ReadingFile.lines(of: root + "/" + file)
            let isNewer = lines.first?.hasPrefix("V\t") == true
            for line in lines.dropFirst(isNewer ? 1 : 0) {
                let separator: Character = isNewer ? "\t" : line.contains("/") ? "/" : "."
                add(line.split(separator: separator).map { FileLevel.decoded($0) })
            }
        }
    }

    /// Courier puts everything below INBOX.
    private mutating func add(_ levels: [String]) {
        let isBelowInbox = levels.count > 1 && levels[0].asciiLowercased() == "inbox"
        if let name = MailboxName((isBelowInbox ? Array(levels.dropFirst()) : levels).joined(separator: "/")) {
            names.insert(name)
        }
    }
}
