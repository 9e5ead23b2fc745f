import Foundation
import MailStore
import MailVocabulary
import Testing

@testable import MailTransfer

@Suite struct ImportTests {
    @Test("Dovecot's Maildir++: UIDs, keywords, flags, dates, folders, subscriptions")
    func dovecot() async throws {
        let fixture = try await Fixture()
        try fixture.makeMaildir("")
        try fixture.makeMaildir(".Work.Pl&AOQ-ne")
        try fixture.makeMaildir(".Sent")
        try fixture.write("Subject: b\n\nlast\n", to: "cur/2.M2P1.host,S=17:2,RSa", date: 2_000_000)
        try fixture.write("Subject: a\n\nfirst\n", to: "cur/1.M1P1.host:2,PDFT", date: 3_000_000)
        try fixture.write("Subject: c\n\nnew\n", to: "new/3.M3P1.host", date: 4_000_000)
        try fixture.write(
            "3 V1275660208 N30 G00\n12 W17 :1.M1P1.host:2,S\n25 :2.M2P1.host,S=17\n", to: "dovecot-uidlist")
        try fixture.write("0 $Label1\n1 NonJunk\n", to: "dovecot-keywords")
        try fixture.write("V\t2\n\nWork\tPl&AOQ-ne\n", to: "subscriptions")
        try fixture.write("Subject: d\r\n\r\ndeep\r\n", to: ".Work.Pl&AOQ-ne/cur/4.M4.host:2,", date: 5_000_000)
        let report = try await fixture.take()
        #expect(report.added == 4)
        #expect(report.problems == [])
        #expect(
            try await fixture.messages("INBOX") == [
                "12 [\\Flagged \\Deleted \\Draft $Forwarded] 3000000: Subject: a||first|",
                "25 [\\Answered \\Seen $Label1] 2000000: Subject: b||last|",
                "26 [] 4000000: Subject: c||new|",
            ])
        #expect(try await fixture.mailbox("INBOX").uidValidity.value == 1_275_660_208)
        #expect(try await fixture.messages("Work/Pläne") == ["1 [] 5000000: Subject: d||deep|"])
        #expect(try await fixture.mailbox("Work/Pläne").isSubscribed)
    }

    @Test("Courier's Maildir: its own UID list, keywords and subscriptions")
    func courier() async throws {
        let fixture = try await Fixture()
        try fixture.makeMaildir("")
        try fixture.makeMaildir(".List")
        try fixture.write("a: b\n\n1\n", to: "cur/1.M1.host:2,S")
        try fixture.write("1 1100000000 9\n7 1.M1.host\n", to: "courierimapuiddb")
        try fixture.write("first\nsecond\n1.M1.host:1\n", to: "courierimapkeywords/:list")
        try fixture.write("INBOX\nINBOX.List\n", to: "courierimapsubscribed")
        try await fixture.take()
        #expect(try await fixture.messages("INBOX") == ["7 [\\Seen second] 1000000: a: b||1|"])
        #expect(try await fixture.mailbox("INBOX").uidValidity.value == 1_100_000_000)
        #expect(try await fixture.mailbox("List").isSubscribed)
    }

    @Test("Nested Maildirs, as mbsync and Dovecot's fs layout have them")
    func nested() async throws {
        let fixture = try await Fixture()
        for path in ["INBOX", "Lists/Swift", "Lists/Swift/.Old"] { try fixture.makeMaildir(path) }
        for path in ["INBOX", "Lists/Swift", "Lists/Swift/.Old"] {
            try fixture.write("x: \(path)\n\n", to: "\(path)/cur/1.host:2,")
        }
        #expect(try await fixture.take().added == 3)
        #expect(try await fixture.names() == ["INBOX", "Lists/Swift", "Lists/Swift/Old"])
    }

    @Test("An mbox: quoted From lines, status fields, UIDs; Thunderbird's removed messages stay behind")
    func mbox() async throws {
        let fixture = try await Fixture()
        try fixture.write(
            """
            From MAILER-DAEMON Fri Nov 21 10:00:00 2025
            X-IMAPbase: 1275660208 0000000012 $Label1
            Status: RO
            X-Status: AF
            X-Keywords: $Label1 Later
            X-UID: 5
            Subject: one

            >From here
            >>From there
            From me, no date but no empty line before

            From a@b.example  Sat Nov 22 11:30:00 +0100 2025
            X-UID: 9
            X-Mozilla-Status: 0009
            Subject: removed

            gone

            From a@b.example Sat Nov 22 11:30:00 2025 +0100
            X-UID: 10
            Subject: two
            Content-Length: 5

            text

            """, to: "Mail/Old things.mbox")
        try fixture.write("", to: "Mail/Empty")
        try fixture.write("not mail", to: "Mail/Inbox.msf")
        try fixture.write("From x Sat Nov 22 11:30:00 2025\nX-Mozilla-Status: 1003\n\nsub\n", to: "Mail/A.sbd/B")
        let report = try await fixture.take("Mail")
        #expect(report.added == 3)
        #expect(
            try await fixture.messages("Old things") == [
                "5 [\\Answered \\Flagged \\Seen $Label1 Later] 1763719200: "
                    + "Subject: one||From here|>From there|From me, no date but no empty line before|",
                "10 [] 1763807400: Subject: two||text|",
            ])
        #expect(try await fixture.mailbox("Old things").uidValidity.value == 1_275_660_208)
        #expect(
            try await fixture.messages("A/B") == [
                "1 [\\Answered \\Seen $Forwarded] 1763811000: X-Mozilla-Status: 1003||sub|"
            ])
        // One file alone, into a mailbox of one's choice.
        #expect(try await fixture.take("Mail/A.sbd/B", mailbox: "Kept").added == 1)
        #expect(try await fixture.names() == ["A/B", "Kept", "Old things"])
    }

    @Test("An eml tree: dates from the newest Received, or Date, or the file")
    func eml() async throws {
        let fixture = try await Fixture()
        try fixture.write(
            "Received: from x by y;\r\n Fri, 21 Nov 2025 10:00:00 +0000\r\nDate: Thu, 1 Jan 2015 00:00:00 +0000\r\n\r\n1",
            to: "tree/one.eml")
        try fixture.write("Date: Thu, 1 Jan 2015 00:00:00 +0000\n\n2\n", to: "tree/Sub/two.EML")
        try fixture.write("x: y\n\n3\n", to: "tree/Sub/three.eml", date: 123)
        try fixture.write("ignored", to: "tree/Sub/readme.txt")
        #expect(try await fixture.take("tree").added == 3)
        #expect(try await fixture.messages("INBOX").map { $0.prefix(16) } == ["1 [] 1763719200:"])
        #expect(
            try await fixture.messages("Sub") == [
                "1 [] 123: x: y||3|", "2 [] 1420070400: Date: Thu, 1 Jan 2015 00:00:00 +0000||2|",
            ])
    }

    @Test("Repeated after an interruption, an import adds what is missing and nothing twice")
    func resumed() async throws {
        let fixture = try await Fixture()
        try fixture.makeMaildir("")
        // Two that are the same to the last octet, and one of the same size and date.
        for (name, text) in [("1.a", "x: y\n\nsame\n"), ("2.b", "x: y\n\nsame\n"), ("3.c", "x: y\n\nelse\n")] {
            try fixture.write(text, to: "cur/\(name):2,")
        }
        #expect(try await fixture.take().added == 3)
        #expect(
            try await fixture.take()
                == {
                    var report = TransferReport(); report.mailboxes = 1; report.present = 3; return report
                }())
        let inbox = try await fixture.mailbox("INBOX").id
        _ = try await fixture.store.remove(NumberSet(1...1), from: inbox, onlyDeleted: false)
        try fixture.write("x: y\n\nlate\n", to: "new/4.d")
        let report = try await fixture.take()
        #expect(report.added == 2 && report.present == 2)
        #expect(try await fixture.messages("INBOX").count == 4)
    }

    @Test("What cannot be taken is named and left out")
    func problems() async throws {
        let fixture = try await Fixture()
        try fixture.makeMaildir("")
        try fixture.write("x: y\n\n" + String(repeating: "long\n", count: 50), to: "cur/1.a:2,")
        try fixture.write("", to: "cur/2.b:2,")
        try fixture.write("x: y\n\nok\n", to: "cur/3.c:2,")
        let report = try await fixture.take(limit: 200)
        #expect(report.added == 1 && report.failed == 2)
        #expect(report.problems.contains { $0.hasSuffix("cur/1.a:2,: larger than 200 octets") })
        #expect(report.problems.contains { $0.hasSuffix("cur/2.b:2,: the message is empty") })
        await #expect(throws: TransferError.self) { try await fixture.take("nowhere") }
        try fixture.write("text", to: "plain.txt")
        await #expect(throws: TransferError.self) { try await fixture.take("plain.txt") }
        try FileManager.default.createDirectory(atPath: fixture.root + "/empty", withIntermediateDirectories: true)
        await #expect(throws: TransferError.self) { try await fixture.take("empty") }
    }

    @Test("More keywords than a mailbox holds cost keywords, not messages")
    func keywords() async throws {
        let fixture = try await Fixture()
        let fields = (0..<70).map { "word\($0)" }.joined(separator: " ")
        try fixture.write("From x Sat Nov 22 11:30:00 2025\nX-Keywords: \(fields)\nStatus: R\n\nsub\n", to: "box")
        let report = try await fixture.take("box")
        #expect(report.added == 1 && report.problems.count == 1)
        #expect(try await fixture.messages("box") == ["1 [\\Seen] 1763811000: |sub|"])
    }
}
