import Foundation
import MailStore
import Testing

@testable import IMAPServer

/// docs/imap-extensions.md says what the server says of itself, no more and no less.
@Suite struct CapabilityTableTests {
    @Test("The table of extensions is what sessions advertise, in one state or another")
    func table() async throws {
        var advertised: Set<String> = []
        for client in try await clients() { advertised.formUnion(capabilities(await client.send("c CAPABILITY\r\n"))) }
        let documented = try documented()
        #expect(advertised.subtracting(documented) == [], "not in docs/imap-extensions.md")
        #expect(documented.subtracting(advertised) == [], "in docs/imap-extensions.md, and never advertised")
    }

    @Test("Rows stand in the order of their RFCs")
    func order() throws {
        let numbers = try rows().map { row in Int(row[1].trimmingCharacters(in: .whitespaces).prefix(4)) ?? 0 }
        #expect(numbers.count > 20)
        #expect(numbers == numbers.sorted())
    }

    private func clients() async throws -> [Client] {
        let fixture = try await Fixture()
        let cleartext = fixture.client(tls: nil)
        _ = await cleartext.connect()
        let secured = fixture.client()
        _ = await secured.connect()
        var settings = IMAPSettings()
        settings.urlAuthentication = URLAuthorizationTests.code
        settings.offersLongLiterals = false
        settings.messageLimit = .processed(1000)
        var saving = IMAPSettings()
        saving.messageLimit = .saved(1000)
        try await fixture.store.setAdministrator(true, fixture.account.id)
        return [
            cleartext, secured, await fixture.session(), await fixture.session("INBOX"),
            await fixture.session(settings: settings), await fixture.session(settings: saving),
            try await fixture.anew().session(),
        ]
    }

    /// Of an answer; numbers of the configuration are written `n`.
    private func capabilities(_ answer: String) -> Set<String> {
        let line = answer.split(separator: "\r\n").first { $0.hasPrefix("* CAPABILITY ") } ?? ""
        return Set(
            line.split(separator: " ").dropFirst(2).map { word in
                let parts = word.split(separator: "=", maxSplits: 1)
                return parts.count == 2 && parts[1].allSatisfy(\.isNumber) ? "\(parts[0])=n" : String(word)
            })
    }

    /// Names in backticks in the first column.
    private func documented() throws -> Set<String> {
        Set(
            try rows().flatMap { row in
                row[0].split(separator: "`", omittingEmptySubsequences: false).enumerated()
                    .filter { $0.offset % 2 == 1 }.map { String($0.element) }
            })
    }

    private func rows() throws -> [[Substring]] {
        let path = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "docs/imap-extensions.md")
        let text = try String(contentsOf: path, encoding: .utf8)
        return text.split(separator: "\n").filter { $0.hasPrefix("| `") }.map { $0.dropFirst().split(separator: "|") }
    }
}
