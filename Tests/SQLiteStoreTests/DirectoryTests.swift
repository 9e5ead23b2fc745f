import Foundation
import Glibc
import MailStore
import MailTestSupport
import Testing

@testable import SQLiteStore

@Suite("The store's directory")
struct DirectoryTests {
    @Test("is for its owner only")
    func permissions() async throws {
        try await withStorePath { path in
            try await withStore(path) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                try await fixture.append([String(repeating: "x", count: 1_100_000)], to: inbox)
                let staged = try await fixture.staged([UInt8](repeating: 1, count: 400_000))
                for name in try FileManager.default.subpathsOfDirectory(atPath: path) + [""] {
                    let attributes = try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
                    let isDirectory = attributes[.type] as? FileAttributeType == .typeDirectory
                    #expect(attributes[.posixPermissions] as? Int == (isDirectory ? 0o700 : 0o600), "\(name)")
                }
                withExtendedLifetime(staged) {}
            }
        }
    }

    @Test("serves one store at a time, and says which process has it")
    func lock() async throws {
        try await withStorePath { path in
            try await withStore(path) { _ in
                let number = "process \(ProcessInfo.processInfo.processIdentifier)"
                #expect {
                    _ = try SQLiteStore(path: path)
                } throws: { error in
                    guard case StoreError.unavailable(let reason) = error else { return false }
                    return reason.contains(number)
                }
            }
            let closed = try SQLiteStore(path: path)
            try await closed.close()
            try await withStore(path) { _ in }
            withExtendedLifetime(closed) {}
        }
    }

    @Test("is swept at start: staged bodies and segments that no row knows")
    func leftovers() async throws {
        try await withStorePath { path in
            try await withStore(path) { store in
                let fixture = try await StoreFixture(store)
                try await fixture.append(["one"], to: fixture.mailbox("INBOX").id)
            }
            let (staged, orphan) = (path + "/staging/77.body", path + "/segments/0000ffff.seg")
            for leftover in [staged, orphan] {
                #expect(FileManager.default.createFile(atPath: leftover, contents: nil))
            }
            try await withStore(path) { store in
                #expect(!FileManager.default.fileExists(atPath: staged))
                #expect(!FileManager.default.fileExists(atPath: orphan))
                let fixture = try await store.firstFixture()
                #expect(try await fixture.texts(fixture.mailbox("INBOX").id) == ["one"])
            }
        }
    }

    @Test("a staged body that is dropped leaves no file; one that is added leaves none in staging")
    func stagingIsEmptied() async throws {
        try await withStorePath { path in
            try await withStore(path) { store in
                let fixture = try await StoreFixture(store)
                let inbox = try await fixture.mailbox("INBOX").id
                for length in [300_000, 2_000_000] {
                    let bytes = [UInt8](repeating: 3, count: length)
                    do {
                        let dropped = try await fixture.staged(bytes)
                        #expect(try FileManager.default.contentsOfDirectory(atPath: path + "/staging").count == 1)
                        withExtendedLifetime(dropped) {}
                    }
                    #expect(try FileManager.default.contentsOfDirectory(atPath: path + "/staging").isEmpty)
                    try await fixture.append([String(decoding: bytes, as: UTF8.self)], to: inbox)
                    #expect(try FileManager.default.contentsOfDirectory(atPath: path + "/staging").isEmpty)
                }
            }
        }
    }

    @Test("what is no database is an error that says so")
    func notADatabase() async throws {
        try await withStorePath { path in
            try await withStore(path) { store in _ = try await StoreFixture(store) }
            let garbage = Data((0..<8192).map { UInt8(truncatingIfNeeded: $0 &* 7) })
            try garbage.write(to: URL(fileURLWithPath: path + "/mail.sqlite"))
            // SQLite would rightly recover from it what the garbage has replaced.
            unlink(path + "/mail.sqlite-wal")
            #expect {
                _ = try SQLiteStore(path: path)
            } throws: { error in
                guard case StoreError.damaged = error else { return false }
                return true
            }
        }
    }

    @Test("a place that cannot be written is an error that names it")
    func noDirectory() throws {
        #expect {
            _ = try SQLiteStore(path: "/proc/no/such/store")
        } throws: { error in
            guard case StoreError.unavailable(let reason) = error else { return false }
            return reason.contains("/proc/no/such/store")
        }
    }
}
