import Foundation
import Glibc
import MailStore
import MailVocabulary

/// The files of a store, and the right to write them.
///
///     mail.sqlite (+ -wal, -shm)   rows
///     search.sqlite (+ …)          index of texts; can be missing
///     segments/0000002a.seg        bodies
///     indexes/2a-1f3.index         the rows of a mailbox at one MODSEQ; can be missing
///     derived/2a-name-5f0e         what was made from a mailbox's messages, with its checksum; can be missing
///     staging/                     bodies being received; emptied at start
///     lock                         flock'ed by the process that has the store open; holds its number
final class StoreDirectory: Sendable {
    let path: String
    private let lock: OpenFile

    var database: String { path + "/mail.sqlite" }
    var textIndex: String { path + "/search.sqlite" }
    var segments: String { path + "/segments" }
    var indexes: String { path + "/indexes" }
    var derived: String { path + "/derived" }
    var staging: String { path + "/staging" }

    func segment(_ id: Int64) -> String {
        let digits = String(id, radix: 16)
        return "\(segments)/\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits).seg"
    }

    func index(_ mailbox: MailboxID, _ modSeq: ModSeq) -> String {
        "\(indexes)/\(String(mailbox.value, radix: 16))-\(String(modSeq.value, radix: 16)).index"
    }

    func derived(_ mailbox: MailboxID, _ name: String, _ checksum: UInt64) -> String {
        "\(derived)/\(String(mailbox.value, radix: 16))-\(name)-\(String(checksum, radix: 16))"
    }

    /// Creates what is missing, for the owner's eyes only, and takes the lock. Throws `unavailable`.
    init(_ path: String) throws {
        self.path = path
        do {
            try StoreDirectory.make(path)
            lock = try StoreDirectory.takeLock(path + "/lock")
            try StoreDirectory.make(path + "/segments")
            try StoreDirectory.make(path + "/indexes")
            try StoreDirectory.make(path + "/derived")
            try StoreDirectory.make(path + "/staging")
            for leftover in try StoreDirectory.names(in: path + "/staging") { unlink("\(path)/staging/\(leftover)") }
            try syncDirectory(path)
        } catch let failure as OpenFailure {
            throw failure.storeError
        }
    }

    private static func make(_ path: String) throws {
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw OpenFailure(code: errno, path: path) }
    }

    private static func takeLock(_ path: String) throws -> OpenFile {
        let file = try OpenFile(path, O_RDWR | O_CREAT)
        guard flock(file.descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let holder = try? String(contentsOfFile: path, encoding: .utf8)
            let number = holder.flatMap { Int($0.trimmingCharacters(in: .whitespacesAndNewlines)) }
            throw StoreError.unavailable(
                "the store is in use by " + (number.map { "process \($0)" } ?? "another process") + " (\(path))")
        }
        let number = Array("\(getpid())\n".utf8)
        guard ftruncate(file.descriptor, 0) == 0,
            number.withUnsafeBytes({ pwrite(file.descriptor, $0.baseAddress, $0.count, 0) }) == number.count
        else { throw StoreError.fromErrno(errno, "writing \(path)") }
        return file
    }

    /// Nothing will be written by this process any more.
    func unlock() { flock(lock.descriptor, LOCK_UN) }

    static func names(in directory: String) throws -> [String] {
        do {
            return try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw StoreError.unavailable("listing \(directory): \(error.localizedDescription)")
        }
    }

    /// Numbers of the segment files that are there.
    func segmentsPresent() throws -> Set<Int64> {
        Set(
            try StoreDirectory.names(in: segments).compactMap { name in
                name.hasSuffix(".seg") ? Int64(name.dropLast(4), radix: 16) : nil
            })
    }
}
