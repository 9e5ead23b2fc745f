import MailDNS
import MailRelay
import MailTestSupport
import TLSPolicy
import Testing

/// What is decided for a domain with one or two exchangers, from a scripted DNS and scripted policies.
struct TransportPlanTests {
    private static let key = TLSARecord(usage: 3, selector: 1, matching: 1, data: [UInt8](repeating: 7, count: 32))
    private static let useless = TLSARecord(usage: 1, selector: 1, matching: 1, data: [UInt8](repeating: 7, count: 32))

    private let resolver = ScriptedResolver()
    private let recorder = RecordedResults()
    private let policyFiles = ScriptedPolicyFiles()

    /// example.org with the exchangers mx1.example and mx2.example.
    private func policies(
        mx: DNSSecurity = .secure, address: DNSSecurity = .secure, tlsa: [TLSARecord] = [], sts: String? = nil
    ) -> PublicTransportPolicies {
        resolver.set(
            "example.org", .mx,
            [.mx(preference: 10, exchange: "mx1.example"), .mx(preference: 20, exchange: "mx2.example")], mx)
        resolver.setAddress("mx1.example", [192, 0, 2, 1], address)
        resolver.setAddress("mx2.example", [192, 0, 2, 2], address)
        if !tlsa.isEmpty {
            resolver.set(
                "_25._tcp.mx1.example", .tlsa,
                tlsa.map { .tlsa(usage: $0.usage, selector: $0.selector, matching: $0.matching, data: $0.data) })
        }
        if let sts {
            resolver.set("_mta-sts.example.org", .txt, [.txt(Array("v=STSv1; id=1;".utf8))], .insecure)
            policyFiles.set("example.org", "version: STSv1\nmode: \(sts)\nmax_age: 86400\n")
        }
        let policies = STSPolicies(resolver: resolver, fetcher: policyFiles, directory: nil) { 1_000_000 }
        return PublicTransportPolicies(
            resolver: resolver, sts: policies, recorder: recorder, ownNames: ["mail.here.example"])
    }

    private static func verified(_ host: String) -> TransportRequirement {
        TransportRequirement(mustEncrypt: true, verification: .authorities(names: [host]))
    }

    private func hosts(_ plan: DeliveryPlan) -> [PlannedHost] {
        guard case .hosts(let hosts) = plan else {
            Issue.record("\(plan)")
            return []
        }
        return hosts
    }

    // MARK: DANE

    @Test("Secure TLSA records demand that a server has their key, and say which name to ask for")
    func dane() async throws {
        let hosts = hosts(await policies(tlsa: [Self.useless, Self.key]).plan(for: "example.org", .byPolicy))
        #expect(hosts.map(\.name) == ["mx1.example", "mx2.example"])
        #expect(hosts.map(\.basis) == [.dane, .opportunistic])
        let names = ["mx1.example", "example.org"]
        #expect(
            hosts.first?.requirement
                == TransportRequirement(mustEncrypt: true, verification: .dane(records: [Self.key], names: names)))
        #expect(hosts.first?.serverName == "mx1.example")
        #expect(hosts.first?.addresses == [[192, 0, 2, 1]])
        #expect(hosts.first?.reportedPolicy?.kind == .tlsa)
        #expect(hosts.last?.requirement == .opportunistic)
    }

    @Test("With unsigned MX records the domain's name proves nothing, its host's still does")
    func daneBehindUnsignedMX() async throws {
        let hosts = hosts(await policies(mx: .insecure, tlsa: [Self.key]).plan(for: "example.org", .byPolicy))
        #expect(
            hosts.first?.requirement
                == TransportRequirement(
                    mustEncrypt: true, verification: .dane(records: [Self.key], names: ["mx1.example"])))
    }

    @Test("Records of which none is usable promise TLS, and nothing to check it by (RFC 7672 §2.2)")
    func unusable() async throws {
        let hosts = hosts(await policies(tlsa: [Self.useless]).plan(for: "example.org", .byPolicy))
        #expect(hosts.first?.requirement == TransportRequirement(mustEncrypt: true, verification: .unverified))
        #expect(recorder.failures == [.tlsaInvalid])
    }

    @Test(
        "TLSA records that cannot be had make their host unusable, never less secure",
        arguments: [
            Result<DNSAnswer, DNSFailure>.failure(.timeout), .failure(.serverFailure(reason: "SERVFAIL")),
            .success(DNSAnswer(existence: .noData, security: .bogus(reason: "bad"), canonicalName: "")),
        ])
    func suppressedRecords(_ answer: Result<DNSAnswer, DNSFailure>) async throws {
        let policies = policies()
        resolver.set("_25._tcp.mx1.example", .tlsa, answer)
        let first = hosts(await policies.plan(for: "example.org", .byPolicy))
        #expect(first.map(\.name) == ["mx2.example"])
        #expect(recorder.failures == [.dnssecInvalid])
        resolver.set("_25._tcp.mx2.example", .tlsa, answer)
        guard case .deferred(let refusal) = await policies.plan(for: "example.org", .byPolicy) else {
            Issue.record("not deferred")
            return
        }
        #expect(refusal.status == "4.7.5")
        // Mail that may go without TLS does not need them, and is not reported on.
        let count = recorder.results.count
        defer { #expect(recorder.results.count == count) }
        #expect(hosts(await policies.plan(for: "example.org", .notRequired)).count == 2)
    }

    @Test("Insecure addresses: TLSA records are not even looked for")
    func insecureAddresses() async throws {
        let hosts = hosts(await policies(address: .insecure, tlsa: [Self.key]).plan(for: "example.org", .byPolicy))
        #expect(hosts.map(\.basis) == [.opportunistic, .opportunistic])
        #expect(!resolver.asked.contains { $0.hasSuffix("TLSA") })
    }

    // MARK: MTA-STS

    @Test("An enforced policy demands a certificate for the exchanger, and leaves out others")
    func enforced() async throws {
        let hosts = hosts(await policies(sts: "enforce\nmx: MX1.example").plan(for: "example.org", .byPolicy))
        #expect(hosts.map(\.requirement) == [Self.verified("mx1.example")])
        #expect(hosts.first?.basis == .stsEnforce)
        #expect(hosts.first?.reportedPolicy?.hostPatterns == ["mx1.example"])
        #expect(recorder.failures == [.validationFailure])
        let all = self.hosts(
            await policies(sts: "enforce\nmx: mx1.example\nmx: mx2.example").plan(for: "example.org", .byPolicy))
        #expect(all.count == 2)
    }

    @Test("An enforced policy that names none of the exchangers puts mail off")
    func mismatched() async throws {
        let plan = await policies(sts: "enforce\nmx: *.elsewhere.example").plan(for: "example.org", .byPolicy)
        guard case .deferred(let refusal) = plan else {
            Issue.record("\(plan)")
            return
        }
        #expect(refusal.status == "4.7.5")
        #expect(recorder.failures == [.validationFailure, .validationFailure])
    }

    @Test("A policy in testing changes nothing, and says what to record")
    func testing() async throws {
        let hosts = hosts(await policies(sts: "testing\nmx: mx1.example").plan(for: "example.org", .byPolicy))
        #expect(hosts.map(\.requirement) == [.opportunistic, .opportunistic])
        #expect(hosts.map(\.tested) == [Self.verified("mx1.example"), nil])
        #expect(hosts.map(\.basis) == [.stsTesting, .stsTesting])
        #expect(recorder.failures == [.validationFailure])
    }

    @Test("DANE comes before MTA-STS; with unsigned MX records the policy says which exchangers are meant")
    func both() async throws {
        let policy = "enforce\nmx: mx2.example"
        let secure = hosts(await policies(tlsa: [Self.key], sts: policy).plan(for: "example.org", .byPolicy))
        #expect(secure.map(\.basis) == [.dane, .stsEnforce])
        let unsigned = hosts(
            await policies(mx: .insecure, tlsa: [Self.key], sts: policy).plan(for: "example.org", .byPolicy))
        #expect(unsigned.map(\.name) == ["mx2.example"])
    }

    // MARK: REQUIRETLS and TLS-Required: No

    @Test("REQUIRETLS: secure MX records, a certificate or DANE, and the next hop's word (RFC 8689 §4.2.1)")
    func required() async throws {
        let hosts = hosts(await policies(tlsa: [Self.key]).plan(for: "example.org", .required))
        #expect(hosts.map(\.mustOfferRequireTLS) == [true, true])
        #expect(hosts.last?.requirement == Self.verified("mx2.example"))
        guard case .dane = hosts.first?.requirement.verification else {
            Issue.record("\(hosts)")
            return
        }
    }

    @Test("REQUIRETLS: MTA-STS vouches for exchangers that DNSSEC does not; when neither does it is refused")
    func vouched() async throws {
        let vouched = hosts(
            await policies(mx: .insecure, sts: "testing\nmx: mx1.example").plan(for: "example.org", .required))
        #expect(vouched.map(\.name) == ["mx1.example"])
        #expect(vouched.map(\.requirement) == [Self.verified("mx1.example")])
    }

    @Test("REQUIRETLS without DNSSEC or MTA-STS is refused for good", arguments: [[], [key]])
    func unvouched(_ records: [TLSARecord]) async throws {
        let plan = await policies(mx: .insecure, tlsa: records).plan(for: "example.org", .required)
        guard case .undeliverable(let refusal) = plan else {
            Issue.record("\(plan)")
            return
        }
        #expect(refusal.status == "5.7.30")
    }

    @Test("REQUIRETLS: TLSA records that are no use do not stand in for a certificate")
    func requiredWithUselessRecords() async throws {
        let hosts = hosts(await policies(tlsa: [Self.useless]).plan(for: "example.org", .required))
        #expect(hosts.first?.requirement == Self.verified("mx1.example"))
    }

    @Test("TLS-Required: No lets mail go where policies would hold it (RFC 8689 §4.2.2)")
    func notRequired() async throws {
        let hosts = hosts(
            await policies(tlsa: [Self.key], sts: "enforce\nmx: *.elsewhere.example").plan(
                for: "example.org", .notRequired))
        #expect(hosts.map(\.requirement) == [.opportunistic, .opportunistic])
        #expect(hosts.map(\.mustOfferRequireTLS) == [false, false])
    }

    // MARK: No host

    private struct Refused: Sendable, CustomTestStringConvertible {
        var name: String
        var mx: Result<DNSAnswer, DNSFailure>
        var isPermanent: Bool
        var status: String
        var testDescription: String { name }

        init(_ name: String, _ mx: Result<DNSAnswer, DNSFailure>, _ status: String) {
            (self.name, self.mx, self.status) = (name, mx, status)
            isPermanent = status.hasPrefix("5")
        }

        static func records(_ records: DNSRecordData...) -> Result<DNSAnswer, DNSFailure> {
            .success(DNSAnswer(existence: .records, records: records, security: .insecure, canonicalName: "d.example"))
        }

        static func none(_ existence: DNSAnswer.Existence, _ security: DNSSecurity = .secure) -> Result<
            DNSAnswer, DNSFailure
        > {
            .success(DNSAnswer(existence: existence, security: security, canonicalName: "d.example"))
        }
    }

    @Test(
        "Domains without a usable host: for good or for now, and with which status",
        arguments: [
            Refused("null MX", Refused.records(.mx(preference: 0, exchange: "")), "5.1.10"),
            Refused("no such domain", Refused.none(.noSuchName), "5.1.2"),
            Refused("neither MX nor address", Refused.none(.noData), "5.1.2"),
            Refused(
                "exchanger without address", Refused.records(.mx(preference: 1, exchange: "void.example")), "5.4.4"),
            Refused("exchanger that is no host", Refused.records(.mx(preference: 1, exchange: "a\\032b")), "5.4.4"),
            Refused("loopback exchanger", Refused.records(.mx(preference: 1, exchange: "loop.example")), "5.4.4"),
            Refused("this server", Refused.records(.mx(preference: 1, exchange: "mail.here.example")), "5.4.6"),
            Refused("bogus", Refused.none(.noData, .bogus(reason: "bad")), "4.7.5"),
            Refused("timeout", .failure(.timeout), "4.4.3"),
            Refused("server failure", .failure(.serverFailure(reason: "SERVFAIL")), "4.4.3"),
            Refused("address timeout", Refused.records(.mx(preference: 1, exchange: "slow.example")), "4.4.3"),
            Refused("address bogus", Refused.records(.mx(preference: 1, exchange: "bogus.example")), "4.7.5"),
        ])
    private func refused(_ refused: Refused) async throws {
        let policies = policies()
        resolver.set("d.example", .mx, refused.mx)
        resolver.setAddress("loop.example", [127, 0, 0, 1])
        resolver.set("slow.example", .a, .failure(.timeout))
        resolver.set("bogus.example", .a, [], .bogus(reason: "bad"))
        switch await policies.plan(for: "d.example", .byPolicy) {
        case .hosts(let hosts): Issue.record("\(hosts)")
        case .undeliverable(let refusal): #expect(refused.isPermanent && refusal.status == refused.status)
        case .deferred(let refusal): #expect(!refused.isPermanent && refusal.status == refused.status)
        }
    }

    @Test("One exchanger that may come back is enough to wait for; one that answers is enough to go")
    func partial() async throws {
        let policies = policies()
        resolver.set("mx1.example", .a, .failure(.timeout))
        #expect(hosts(await policies.plan(for: "example.org", .byPolicy)).map(\.name) == ["mx2.example"])
        resolver.set("mx2.example", .a, [])
        guard case .deferred = await policies.plan(for: "example.org", .byPolicy) else {
            Issue.record("not deferred")
            return
        }
    }

    @Test("[2595-2.4-4] An alias is known by the name that the domain gives it; DANE alone asks for what is behind it")
    func aliases() async throws {
        let policies = policies(sts: "enforce\nmx: mx1.example")
        let answer = DNSAnswer(
            existence: .records, records: [.address([192, 0, 2, 9])], security: .secure, canonicalName: "real.example")
        resolver.set("mx1.example", .a, .success(answer))
        #expect(
            hosts(await policies.plan(for: "example.org", .byPolicy)).map(\.requirement) == [
                Self.verified("mx1.example")
            ])
        resolver.set(
            "_25._tcp.real.example", .tlsa, [.tlsa(usage: 3, selector: 1, matching: 1, data: Self.key.data)])
        let dane = hosts(await policies.plan(for: "example.org", .byPolicy)).first
        #expect(dane?.serverName == "real.example")
        #expect(dane?.reportedPolicy?.policyDomain == "real.example")
    }

    @Test("A domain in U-labels is looked up and named in A-labels")
    func international() async throws {
        let policies = policies()
        resolver.set("xn--bcher-kva.example", .mx, [])
        resolver.setAddress("xn--bcher-kva.example", [198, 51, 100, 1])
        for name in ["bücher.example", "Bu\u{308}cher.EXAMPLE", "xn--bcher-kva.example"] {
            #expect(hosts(await policies.plan(for: name, .byPolicy)).map(\.name) == ["xn--bcher-kva.example"])
        }
        for name in [
            "\u{2190}.example", "a\u{0}ü.example", "ü..example", String(repeating: "ü", count: 200) + ".example",
        ] {
            guard case .undeliverable(let refusal) = await policies.plan(for: name, .byPolicy) else {
                Issue.record("\(name)")
                continue
            }
            #expect(refusal.status == "5.1.2")
        }
    }

    @Test("A domain without MX is its own exchanger")
    func implicit() async throws {
        let policies = policies()
        resolver.set("host.example", .mx, [])
        resolver.setAddress("host.example", [198, 51, 100, 1])
        let hosts = hosts(await policies.plan(for: "host.example", .byPolicy))
        #expect(hosts.map(\.name) == ["host.example"])
    }

    @Test(
        "Address literals: addresses of others, without any name to check",
        arguments: [
            ("[192.0.2.1]", true), ("[IPv6:2001:db8::1]", true), ("[127.0.0.1]", false), ("[IPv6:::1]", false),
            ("[0.0.0.0]", false), ("[IPv6:::ffff:127.0.0.1]", false), ("[224.0.0.1]", false), ("[nonsense]", false),
            ("[IPv6:1]", false), ("[", false), ("[]", false), ("[192.0.2.1", false), ("[256.1.1.1]", false),
        ])
    func literals(_ text: String, _ isUsable: Bool) async throws {
        let policies = policies()
        switch await policies.plan(for: text, .byPolicy) {
        case .hosts(let hosts):
            #expect(isUsable)
            #expect(hosts.first?.serverName == nil)
        case .undeliverable(let refusal): #expect(!isUsable && refusal.status == "5.1.2")
        case .deferred: Issue.record("deferred")
        }
        guard isUsable else { return }
        guard case .undeliverable(let refusal) = await policies.plan(for: text, .required) else {
            Issue.record("REQUIRETLS goes to a literal")
            return
        }
        #expect(refusal.status == "5.7.30")
    }
}
