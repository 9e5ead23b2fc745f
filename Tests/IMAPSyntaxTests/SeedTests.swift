import Foundation
import IMAPSyntax
import MailTestSupport
import Testing

/// The commands that fuzzers begin with.
@Suite struct SeedTests {
    static func seeds() throws -> [[UInt8]] {
        let file = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fuzz/imap-commands.transcript")
        return try Transcript(try String(contentsOf: file, encoding: .utf8)).said
    }

    @Test("Every command, and every form with UID, has a seed, and is understood") func commands() throws {
        var (names, withUID): (Set<IMAPCommandName>, Set<IMAPCommandName>) = ([], [])
        for seed in try Self.seeds() where seed != Array("DONE\r\n".utf8) {
            let text = String(decoding: seed, as: UTF8.self)
            let encoding: MailboxEncoding = text.contains("\u{FC}") ? .utf8 : .modifiedUTF7
            guard let name = try? parse(Array(seed.dropLast(2)), encoding).request.name else {
                Issue.record("not understood: \(text)")
                continue
            }
            names.insert(name)
            if text.hasPrefix("a UID ") { withUID.insert(name) }
        }
        #expect(Set(IMAPCommandName.allCases).subtracting(names) == [])
        #expect(Set(IMAPCommandName.allCases.filter(\.hasUIDForm)).subtracting(withUID) == [])
    }
}
