import MailDNS
import MailTestSupport
import TLSPolicy
import Testing

struct MailLookupTests {
    private let resolver = ScriptedResolver()

    @Test("Exchangers come by preference, those of one preference in any order, each name once")
    func order() async throws {
        resolver.set(
            "example.org", .mx,
            [
                .mx(preference: 20, exchange: "c.example"), .mx(preference: 10, exchange: "a.example"),
                .mx(preference: 10, exchange: "b.example"), .mx(preference: 30, exchange: "a.example"),
            ], .insecure)
        var firsts: Set<String> = []
        for seed in 0..<32 {
            var generator = SeededGenerator(seed: UInt64(seed))
            let found = try await resolver.mailExchangers(of: "example.org", using: &generator)
            #expect(Set(found.exchangers.prefix(2).map(\.name)) == ["a.example", "b.example"])
            #expect(found.exchangers.map(\.preference) == [10, 10, 20])
            #expect(!found.isSecure && !found.isImplicit)
            firsts.insert(found.exchangers[0].name)
        }
        #expect(firsts == ["a.example", "b.example"])
    }

    @Test("Without MX the domain itself is meant; null MX beside others means nothing (RFC 7505 §3)")
    func implicit() async throws {
        resolver.set("example.org", .mx, [])
        let found = try await resolver.mailExchangers(of: "example.org")
        #expect(found == MailExchangers(exchangers: [.init(name: "example.org")], isImplicit: true, isSecure: true))
        resolver.set("null.example", .mx, [.mx(preference: 0, exchange: "")])
        await #expect(throws: MailExchangerFailure.nullMX) { try await resolver.mailExchangers(of: "null.example") }
        resolver.set(
            "both.example", .mx, [.mx(preference: 0, exchange: ""), .mx(preference: 5, exchange: "mx.example")])
        #expect(try await resolver.mailExchangers(of: "both.example").exchangers.map(\.name) == ["mx.example"])
        resolver.set("odd.example", .mx, [.mx(preference: 0, exchange: "a\\032b")])
        await #expect(throws: MailExchangerFailure.noUsableExchanger) {
            try await resolver.mailExchangers(of: "odd.example")
        }
    }

    @Test("Bogus answers and failures are for now, a domain that does not exist is for good")
    func failures() async throws {
        resolver.set("bogus.example", .mx, [], .bogus(reason: "expired"))
        await #expect(throws: MailExchangerFailure.unavailable(reason: "bogus.example MX: expired", isBogus: true)) {
            try await resolver.mailExchangers(of: "bogus.example")
        }
        resolver.set("slow.example", .mx, .failure(.timeout))
        await #expect(throws: MailExchangerFailure.unavailable(reason: "slow.example MX: no answer in time")) {
            try await resolver.mailExchangers(of: "slow.example")
        }
        await #expect(throws: MailExchangerFailure.noSuchDomain) {
            try await resolver.mailExchangers(of: "missing.example")
        }
    }

    @Test("A server that is an exchanger itself gives mail only to better ones (RFC 5321 §5.1)")
    func loops() {
        let set = MailExchangers(
            exchangers: [
                .init(name: "a", preference: 5), .init(name: "b", preference: 10), .init(name: "me", preference: 10),
                .init(name: "c", preference: 20),
            ], isSecure: false)
        #expect(set.before { $0 == "me" }.map(\.name) == ["a"])
        #expect(set.before { _ in false }.count == 4)
        #expect(set.before { $0 == "a" }.isEmpty)
    }

    @Test("Addresses: both families, and what becomes of failures of one")
    func addresses() async throws {
        let six: [UInt8] = [0x20, 1] + [UInt8](repeating: 0, count: 13) + [1]
        resolver.setAddress("two.example", [192, 0, 2, 1])
        resolver.setAddress("two.example", six)
        #expect(try await resolver.addresses(of: "two.example").addresses == [six, [192, 0, 2, 1]])
        resolver.setAddress("half.example", [192, 0, 2, 1])
        resolver.set("half.example", .aaaa, .failure(.timeout))
        #expect(try await resolver.addresses(of: "half.example").addresses == [[192, 0, 2, 1]])
        resolver.set("half.example", .aaaa, [], .bogus(reason: "bad"))
        await #expect(throws: HostFailure.unavailable(reason: "half.example: bad", isBogus: true)) {
            try await resolver.addresses(of: "half.example")
        }
        resolver.set("none.example", .a, [])
        resolver.set("none.example", .aaaa, .failure(.serverFailure(reason: "SERVFAIL")))
        await #expect(throws: HostFailure.unavailable(reason: "none.example: SERVFAIL")) {
            try await resolver.addresses(of: "none.example")
        }
        await #expect(throws: HostFailure.noAddress) { try await resolver.addresses(of: "missing.example") }
    }

    // MARK: TLSA (RFC 7672 §2.2)

    private static let record = DNSRecordData.tlsa(usage: 3, selector: 1, matching: 1, data: [1])

    private func host(_ canonical: String = "mx.example", isSecure: Bool = true) -> HostAddresses {
        HostAddresses(addresses: [[192, 0, 2, 1]], isSecure: isSecure, canonicalName: canonical)
    }

    @Test("Records are looked for at the end of an alias first, then at its beginning")
    func aliases() async throws {
        resolver.set("_25._tcp.mx.example", .tlsa, [Self.record])
        resolver.set("_25._tcp.real.example", .tlsa, [Self.record])
        #expect(try await resolver.tlsa(of: "mx.example", port: 25, host("real.example"))?.baseDomain == "real.example")
        resolver.set("_25._tcp.real.example", .tlsa, [])
        #expect(try await resolver.tlsa(of: "mx.example", port: 25, host("real.example"))?.baseDomain == "mx.example")
        #expect(try await resolver.tlsa(of: "mx.example", port: 465, host()) == nil)
    }

    @Test("Insecure addresses: nothing is looked for, but where the alias itself is secure")
    func insecure() async throws {
        resolver.set("_25._tcp.mx.example", .tlsa, [Self.record])
        #expect(try await resolver.tlsa(of: "mx.example", port: 25, host(isSecure: false)) == nil)
        #expect(resolver.asked.isEmpty)
        let target = host("elsewhere.example", isSecure: false)
        resolver.set("mx.example", .cname, [.name("elsewhere.example")], .insecure)
        #expect(try await resolver.tlsa(of: "mx.example", port: 25, target) == nil)
        resolver.set("mx.example", .cname, [.name("elsewhere.example")], .secure)
        #expect(try await resolver.tlsa(of: "mx.example", port: 25, target)?.baseDomain == "mx.example")
        resolver.set("mx.example", .cname, .failure(.timeout))
        await #expect(throws: HostFailure.self) { try await resolver.tlsa(of: "mx.example", port: 25, target) }
    }

    @Test("Insecure records are none; failures and bogus answers are not the same as none")
    func downgrades() async throws {
        resolver.set("_25._tcp.mx.example", .tlsa, [Self.record], .insecure)
        #expect(try await resolver.tlsa(of: "mx.example", port: 25, host()) == nil)
        resolver.set("_25._tcp.mx.example", .tlsa, [], .bogus(reason: "bad"))
        await #expect(throws: HostFailure.unavailable(reason: "_25._tcp.mx.example: bad", isBogus: true)) {
            try await resolver.tlsa(of: "mx.example", port: 25, host())
        }
        resolver.set("_25._tcp.mx.example", .tlsa, .failure(.serverFailure(reason: "SERVFAIL")))
        await #expect(throws: HostFailure.self) { try await resolver.tlsa(of: "mx.example", port: 25, host()) }
    }

    @Test("Services by priority, then at random by weight; a dot says that there is none")
    func services() async throws {
        resolver.set(
            "_imaps._tcp.example.org", .srv,
            [
                .srv(priority: 2, weight: 0, port: 3, target: "last.example"),
                .srv(priority: 1, weight: 90, port: 1, target: "heavy.example"),
                .srv(priority: 1, weight: 10, port: 2, target: "light.example"),
            ])
        var heavy = 0
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<200 {
            let found = try await resolver.locate("_imaps._tcp.example.org", using: &generator)
            #expect(found.targets.last?.host == "last.example")
            #expect(found.targets.count == 3)
            if found.targets[0].host == "heavy.example" { heavy += 1 }
        }
        #expect((150...198).contains(heavy))
        resolver.set("_pop3._tcp.example.org", .srv, [.srv(priority: 0, weight: 0, port: 0, target: "")])
        #expect(try await resolver.locate("_pop3._tcp.example.org", using: &generator).targets.isEmpty)
    }

    @Test("Names of an address")
    func pointers() async throws {
        resolver.set("1.2.0.192.in-addr.arpa", .ptr, [.name("mx.example")], .insecure)
        let found = try await resolver.names(of: [192, 0, 2, 1])
        #expect(found.names == ["mx.example"] && !found.isSecure)
    }
}
