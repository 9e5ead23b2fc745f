import Foundation
import MailStore
import MailTestSupport
import MailVocabulary
import Synchronization
import Testing

@testable import IMAPServer

@Suite struct TranscriptTests {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Transcripts/imap")

    static let names: [String] = {
        let files = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return files.filter { $0.hasSuffix(".transcript") }.sorted()
    }()

    // STARTTLS, LOGINDISABLED and what follows them: [2595-3-1] [2595-3.1-1] [2595-3.1-2] [2595-3.1-4] [2595-3.1-10]
    // [2595-3.1-12] [2595-3.2-1] [2595-3.2-2] [2595-3.2-3] [8314-3.2-6s] [2595-2.2-1s]
    @Test("Transcripts of the RFCs and of attacks, whole and byte by byte", arguments: names)
    func play(_ name: String) async throws {
        let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        let transcript = try Transcript(text)
        for byByte in [false, true] where !(byByte && Self.needsOneBatch(name)) {
            let (fixture, client) = try await client(for: text)
            let others = OtherSessions(fixture)
            try await client.driver.play(transcript, byByte: byByte) { await others.send($0, $1) }
        }
    }

    /// What is behind a command is seen only when it comes with it.
    private static func needsOneBatch(_ name: String) -> Bool {
        name.hasPrefix("attack-starttls") || name.hasPrefix("attack-compress")
    }

    @Test("There are transcripts") func areThere() { #expect(Self.names.count >= 10) }

    func client(for text: String) async throws -> (Fixture, Client) {
        let fixture = try await Fixture()
        if text.contains("fixture: quota") {
            let limits = QuotaLimits(storage: .limited(512 << 10), messages: .limited(2))
            try await fixture.store.setQuota(limits, of: fixture.account.id)
        }
        if text.contains("fixture: administrator") {
            try await fixture.store.setAdministrator(true, fixture.account.id)
            _ = try await fixture.addAccount("jill")
            return (fixture, try await fixture.anew().client())
        }
        if text.contains("fixture: long search") {
            try await fixture.deliver((1...2500).map(Fixture.simple))
            var intervals = ProgressIntervals()
            (intervals.first, intervals.next) = (.zero, .zero)
            return (fixture, fixture.client(intervals: intervals))
        }
        if text.contains("fixture: cleartext") { return (fixture, fixture.client(tls: nil)) }
        if text.contains("fixture: sample") { try await fixture.deliverSample() }
        if text.contains("fixture: sharing") { try await fixture.shareMailboxes() }
        if text.contains("fixture: damaged") {
            let body = try await fixture.store.open(try await fixture.mailbox("INBOX").id)[0].body
            fixture.served.condition.withLock { $0.damagedBodies = [body] }
        }
        var settings = IMAPSettings()
        if text.contains("fixture: authorised URLs") { settings.urlAuthentication = URLAuthorizationTests.code }
        if text.contains("fixture: message limit") { settings.messageLimit = .processed(3) }
        if text.contains("fixture: save limit") { settings.messageLimit = .saved(3) }
        return (fixture, fixture.client(settings: settings))
    }
}

/// Sessions of other clients, one for each user that a transcript names.
final class OtherSessions {
    private let fixture: Fixture
    private var clients: [String: Client] = [:]

    init(_ fixture: Fixture) { self.fixture = fixture }

    /// Nil when the command succeeds.
    func send(_ user: String, _ bytes: [UInt8]) async -> String? {
        if clients[user] == nil { clients[user] = await fixture.session(as: user) }
        guard let client = clients[user] else { return "no session" }
        let answer = String(decoding: await client.sendBytes(Array("o ".utf8) + bytes + [0x0D, 0x0A]), as: UTF8.self)
        return answer.split(separator: "\r\n").last?.hasPrefix("o OK ") == true ? nil : answer
    }
}

extension Fixture {
    /// What ann and the domain share with fred.
    func shareMailboxes() async throws {
        try await share("Target", of: "ann", "lrwis")
        try await share("Drop", of: "ann", "i")
        try await share("Secret", of: "ann", "lr", with: "bob")
        try await share("Team", of: "ann", "lrk")
        try await share("Team/Reports", of: "ann", "lrswitexa", with: "fred")
        try await deliver([Fixture.simple(1), Fixture.simple(2)], to: "Team/Reports", of: "ann")
        try await share("News", of: "shared", "lr", with: nil)
        try await share("News", of: "shared", "w", with: "fred")
        try await deliver((1...3).map(Fixture.simple))
    }

    /// The mailbox of RFC 3501 §8: 18 messages, the last two recent and not seen, number 12 as described there.
    func deliverSample() async throws {
        let header = """
            Date: Wed, 17 Jul 1996 02:23:25 -0700 (PDT)
            From: Terry Gray <gray@cac.washington.edu>
            Subject: IMAP4rev1 WG mtg summary and minutes
            To: imap@cac.washington.edu
            cc: minutes@CNRI.Reston.VA.US, John Klensin <KLENSIN@MIT.EDU>
            Message-Id: <B27397-0100000@cac.washington.edu>
            MIME-Version: 1.0
            Content-Type: TEXT/PLAIN; CHARSET=US-ASCII


            """
        // 3028 octets in 92 lines.
        let body =
            String(repeating: String(repeating: "x", count: 31) + "\n", count: 91) + String(repeating: "y", count: 23)
            + "\n"
        try await deliver((1...11).map(Fixture.simple), flags: [.seen])
        let date = Timestamp(seconds: 837_596_665, zoneMinutes: -420)
        try await deliver([header + body], flags: [.seen], date: date)
        try await deliver((13...16).map(Fixture.simple), flags: [.seen])
        _ = try await store.claimRecent(try await mailbox("INBOX").id)
        try await deliver([Fixture.simple(17), Fixture.simple(18)])
    }
}
