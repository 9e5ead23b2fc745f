import Glibc
import MailStore
import MailVocabulary

/// Writes a mailbox as a directory of `.eml` files, octet by octet as they are kept, named by their UIDs.
struct EMLWriter: MailboxWriter {
    private let path: String
    private let view: MailboxSnapshot
    private var file: WritingFile?
    private var lines: [String]

    init(_ root: String, _ name: MailboxName, _ view: MailboxSnapshot) throws {
        self.view = view
        let levels = name == .inbox ? [] : name.text.split(separator: "/").map { FileLevel.encoded($0, escaping: "/.") }
        path = ([root] + levels).joined(separator: "/")
        lines = ["\(FlagFile.heading)\(view.uidValidity.value)"]
        try WritingFile.makeDirectory(path)
        // The files' names are UIDs, and mean other messages under another UIDVALIDITY.
        if let other = try FlagFile(path).uidValidity, other != view.uidValidity {
            throw TransferError("\(path): holds an export of another mailbox; choose another directory")
        }
    }

    mutating func begin(_ row: MessageRow, _ flags: [Flag]) throws -> Bool {
        let name = "\(row.uid.value).eml"
        lines.append(([name] + flags.map(\.word)).joined(separator: " "))
        guard !DirectoryListing.isFile(path + "/" + name) else { return false }
        file = try WritingFile(path + "/" + name, temporary: path + "/" + name + ".part")
        return true
    }

    mutating func write(_ octets: [UInt8]) throws { try file?.write(octets) }

    mutating func end(_ row: MessageRow) throws {
        try file?.finish(date: row.internalDate)
        file = nil
    }

    mutating func abandon() throws {
        file = nil
        lines.removeLast()
    }

    mutating func finish() throws { try WritingFile.write(lines, to: path + "/" + FlagFile.name) }
}
