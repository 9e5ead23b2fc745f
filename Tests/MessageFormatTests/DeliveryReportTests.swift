import Foundation
import MailTestSupport
import MailVocabulary
import Testing

@testable import MessageFormat

/// What Python's email package, which knows nothing of this server, reads in a report.
private struct ReadReport: Decodable, Equatable {
    var type: String
    var reportType: String
    var parts: [String]
    /// Per-message fields, then each recipient's.
    var fields: [[String: String]]
    var header: [String: String]
    var explanation: String
    var returnedSubject: String
    var returnedBody: String
    var defects: Int
    var isSevenBit: Bool
    var longestLine: Int

    static let script = """
        import email, email.policy, json, sys
        data = sys.stdin.buffer.read()
        message = email.message_from_bytes(data, policy=email.policy.default)
        parts = list(message.iter_parts())
        status = parts[1].get_payload()
        returned = parts[2].get_payload()
        if isinstance(returned, list):
            inner = returned[0]
        else:
            inner = email.message_from_bytes(parts[2].get_payload(decode=True), policy=email.policy.default)
        print(json.dumps({
            "type": message.get_content_type(), "reportType": message.get_param("report-type"),
            "parts": [part.get_content_type() for part in parts],
            "fields": [{name: "".join(value.splitlines()) for name, value in block.items()} for block in status],
            "header": {name.lower(): str(value) for name, value in message.items()},
            "explanation": parts[0].get_content(),
            "returnedSubject": str(inner["subject"]),
            "returnedBody": inner.get_payload() if isinstance(inner.get_payload(), str) else "",
            "defects": sum(len(part.defects) for part in message.walk()),
            "isSevenBit": all(octet < 128 for octet in data),
            "longestLine": max(len(line) for line in data.split(b"\\r\\n")),
        }))
        """

    static func read(_ bytes: [UInt8]) async throws -> ReadReport {
        try await blocking {
            let process = ChildProcess()
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["python3", "-c", script]
            let (input, output) = (ProgramPipe(), ProgramPipe())
            process.standardInput = input
            process.standardOutput = output
            try process.run()
            try input.fileHandleForWriting.write(contentsOf: Data(bytes))
            try input.fileHandleForWriting.close()
            let data = output.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return try JSONDecoder().decode(ReadReport.self, from: data)
        }
    }
}

@Suite("Delivery status notifications")
struct DeliveryReportTests {
    private static let original = Array(
        "Received: x\r\nMessage-ID: <one@example.org>\r\nSubject: hello\r\n\r\nHi there.\r\n".utf8)

    private func report(
        _ action: DeliveryReport.Action, returned: [UInt8] = original,
        _ change: (inout DeliveryReport) -> Void = { _ in }
    ) -> DeliveryReport {
        var report = DeliveryReport(
            action, host: "mail.example.org", sender: "joe@example.org",
            recipients: [
                DeliveryReport.Recipient(
                    address: "ann@example.net", original: "rfc822;Ann.Other@example.com", status: "5.1.1",
                    diagnostic: "550 5.1.1 no such user", remoteHost: "mx.example.net",
                    lastAttempt: Timestamp(seconds: 1_000_060, zoneMinutes: 60)),
                DeliveryReport.Recipient(address: "\"a b\"@example.net", status: "4.4.7", diagnostic: "too late"),
            ],
            date: Timestamp(seconds: 1_000_100, zoneMinutes: 60), messageID: "n1@mail.example.org", boundary: "=_b1",
            arrival: Timestamp(seconds: 1_000_000, zoneMinutes: 60), returned: returned)
        change(&report)
        return report
    }

    @Test("a failure, with all of the message, as another program reads it")
    func failure() async throws {
        let report = report(.failed) {
            $0.returnsAll = true
            $0.envelopeIdentifier = "QQ314159"
        }
        let read = try await ReadReport.read(report.encoded())
        #expect(read.type == "multipart/report")
        #expect(read.reportType == "delivery-status")
        #expect(read.parts == ["text/plain", "message/delivery-status", "message/rfc822"])
        #expect(read.defects == 0 && read.isSevenBit && read.longestLine <= 998)
        #expect(read.header["auto-submitted"] == "auto-replied")
        #expect(read.header["from"] == "Mail Delivery System <MAILER-DAEMON@mail.example.org>")
        #expect(read.header["to"] == "joe@example.org" || read.header["to"] == "<joe@example.org>")
        #expect(read.header["references"] == "<one@example.org>")
        #expect(read.header["date"] == "Mon, 12 Jan 1970 14:48:20 +0100")
        #expect(
            read.fields[0] == [
                "Original-Envelope-Id": "QQ314159", "Reporting-MTA": "dns; mail.example.org",
                "Arrival-Date": "Mon, 12 Jan 1970 14:46:40 +0100",
            ])
        #expect(
            read.fields[1] == [
                "Original-Recipient": "rfc822;Ann.Other@example.com", "Final-Recipient": "rfc822; ann@example.net",
                "Action": "failed", "Status": "5.1.1", "Remote-MTA": "dns; mx.example.net",
                "Diagnostic-Code": "smtp; 550 5.1.1 no such user",
                "Last-Attempt-Date": "Mon, 12 Jan 1970 14:47:40 +0100",
            ])
        #expect(
            read.fields[2] == [
                "Final-Recipient": "rfc822; \"a b\"@example.net", "Action": "failed", "Status": "4.4.7",
                "Diagnostic-Code": "x-latchmail; too late",
            ])
        #expect(read.explanation.contains("<ann@example.net>"))
        #expect(read.explanation.contains("550 5.1.1 no such user (mx.example.net said so)"))
        #expect(read.returnedSubject == "hello")
        #expect(read.returnedBody.contains("Hi there."))
    }

    @Test(
        "the header only, unless all is asked for",
        arguments: [
            (DeliveryReport.Action.failed, "failed"), (.delayed, "delayed"), (.delivered, "delivered"),
            (.relayed, "relayed"),
        ])
    func header(_ action: DeliveryReport.Action, _ word: String) async throws {
        let report = report(action) { $0.retryUntil = Timestamp(seconds: 1_432_000, zoneMinutes: 0) }
        let read = try await ReadReport.read(report.encoded())
        #expect(read.parts[2] == "text/rfc822-headers")
        #expect(read.fields[1]["Action"] == word)
        #expect(
            read.fields[1]["Will-Retry-Until"] == (action == .delayed ? "Sat, 17 Jan 1970 13:46:40 +0000" : nil))
        #expect(read.returnedSubject == "hello")
        #expect(!String(decoding: report.encoded(), as: UTF8.self).contains("Hi there."))
        #expect(read.defects == 0 && read.isSevenBit)
    }

    @Test("addresses that are no ASCII: written so that any transport carries them (RFC 6533)")
    func internationalized() async throws {
        let message = Array("Subject: gr\u{fc}n\r\n\r\nHi.\r\n".utf8)
        let report = report(.failed, returned: message) {
            $0.returnsAll = true
            $0.recipients[0].address = "\u{fc}ser@ex\u{e4}mple.net"
            $0.recipients[0].original = "utf-8;\u{fc}ser@ex\u{e4}mple.net"
        }
        let read = try await ReadReport.read(report.encoded())
        #expect(read.isSevenBit)
        #expect(read.parts[2] == "message/global")
        #expect(read.fields[1]["Final-Recipient"] == "utf-8; \\x{FC}ser@ex\\x{E4}mple.net")
        #expect(read.fields[1]["Original-Recipient"] == "utf-8;\\x{FC}ser@ex\\x{E4}mple.net")
        #expect(read.explanation.contains("<\u{fc}ser@ex\u{e4}mple.net>"))
        #expect(!report.isInternationalized)
        #expect(self.report(.failed) { $0.sender = "\u{fc}ser@example.org" }.isInternationalized)
    }

    @Test("octets above 127 in the body: all of it where it may be so, else the header")
    func eightBit() async throws {
        let message = Array("Subject: hello\r\n\r\n".utf8) + [0xE9, 0x0D, 0x0A]
        var report = report(.failed, returned: message) { $0.returnsAll = true }
        #expect(try await ReadReport.read(report.encoded()).parts[2] == "text/rfc822-headers")
        report.allowsEightBit = true
        let read = try await ReadReport.read(report.encoded())
        #expect(read.parts[2] == "message/rfc822")
        #expect(!read.isSevenBit)
        #expect(report.encoded().contains(0xE9))
    }

    @Test(
        "what a peer or a sender wrote cannot forge fields, end parts or break lines",
        arguments: [
            "550 no\r\nAction: delivered\r\n\r\nFinal-Recipient: rfc822; x@y", "550 \u{1b}[31mred\u{7}\u{e9}",
            "550 " + String(repeating: "x", count: 5000), "550 " + String(repeating: "word ", count: 500),
            "550 --=_b1--", "",
        ])
    func hostile(_ diagnostic: String) async throws {
        let message = Array("Subject: a\r\nMessage-ID: <x>\u{1b}\r\n".utf8)
        let report = report(.failed, returned: message) {
            $0.recipients[0].diagnostic = diagnostic
            $0.envelopeIdentifier = diagnostic
        }
        let read = try await ReadReport.read(report.encoded())
        #expect(read.fields.count == 3)
        #expect(read.fields[1]["Action"] == "failed")
        #expect(read.fields[1]["Final-Recipient"] == "rfc822; ann@example.net")
        #expect(read.parts.count == 3 && read.isSevenBit && read.longestLine <= 998)
        #expect(read.header["references"] == nil)
    }

    @Test(
        "a message that cannot stand as it is: lines too long, bare line ends, NUL, no end",
        arguments: [
            "Subject: a\r\n\r\n" + String(repeating: "x", count: 2000) + "\r\n", "Subject: a\r\n\r\nx\ny\r\n",
            "Subject: a\r\n\r\nx\ry\r\n", "Subject: a\r\n\r\nx\0y\r\n", "Subject: a", "Subject: a\r\n",
            "Subject: a\r\nX: " + String(repeating: "x", count: 2000) + "\r\n\r\nx\r\n",
        ])
    func awkward(_ message: String) async throws {
        let report = report(.failed, returned: Array(message.utf8)) { $0.returnsAll = true }
        let read = try await ReadReport.read(report.encoded())
        #expect(read.parts.count == 3)
        #expect(read.returnedSubject == "a")
        #expect(read.isSevenBit && read.longestLine <= 998)
        #expect(read.defects == 0)
    }

    @Test("no returned content makes it crash")
    func mutations() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<2000 {
            var octets = Self.original
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                let index = Int.random(in: 0..<octets.count, using: &random)
                octets[index] = UInt8.random(in: 0...255, using: &random)
            }
            let report = report(.failed, returned: Array(octets.prefix(Int.random(in: 0...80, using: &random)))) {
                $0.returnsAll = Bool.random(using: &random)
                $0.allowsEightBit = Bool.random(using: &random)
            }
            let encoded = report.encoded()
            #expect(report.allowsEightBit || encoded.allSatisfy { $0 < 0x80 })
        }
    }
}
