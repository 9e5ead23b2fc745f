import Foundation
import MailStore
import MailTestSupport
import MailVocabulary
import MessageFormat
import Testing

@testable import MailTransfer

@Suite struct ExportTests {
    static let bodies = [
        "Subject: plain\r\n\r\ntext\r\n",
        "Subject: hard\r\n\r\nFrom the start\r\n>From quoted\r\n>>From twice\r\n\r\nFrom after a gap\r\n\r\n",
        "Subject: no line end\r\n\r\nend",
        "no header at all\r\n\r\nStatus: not a field\r\n",
        "Subject: only a header\r\n",
        "Subject: gaps\r\n\r\n\r\n\r\n\r\n",
        "Subject: 8\r\n\r\nGrüße\r\n.\r\n",
    ]

    private func fill(_ fixture: Fixture) async throws {
        for name in ["INBOX", "Work", "Work/Plän.e"] {
            let mailbox =
                name == "INBOX"
                ? try await fixture.mailbox(name)
                : try await fixture.store.createMailbox(fixture.name(name), of: fixture.account, specialUse: nil)
            let known = Keyword("$Label1").map(Flag.keyword)
            let messages = try Self.bodies.enumerated().map { number, text in
                let bytes = Array(text.utf8)
                var message = NewMessage(
                    body: InMemoryBody(bytes),
                    flags: number % 2 == 0 ? [.seen, .answered] : [.flagged, try #require(known)],
                    internalDate: Timestamp(seconds: 1_000_000 + Int64(number)),
                    summary: MessageSummary(parsing: bytes.span).encoded())
                message.uid = UID(UInt32(number * 3 + 2))
                return message
            }
            _ = try await fixture.store.append([(mailbox.id, messages)])
        }
        try await fixture.store.setSubscribed(true, fixture.name("Work/Plän.e"), of: fixture.account)
    }

    @Test("Out and in again: the same messages, flags, dates and UIDs", arguments: TransferFormat.allCases)
    func roundTrip(_ format: TransferFormat) async throws {
        let fixture = try await Fixture()
        try await fill(fixture)
        let report = try await fixture.give(format, to: "out")
        #expect(report.added == 21 && report.failed == 0)
        let other = try await fixture.secondAccount()
        let source = format.source(at: fixture.root + "/out", mailbox: nil)
        #expect(try TransferFormat.recognize(fixture.root + "/out") == format)
        let taken = try await MailImport(source, into: other, of: fixture.store).run { _, _ in }
        #expect(taken.added == 21 && taken.failed == 0)
        for name in ["INBOX", "Work", "Work/Plän.e"] {
            // In an mbox, every message's last line ends.
            let sent = try await fixture.messages(name).map { format == .mbox && !$0.hasSuffix("|") ? $0 + "|" : $0 }
            #expect(try await fixture.messages(name, of: other) == sent, "\(name)")
            #expect(try await fixture.mailbox(name, of: other).uidValidity == fixture.mailbox(name).uidValidity)
        }
    }

    @Test("A second export writes what is new, and what flags have become", arguments: [TransferFormat.maildir, .eml])
    func again(_ format: TransferFormat) async throws {
        let fixture = try await Fixture()
        try await fill(fixture)
        try await fixture.give(format, to: "out")
        let inbox = try await fixture.mailbox("INBOX").id
        _ = try await fixture.store.changeFlags(inbox, NumberSet(2...2), .replace([.deleted]), unchangedSince: nil)
        let report = try await fixture.give(format, to: "out")
        #expect(report.added == 0 && report.present == 21)
        let source = format.source(at: fixture.root + "/out", mailbox: nil)
        let box = try #require(try source.mailboxes().first { $0.name == .inbox })
        #expect(try source.messages(of: box).map(\.flags).first == [.deleted])
    }

    @Test("mboxrd quoting undoes itself, however it is cut", arguments: 0..<40)
    func quoting(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let words = [">", "F", "From ", "From", "\n", ">From ", "x", " ", ">>"]
        let text = Array((0..<60).map { _ in words.randomElement(using: &generator) ?? "" }.joined().utf8)
        var (quoting, unquoting) = (FromQuoting(), FromUnquoting())
        var (quoted, plain): ([UInt8], [UInt8]) = ([], [])
        for byte in text { quoting.append([byte], to: &quoted) }
        quoting.finish(&quoted)
        for line in quoted.split(separator: 0x0A) { #expect(!line.starts(with: "From ".utf8)) }
        var rest = quoted[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...7, using: &generator))
            unquoting.append(piece, to: &plain)
            rest = rest.dropFirst(piece.count)
        }
        unquoting.finish(&plain)
        #expect(plain == text)
    }
}
