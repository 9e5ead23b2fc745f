import Foundation
import MailDNS
import MailTestSupport
import TLSPolicy
import Testing

@testable import ProviderTools

@Suite("When certificates are renewed")
struct RenewalScheduleTests {
    private static let day: Int64 = 86_400

    @Test(arguments: [0.0, 0.5, 1.0])
    func aThirdIsLeft(fraction: Double) {
        let end = 90 * Self.day
        let renewal = RenewalSchedule.renewal(notBefore: 0, notAfter: end, fraction: fraction)
        #expect(end - renewal >= 30 * Self.day)
        #expect(end - renewal <= 33 * Self.day)
    }

    /// Certificates of six days are renewed in time too.
    @Test func shortLifetimes() {
        let renewal = RenewalSchedule.renewal(notBefore: 0, notAfter: 6 * Self.day, fraction: 0.5)
        #expect((3 * Self.day...4 * Self.day).contains(renewal))
        #expect(RenewalSchedule.renewal(notBefore: 10, notAfter: 0, fraction: 1) == 0)
    }

    /// RFC 9773 §4.1.
    @Test func certificatesAreNamedToAuthorities() {
        let key: [UInt8] = [
            0x69, 0x88, 0x5B, 0x6B, 0x87, 0x46, 0x40, 0x41, 0xE1, 0xB3, 0x7B, 0x84, 0x7B, 0xA0, 0xAE, 0x2C, 0xDE, 0x01,
            0xC8,
            0xD4,
        ]
        let identifier = CertificateChain.renewalIdentifier(authorityKey: key, serialNumber: [0x87, 0x65, 0x43, 0x21])
        #expect(identifier == "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE")
    }

    @Test func attemptsGetRarer() {
        func delay(_ failures: Int, asked: Int64? = nil, fraction: Double = 0) -> Int64 {
            RenewalSchedule.retryDelay(failures: failures, first: 60, asked: asked, fraction: fraction)
        }
        #expect([1, 2, 3, 4].map { delay($0) } == [60, 240, 960, 3840])
        #expect(delay(50) == 12 * 3600)
        #expect(delay(1, fraction: 1) == 66)
        #expect(delay(1, asked: 7200) == 7200)
        #expect(delay(9, asked: 10) == 12 * 3600)
        #expect(delay(1, asked: .max) == 7 * Self.day)
    }

    @Test func retryAfterInBothForms() {
        let now = Date(timeIntervalSince1970: 784_111_717)
        func seconds(_ text: String) -> Int64? {
            ACMEResponse(status: 429, headers: ["retry-after": [text]]).retryAfter(now: now)
        }
        #expect(seconds("120") == 120)
        #expect(seconds("-5") == 0)
        #expect(seconds("Sun, 06 Nov 1994 08:49:37 GMT") == 60)
        #expect(seconds("soon") == nil)
    }

    @Test func linksAreRead() {
        let response = ACMEResponse(
            status: 200,
            headers: [
                "link": [
                    #"<https://ca/dir>;rel="index""#, #"<https://ca/1>; rel="alternate", <https://ca/2>;rel=alternate"#,
                ]
            ])
        #expect(response.links("alternate") == ["https://ca/1", "https://ca/2"])
        #expect(response.links("index") == ["https://ca/dir"])
    }

    @Test(arguments: [
        ("mail.example.org", ["mail.example.org"]),
        ("Mail.Example.org  *.example.org", ["mail.example.org", "*.example.org"]),
    ])
    func names(text: String, names: [String]) {
        #expect(ManagedCertificate(text)?.names == names)
    }

    @Test(arguments: [
        "", "localhost", "a..example.org", "*.*.example.org", "a.example.org a.example.org", "../x.org", "-",
    ])
    func noNames(text: String) {
        #expect(ManagedCertificate(text) == nil)
    }

    @Test func problemsAreExplained() {
        let document = ProblemDocument(
            type: "urn:ietf:params:acme:error:rejectedIdentifier", detail: "no\u{1B}[2J way",
            subproblems: [
                .init(type: "urn:ietf:params:acme:error:caa", detail: "CAA", identifier: .init(value: "a.example"))
            ])
        let text = ACMEProblem(document, status: 400).explanation
        #expect(text.contains("no such") || text.contains("gives no certificates"))
        #expect(text.contains("a.example: caa CAA"))
        #expect(!text.contains("\u{1B}"))
    }
}

@Suite("Keys and what is published of them")
struct KeyChoiceTests {
    let directory: TemporaryDirectory
    let files: CertificateFolder

    init() throws {
        directory = try TemporaryDirectory()
        files = CertificateFolder(folder: directory.path, name: "mail.example.org")
        try files.makeDirectory()
    }

    private func place(_ keys: CertificateKey..., usage: UInt8 = 3) -> PublishedKeys.Place {
        let records = keys.compactMap { key -> TLSARecord? in
            let digits = TLSARecord.publishing(key).dropFirst("3 1 1 ".count)
            let octets = stride(from: 0, to: 64, by: 2).compactMap { place in
                let start = digits.index(digits.startIndex, offsetBy: place)
                return UInt8(digits[start..<digits.index(start, offsetBy: 2)], radix: 16)
            }
            return TLSARecord(usage: usage, selector: 1, matching: 1, data: octets)
        }
        return PublishedKeys.Place(name: "_993._tcp.mail.example.org", records: records, timeToLive: 300)
    }

    private func choose(
        _ current: CertificateKey, _ published: PublishedKeys, now: Int64 = 1_000, _ state: inout RenewalState
    ) async throws -> CertificateKey {
        try await KeyChoice(files: files, type: .p256, rollsKeys: true, published: { published }, now: now)
            .choose(current: current, &state)
    }

    @Test func withoutRecordsKeysAreRolledAtOnce() async throws {
        let current = try CertificateKey(.p256)
        var state = RenewalState()
        let chosen = try await choose(current, PublishedKeys(places: []), &state)
        #expect(chosen.pem != current.pem)
        #expect(state.recordAdvice == nil)
    }

    @Test func anUnpublishedKeyIsNotPutInUse() async throws {
        let current = try CertificateKey(.p256)
        var state = RenewalState()
        let chosen = try await choose(current, PublishedKeys(places: [place(current)]), &state)
        #expect(chosen.pem == current.pem)
        let next = try #require(files.nextKey())
        let advice = try #require(state.recordAdvice)
        #expect(advice.contains("_993._tcp.mail.example.org. IN TLSA " + TLSARecord.publishing(next)))
    }

    /// RFC 7671 §8.1: others keep the records from before for their time to live.
    @Test func aPublishedKeyWaitsForOldRecords() async throws {
        let current = try CertificateKey(.p256)
        var state = RenewalState()
        _ = try await choose(current, PublishedKeys(places: [place(current)]), &state)
        let next = try #require(files.nextKey())
        let both = PublishedKeys(places: [place(current, next)])
        #expect(try await choose(current, both, now: 2_000, &state).pem == current.pem)
        #expect(try await choose(current, both, now: 2_299, &state).pem == current.pem)
        #expect(try await choose(current, both, now: 2_300, &state).pem == next.pem)
    }

    @Test func aKeyStaysWhileTheDNSIsSilent() async throws {
        let current = try CertificateKey(.p256)
        var state = RenewalState()
        let published = PublishedKeys(places: [], unknown: ["_25._tcp.mail.example.org"])
        #expect(try await choose(current, published, &state).pem == current.pem)
        #expect(state.recordAdvice?.contains("_25._tcp.mail.example.org") == true)
    }

    /// DANE-TA names authorities: the server's key may change.
    @Test func recordsOfAuthoritiesPermitAnyKey() async throws {
        let current = try CertificateKey(.p256)
        var state = RenewalState()
        let published = PublishedKeys(places: [place(try CertificateKey(.p256), usage: 2)])
        #expect(try await choose(current, published, &state).pem != current.pem)
    }

    @Test func onlySecureRecordsCount() async throws {
        let resolver = ScriptedResolver()
        let record = DNSRecordData.tlsa(usage: 3, selector: 1, matching: 1, data: [1])
        resolver.set("_993._tcp.a.example", .tlsa, [record])
        resolver.set("_993._tcp.b.example", .tlsa, [record], .insecure)
        resolver.set("_993._tcp.c.example", .tlsa, [], .bogus(reason: "test"))
        resolver.set("_993._tcp.d.example", .tlsa, .failure(.timeout))
        let published = await PublishedKeys(
            names: ["a.example", "b.example", "c.example", "d.example", "*.e.example"], ports: [993], resolver: resolver
        )
        #expect(published.places.map(\.name) == ["_993._tcp.a.example"])
        #expect(published.unknown == ["_993._tcp.c.example", "_993._tcp.d.example"])
        #expect(!resolver.asked.contains { $0.contains("e.example") })
    }

    /// As openssl computes it.
    @Test func recordsAreAsOthersComputeThem() throws {
        let key = try CertificateKey(.p256)
        let file = try directory.write(key.pem, to: "key.pem")
        let result = try run(
            "sh", "-c", "openssl pkey -in \(file) -pubout -outform DER | openssl dgst -sha256 -r | cut -c 1-64")
        #expect(TLSARecord.publishing(key) == "3 1 1 " + result.output.trimmingCharacters(in: .whitespacesAndNewlines))
    }
}
