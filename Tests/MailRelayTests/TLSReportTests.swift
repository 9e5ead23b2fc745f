import Foundation
import MailDNS
import MailTestSupport
import MailVocabulary
import Synchronization
import Testing

@testable import MailRelay

struct TLSReportRecordTests {
    @Test(
        "Records that say where reports go (RFC 8460 §3)",
        arguments: [
            ("v=TLSRPTv1; rua=mailto:reports@example.com", ["reports@example.com"]),
            (
                "v=TLSRPTv1;rua=mailto:a@example.com , https://r.example/v1?x=1;",
                ["a@example.com", "r.example:443/v1?x=1"]
            ),
            ("v=TLSRPTv1; rua=https://r.example:8443", ["r.example:8443/"]),
            ("v=TLSRPTv1; rua=mailto:a%2Bb@example.com?subject=x", ["a+b@example.com"]),
            ("v=TLSRPTv1; rua=ftp://x.example,mailto:a@example.com", ["a@example.com"]),
            ("v=TLSRPTv1; rua=mailto:a%0D%0Ab@example.com", nil), ("v=TLSRPTv1; rua=mailto:nobody", nil),
            ("v=TLSRPTv1; rua=http://r.example/", nil), ("v=TLSRPTv1; rua=https://r.example:0/", nil),
            ("v=TLSRPTv1; rua=https://user@r.example/", nil), ("v=TLSRPTv1; rua=https:///x", nil),
            ("v=TLSRPTv1", nil), ("v=TLSRPTv2; rua=mailto:a@example.com", nil), ("rua=mailto:a@example.com", nil),
            ("v=TLSRPTv1; rua=", nil),
        ])
    func records(_ text: String, _ expected: [String]?) {
        let found = TLSReportRecord(Array(text.utf8))?.destinations.map { destination in
            switch destination {
            case .mail(let address): address.description
            case .web(let host, let port, let path): "\(host):\(port)\(path)"
            }
        }
        #expect(found == expected)
    }

    @Test("One record, few destinations, and no crash on what is mutated")
    func bounds() {
        let seed = Array("v=TLSRPTv1; rua=mailto:reports@example.com,https://r.example/v1".utf8)
        #expect(TLSReportRecord([seed, seed]) == nil)
        #expect(TLSReportRecord([seed, [0x20]])?.destinations.count == 2)
        let many = "v=TLSRPTv1; rua=" + (0..<50).map { "mailto:a\($0)@example.com" }.joined(separator: ",")
        #expect(TLSReportRecord(Array(many.utf8))?.destinations.count == TLSReportRecord.maximumDestinations)
        var generator = SeededGenerator(seed: 8460)
        for _ in 0..<10_000 {
            var text = seed
            for _ in 0..<3 {
                text[Int.random(in: 0..<text.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            for destination in TLSReportRecord(text)?.destinations ?? [] {
                guard case .mail(let address) = destination else { continue }
                #expect(address.description.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
            }
        }
    }
}

struct TLSReporterTests {
    /// Noon of 2026-01-02.
    private let clock = ManualClock(1_767_355_200)
    private let resolver = ScriptedResolver()
    private let uploads = RecordedUploads()

    private let sts = ReportedPolicy(
        .sts, recipientDomain: "example.org", lines: ["version: STSv1", "mode: enforce"],
        hostPatterns: ["*.example.org"])

    private func ledger(_ directory: String? = nil) -> TLSLedger {
        TLSLedger(directory: directory) { [clock] in clock.now }
    }

    private final class Outbox: Sendable {
        private let content = Mutex<(mails: [TLSReportMail], isFailing: Bool)>(([], false))
        var mails: [TLSReportMail] { content.withLock { $0.mails } }
        func fail(_ isFailing: Bool) { content.withLock { $0.isFailing = isFailing } }
        func add(_ mail: TLSReportMail) throws {
            try content.withLock { content in
                if content.isFailing { throw DNSFailure.timeout }
                content.mails.append(mail)
            }
        }
    }

    private func reporter(_ ledger: TLSLedger, _ outbox: Outbox) throws -> TLSReporter {
        let contact = try #require(Address("postmaster@mail.example"))
        return TLSReporter(
            ledger: ledger, resolver: resolver, uploader: uploads, submitter: "mail.example", contact: contact,
            now: { [clock] in clock.now }, submit: { try outbox.add($0) })
    }

    private func want(_ destinations: String, _ domain: String = "example.org") {
        resolver.set("_smtp._tls.\(domain)", .txt, [.txt(Array("v=TLSRPTv1; rua=\(destinations)".utf8))], .insecure)
    }

    private func fill(_ ledger: TLSLedger) {
        for _ in 0..<5 { ledger.record(TLSSessionResult(policy: sts)) }
        for _ in 0..<2 {
            ledger.record(
                TLSSessionResult(
                    policy: sts, failure: .expired, sendingAddress: "2001:db8::1", receivingAddress: "192.0.2.1",
                    receivingHost: "mx.example.org", reason: "expired\r\nX: y"))
        }
        ledger.record(
            TLSSessionResult(
                policy: ReportedPolicy(
                    .tlsa, recipientDomain: "example.org", policyDomain: "mx.example.net", lines: ["3 1 1 ab"])))
        ledger.record(TLSSessionResult(policy: ReportedPolicy(.none, recipientDomain: "silent.example")))
    }

    @Test("A day's results are sent when it is over, once, to those who want them; a foreign program reads the report")
    func mail() async throws {
        want("mailto:tls@example.org,mailto:also@example.org")
        let (ledger, outbox) = (ledger(), Outbox())
        fill(ledger)
        let reporter = try reporter(ledger, outbox)
        await reporter.sendDue()
        #expect(outbox.mails.isEmpty)
        clock.advance(86_400)
        await reporter.sendDue()
        await reporter.sendDue()
        #expect(outbox.mails.count == 1)
        let mail = try #require(outbox.mails.first)
        #expect(mail.recipients.map(\.description) == ["tls@example.org", "also@example.org"])
        let read = try await blocking { try readReport(mail.content) }
        let expected = """
            multipart/report tlsrpt
            No
            example.org mail.example
            application/tlsrpt+gzip mail.example!example.org!1767312000!1767398399!
            mail.example postmaster@mail.example 2026-01-02T00:00:00Z 2026-01-02T23:59:59Z
            sts example.org ['version: STSv1', 'mode: enforce'] ['*.example.org'] 5 2
            certificate-expired 2001:db8::1 mx.example.org 192.0.2.1 2 expired??X: y
            tlsa mx.example.net ['3 1 1 ab'] None 1 0

            """
        #expect(read == expected)
        let lines = mail.content.split(separator: 0x0A, omittingEmptySubsequences: false).dropLast()
        let isRight = lines.allSatisfy { $0.last == 0x0D && $0.count <= 998 }
        #expect(isRight)
    }

    @Test("What cannot be sent now is sent later, and given up on after some days")
    func retries() async throws {
        want("mailto:tls@example.org")
        resolver.set("_smtp._tls.silent.example", .txt, .failure(.timeout))
        let (ledger, outbox) = (ledger(), Outbox())
        fill(ledger)
        let reporter = try reporter(ledger, outbox)
        clock.advance(86_400)
        outbox.fail(true)
        await reporter.sendDue()
        #expect(ledger.due.count == 2)
        outbox.fail(false)
        await reporter.sendDue()
        #expect(outbox.mails.count == 1)
        #expect(ledger.due.map(\.domain) == ["silent.example"])
        clock.advance(86_400 * 3)
        #expect(ledger.due.isEmpty)
    }

    @Test("Web servers get the same report; one destination that takes it is enough")
    func uploads() async throws {
        want("https://r.example/in,mailto:tls@example.org")
        let (ledger, outbox) = (ledger(), Outbox())
        fill(ledger)
        outbox.fail(true)
        clock.advance(86_400)
        try await reporter(ledger, outbox).sendDue()
        #expect(uploads.urls == ["r.example:443/in"])
        #expect(ledger.due.isEmpty)
    }

    @Test("A bogus record is not believed")
    func bogus() async throws {
        resolver.set(
            "_smtp._tls.example.org", .txt, [.txt(Array("v=TLSRPTv1; rua=mailto:evil@example.net".utf8))],
            .bogus(reason: "bad"))
        let (ledger, outbox) = (ledger(), Outbox())
        fill(ledger)
        clock.advance(86_400)
        try await reporter(ledger, outbox).sendDue()
        #expect(outbox.mails.isEmpty)
        #expect(ledger.due.map(\.domain) == ["example.org"])
    }

    @Test("Results survive a restart; a damaged file is none")
    func kept() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "tls-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let first = ledger(directory)
        fill(first)
        first.save()
        clock.advance(86_400)
        let second = ledger(directory)
        #expect(second.due.map(\.domain) == ["example.org", "silent.example"])
        #expect(second.due.first?.policies == first.due.first?.policies)
        try Data("{".utf8).write(to: URL(fileURLWithPath: directory + "/tls-results.json"))
        #expect(ledger(directory).due.isEmpty)
    }

    @Test("Whatever is reported, memory is bounded")
    func bounds() {
        let ledger = ledger()
        for number in 0..<(TLSLedger.maximumDetails * 2) {
            ledger.record(TLSSessionResult(policy: sts, failure: .expired, reason: "\(number)"))
        }
        for number in 0..<(TLSLedger.maximumPolicies * 2) {
            ledger.record(
                TLSSessionResult(
                    policy: ReportedPolicy(.tlsa, recipientDomain: "example.org", policyDomain: "\(number)")))
        }
        for number in 0..<(TLSLedger.maximumDomains * 2) {
            ledger.record(TLSSessionResult(policy: ReportedPolicy(.none, recipientDomain: "d\(number).example")))
        }
        clock.advance(86_400)
        #expect(ledger.due.count == TLSLedger.maximumDomains)
        let policies = ledger.due.first { $0.domain == "example.org" }?.policies
        #expect(policies?.count == TLSLedger.maximumPolicies)
        #expect(policies?[sts]?.failures == TLSLedger.maximumDetails * 2)
        #expect(policies?[sts]?.details.count == TLSLedger.maximumDetails)
    }
}

private final class RecordedUploads: TLSReportUploader {
    private let content = Mutex<[String]>([])
    var urls: [String] { content.withLock { $0 } }

    func upload(_ gzip: [UInt8], host: String, port: Int, path: String) async -> Bool {
        content.withLock { $0.append("\(host):\(port)\(path)") }
        return gzip.starts(with: [0x1F, 0x8B])
    }
}

/// Python's e-mail, gzip and JSON readers, as an independent witness.
private func readReport(_ message: [UInt8]) throws -> String {
    let script = """
        import email.policy, gzip, json, sys
        mail = email.message_from_bytes(sys.stdin.buffer.read(), policy=email.policy.default)
        print(mail.get_content_type(), mail["content-type"].params["report-type"])
        print(mail["tls-required"])
        print(mail["tls-report-domain"], mail["tls-report-submitter"])
        text, part = mail.iter_parts()
        print(part.get_content_type(), part.get_filename().rsplit("!", 1)[0] + "!")
        report = json.loads(gzip.decompress(part.get_content()))
        dates = report["date-range"]
        print(report["organization-name"], report["contact-info"], dates["start-datetime"], dates["end-datetime"])
        for p in report["policies"]:
            q, s = p["policy"], p["summary"]
            print(q["policy-type"], q["policy-domain"], q.get("policy-string"), q.get("mx-host"),
                s["total-successful-session-count"], s["total-failure-session-count"])
            for f in p.get("failure-details", []):
                print(f["result-type"], f["sending-mta-ip"], f["receiving-mx-hostname"], f["receiving-ip"],
                    f["failed-session-count"], f["failure-reason-code"])
        """
    let process = ChildProcess()
    let (input, output) = (ProgramPipe(), ProgramPipe())
    process.executableURL = URL(filePath: "/usr/bin/python3")
    process.arguments = ["-c", script]
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    try input.fileHandleForWriting.write(contentsOf: Data(message))
    try input.fileHandleForWriting.close()
    let text = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    return String(decoding: text, as: UTF8.self)
}
