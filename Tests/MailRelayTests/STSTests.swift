import Foundation
import MailDNS
import MailTestSupport
import Testing

@testable import MailRelay

struct STSSyntaxTests {
    @Test(
        "Records (RFC 8461 §3.1)",
        arguments: [
            ("v=STSv1; id=20160831085700Z;", "20160831085700Z"), ("v=STSv1;id=1", "1"), ("v=STSv1 ; id=1 ; x=y;", "1"),
            ("v=STSv1; a.b=c; id=abc", "abc"), ("v=STSv1", nil), ("v=STSv1;", nil), ("v=STSv1; id=", nil),
            ("v=STSv1; id=a b", nil), ("v=STSv2; id=1", nil), ("id=1; v=STSv1", nil), ("v=STSv1; id=1;;", nil),
            ("v=STSv1; id=123456789012345678901234567890123", nil), ("V=STSv1; id=1", nil), ("", nil),
            ("v=STSv1; -x=1; id=1", nil),
        ])
    func records(_ text: String, _ id: String?) {
        #expect(STSRecord(Array(text.utf8))?.id == id)
    }

    @Test("Several records are none, other texts do not matter")
    func several() {
        let record = Array("v=STSv1; id=1;".utf8)
        #expect(STSRecord([record, Array("v=spf1 -all".utf8)])?.id == "1")
        #expect(STSRecord([record, record]) == nil)
        #expect(STSRecord([[UInt8]]()) == nil)
    }

    @Test("The policy of RFC 8461 §3.2")
    func example() throws {
        let text =
            "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.Example.net\r\n"
            + "mx: backupmx.example.com\r\nmax_age: 604800\r\n"
        let policy = try #require(STSPolicy(Array(text.utf8)))
        #expect(policy.mode == .enforce)
        #expect(policy.maximumAge == 604_800)
        #expect(policy.allows("MAIL.example.com"))
        #expect(policy.allows("mx.example.net"))
        #expect(!policy.allows("a.mx.example.net"))
        #expect(!policy.allows("example.net"))
        #expect(!policy.allows("mail.example.org"))
        #expect(policy.lines.count == 6)
    }

    @Test(
        "Policies that are none",
        arguments: [
            "", "version: STSv1\nmode: enforce\nmax_age: 1", "version: STSv2\nmode: none\nmax_age: 1",
            "version: STSv1\nmode: enforced\nmx: a.example\nmax_age: 1", "mode: none\nmax_age: 1",
            "version: STSv1\nmode: none\nmax_age: x", "version: STSv1\nmode: none\nmax_age: 12345678901",
            "version: STSv1\nmode: none\nmax_age: -1", "version: STSv1\nmode: none",
            "version: STSv1\nmode: enforce\nmx: a..example\nmax_age: 1",
            "version: STSv1\nmode: enforce\nmx: *\nmax_age: 1",
            "version: STSv1\nmode: enforce\nmx: a*.example\nmax_age: 1",
            "version: STSv1\nmode: none\nmax_age: 1\nnonsense", "<html>",
            "version: STSv1\nmode: none\nmax_age: 1\nx: \u{1}",
        ])
    func rejected(_ text: String) {
        #expect(STSPolicy(Array(text.utf8)) == nil)
    }

    @Test("Unknown fields are passed over, the first of a repeated one counts, ages end at a year")
    func lenient() throws {
        let text = "x-new: y\nmode: testing\nmode: enforce\nversion: STSv1\nmx: a.example\nmax_age: 9999999999\n\n"
        let policy = try #require(STSPolicy(Array(text.utf8)))
        #expect(policy.mode == .testing)
        #expect(policy.maximumAge == STSPolicy.longestAge)
        #expect(STSPolicy(Array("version: STSv1\nmode: none\nmax_age: 1".utf8))?.mode == STSPolicy.Mode.none)
        #expect(STSPolicy(Array((text + String(repeating: " ", count: 70_000)).utf8)) == nil)
    }

    @Test("Mutated policies and records never crash, and never allow what no pattern names")
    func mutated() {
        let seed = Array("version: STSv1\r\nmode: enforce\r\nmx: *.example.net\r\nmax_age: 604800\r\n".utf8)
        let record = Array("v=STSv1; id=20160831085700Z;".utf8)
        var generator = SeededGenerator(seed: 8461)
        for _ in 0..<20_000 {
            var policy = seed
            var text = record
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                policy[Int.random(in: 0..<policy.count, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
                text.remove(at: Int.random(in: 0..<text.count, using: &generator))
            }
            _ = STSRecord(text)
            if let parsed = STSPolicy(policy) { #expect(!parsed.allows("mail.attacker.test")) }
        }
    }
}

/// The life of policies: fetched, kept, held on to, replaced.
struct STSPoliciesTests {
    private let resolver = ScriptedResolver()
    private let files = ScriptedPolicyFiles()
    private let recorder = RecordedResults()
    private let clock = ManualClock(1_700_000_000)

    private func policies(_ directory: String? = nil) -> STSPolicies {
        STSPolicies(resolver: resolver, fetcher: files, directory: directory, recorder: recorder) { [clock] in clock.now
        }
    }

    private func announce(_ id: String, _ mode: String = "enforce", age: Int = 86_400 * 3) {
        resolver.set("_mta-sts.example.org", .txt, [.txt(Array("v=STSv1; id=\(id);".utf8))], .insecure)
        files.set("example.org", "version: STSv1\nmode: \(mode)\nmx: mx.example.org\nmax_age: \(age)\n")
    }

    @Test("A policy is fetched once, and again when its id is another")
    func fetches() async throws {
        announce("1")
        let policies = policies()
        #expect(await policies.policy(for: "example.org")?.mode == .enforce)
        #expect(await policies.policy(for: "example.org")?.mode == .enforce)
        #expect(files.fetches.count == 1)
        announce("2", "none")
        #expect(await policies.policy(for: "example.org") == nil)
        #expect(files.fetches.count == 2)
        #expect(await policies.policy(for: "other.example") == nil)
        #expect(files.fetches.count == 2)
    }

    @Test("What was had once holds while record and file are suppressed, until it expires (RFC 8461 §5.1, §10.2)")
    func suppressed() async throws {
        announce("1")
        let policies = policies()
        #expect(await policies.policy(for: "example.org") != nil)
        resolver.set("_mta-sts.example.org", .txt, .failure(.timeout))
        files.set("example.org", nil)
        #expect(await policies.policy(for: "example.org") != nil)
        resolver.set("_mta-sts.example.org", .txt, [.txt(Array("v=STSv1; id=forged;".utf8))], .insecure)
        #expect(await policies.policy(for: "example.org") != nil)
        files.set("example.org", "nonsense")
        clock.advance(STSPolicies.pauseAfterFailure)
        #expect(await policies.policy(for: "example.org") != nil)
        #expect(recorder.failures == [.stsFetchError, .stsInvalid])
        clock.advance(86_400 * 3)
        #expect(await policies.policy(for: "example.org") == nil)
    }

    @Test("After a failure the web server is left alone for a while")
    func pauses() async throws {
        announce("1")
        files.set("example.org", nil)
        let policies = policies()
        for _ in 0..<5 { #expect(await policies.policy(for: "example.org") == nil) }
        #expect(files.fetches.count == 1)
        announce("1")
        clock.advance(STSPolicies.pauseAfterFailure)
        #expect(await policies.policy(for: "example.org") != nil)
    }

    @Test("Many who ask at once wait for one fetch")
    func shared() async throws {
        announce("1")
        let policies = policies()
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<50 { group.addTask { await policies.policy(for: "example.org") != nil } }
            for await found in group { #expect(found) }
        }
        #expect(files.fetches.count == 1)
    }

    @Test("Policies are fetched anew daily, before they expire")
    func refreshed() async throws {
        announce("1")
        let policies = policies()
        #expect(await policies.policy(for: "example.org") != nil)
        await policies.refresh()
        #expect(files.fetches.count == 1)
        clock.advance(86_400)
        await policies.refresh()
        #expect(files.fetches.count == 2)
        clock.advance(86_400 * 2)
        resolver.set("_mta-sts.example.org", .txt, .failure(.timeout))
        #expect(await policies.policy(for: "example.org") != nil)
    }

    @Test("Policies survive a restart; damaged files are none, and names lead nowhere else")
    func kept() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "sts-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        announce("1")
        #expect(await policies(directory).policy(for: "example.org") != nil)
        try Data("x".utf8).write(to: URL(fileURLWithPath: directory + "/damaged.example.sts"))
        resolver.set("_mta-sts.example.org", .txt, .failure(.timeout))
        let again = policies(directory)
        #expect(await again.policy(for: "example.org")?.mode == .enforce)
        #expect(await again.policy(for: "damaged.example") == nil)

        resolver.set("_mta-sts.../../evil", .txt, [.txt(Array("v=STSv1; id=1;".utf8))], .insecure)
        files.set("../../evil", "version: STSv1\nmode: enforce\nmx: mx.example.org\nmax_age: 100\n")
        #expect(await again.policy(for: "../../evil") != nil)
        #expect(try FileManager.default.contentsOfDirectory(atPath: directory).count == 2)

        clock.advance(86_400 * 3)
        #expect(await policies(directory).policy(for: "example.org") == nil)
        #expect(!FileManager.default.fileExists(atPath: directory + "/example.org.sts"))
    }

    @Test("A bogus record announces nothing")
    func bogus() async throws {
        announce("1")
        resolver.set("_mta-sts.example.org", .txt, [.txt(Array("v=STSv1; id=1;".utf8))], .bogus(reason: "bad"))
        #expect(await policies().policy(for: "example.org") == nil)
        #expect(files.fetches.isEmpty)
    }
}
