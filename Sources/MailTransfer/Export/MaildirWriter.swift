import Foundation
import MailStore
import MailVocabulary

/// Writes a mailbox as Maildir++, with Dovecot's and Courier's files beside the messages, so that both go on with the
/// same UIDs and keywords.
struct MaildirWriter: MailboxWriter {
    private let path: String
    private let view: MailboxSnapshot
    private var files: [String: String] = [:]
    private var letters: [Keyword: Character] = [:]
    private var names: [(uid: UID, unique: String)] = []
    private var file: WritingFile?
    private var lineFeeds = LineFeeds()
    private var unique = ""

    init(_ root: String, _ name: MailboxName, _ view: MailboxSnapshot) throws {
        self.view = view
        path = name == .inbox ? root : root + "/" + MaildirWriter.directory(name)
        for part in ["cur", "new", "tmp"] { try WritingFile.makeDirectory(path + "/" + part) }
        if name != .inbox { try WritingFile.write([], to: path + "/maildirfolder") }
        for present in try DirectoryListing(path + "/cur").files { files[MaildirFileName(present).unique] = present }
        // Dovecot has 26 letters.
        for (number, keyword) in view.keywords.keywords.prefix(26).enumerated() {
            letters[keyword] = Character(Unicode.Scalar(UInt8(ascii: "a") + UInt8(number)))
        }
    }

    private static func directory(_ name: MailboxName) -> String {
        name.text.split(separator: "/").map { "." + FileLevel.encoded($0, escaping: "./") }.joined()
    }

    mutating func begin(_ row: MessageRow, _ flags: [Flag]) throws -> Bool {
        // The same in every export: a second one finds what the first has written.
        unique = "\(row.internalDate.seconds).M\(row.uid.value)V\(view.uidValidity.value).latchmail"
        names.append((row.uid, unique))
        let name = MaildirFileName(unique: unique, flags: flags) { letters[$0] }.text
        if let present = files[unique] {
            if present != name { try rename(present, name) }
            return false
        }
        file = try WritingFile(path + "/cur/" + name, temporary: path + "/tmp/" + unique)
        lineFeeds = LineFeeds()
        return true
    }

    private func rename(_ old: String, _ new: String) throws {
        do {
            try FileManager.default.moveItem(atPath: path + "/cur/" + old, toPath: path + "/cur/" + new)
        } catch {
            throw TransferError("\(path)/cur/\(old): \(error.localizedDescription)")
        }
    }

    mutating func write(_ octets: [UInt8]) throws {
        var lines: [UInt8] = []
        lines.reserveCapacity(octets.count)
        lineFeeds.append(octets, to: &lines)
        try file?.write(lines)
    }

    mutating func end(_ row: MessageRow) throws {
        var rest: [UInt8] = []
        lineFeeds.finish(&rest)
        try file?.write(rest)
        try file?.finish(date: row.internalDate)
        file = nil
    }

    mutating func abandon() throws {
        file = nil
        names.removeLast()
    }

    mutating func finish() throws {
        let next = view.uidNext
        let guid = String(repeating: "0", count: 32 - hexadecimal.count) + hexadecimal
        try WritingFile.write(
            ["3 V\(view.uidValidity.value) N\(next) G\(guid)"] + names.map { "\($0.uid.value) :\($0.unique)" },
            to: path + "/dovecot-uidlist")
        try WritingFile.write(
            ["1 \(view.uidValidity.value) \(next)"] + names.map { "\($0.uid.value) \($0.unique)" },
            to: path + "/courierimapuiddb")
        guard !letters.isEmpty else { return }
        try WritingFile.write(
            view.keywords.keywords.prefix(26).enumerated().map { "\($0.offset) \($0.element.name)" },
            to: path + "/dovecot-keywords")
    }

    private var hexadecimal: String {
        String(UInt64(bitPattern: view.mailbox.value), radix: 16) + String(view.uidValidity.value, radix: 16)
    }

    static func writeSubscriptions(_ names: [MailboxName], to root: String) throws {
        func lines(_ prefix: String) -> [String] {
            names.map { name in
                let levels = name.text.split(separator: "/").map { FileLevel.encoded($0, escaping: "./") }
                return (name == .inbox ? "" : prefix) + levels.joined(separator: ".")
            }
        }
        try WritingFile.write(lines(""), to: root + "/subscriptions")
        try WritingFile.write(lines("INBOX."), to: root + "/courierimapsubscribed")
    }
}
