import Foundation
import IMAPSyntax
import MailVocabulary

/// A directory's entries, by name.
struct DirectoryListing {
    let path: String
    private(set) var directories: [String] = []
    private(set) var files: [String] = []

    /// Symbolic links are passed over: they could lead in circles, or out. Throws `TransferError`.
    init(_ path: String) throws {
        self.path = path
        do {
            let keys: [URLResourceKey] = [.isDirectoryKey, .isRegularFileKey]
            for entry in try FileManager.default.contentsOfDirectory(
                at: URL(filePath: path, directoryHint: .isDirectory), includingPropertiesForKeys: keys)
            {
                let values = try entry.resourceValues(forKeys: Set(keys))
                if values.isDirectory == true { directories.append(entry.lastPathComponent) }
                if values.isRegularFile == true { files.append(entry.lastPathComponent) }
            }
        } catch {
            throw TransferError("\(path): \(error.localizedDescription)")
        }
        directories.sort()
        files.sort()
    }

    static func isDirectory(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && isDirectory.boolValue
    }

    static func isFile(_ path: String) -> Bool {
        var isDirectory: ObjCBool = false
        return FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) && !isDirectory.boolValue
    }
}

/// One level of a mailbox's name as a file's or directory's name: in modified UTF-7, as most programs write it.
enum FileLevel {
    /// From a name on disk: modified UTF-7 if it is that, else UTF-8 as it stands. `\2e` and its like, as Dovecot's
    /// listescape writes them, mean the character.
    static func decoded(_ text: some StringProtocol) -> String {
        let name = ModifiedUTF7.decode(Array(text.utf8)) ?? String(text)
        guard name.contains("\\") else { return name }
        var result = ""
        var rest = name[...]
        while let character = rest.popFirst() {
            if character == "\\", rest.count >= 2, let code = UInt8(rest.prefix(2), radix: 16), code >= 0x20,
                code < 0x7F
            {
                result.unicodeScalars.append(Unicode.Scalar(code))
                rest = rest.dropFirst(2)
            } else {
                result.append(character)
            }
        }
        return result
    }

    /// To a name on disk: `escaped` characters cannot stand there as they are.
    static func encoded(_ level: some StringProtocol, escaping escaped: String) -> String {
        var safe = ""
        for character in String(decoding: ModifiedUTF7.encode(String(level)), as: UTF8.self) {
            if escaped.contains(character) || character == "\\", let code = character.asciiValue {
                safe += "\\" + String(code, radix: 16)
            } else {
                safe.append(character)
            }
        }
        return safe
    }
}
