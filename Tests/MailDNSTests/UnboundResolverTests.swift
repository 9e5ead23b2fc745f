import MailTestSupport
import TLSPolicy
import Testing

@testable import MailDNS

/// What a validating resolver makes of zones that a foreign server serves, and foreign tools signed.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct UnboundResolverTests {
    private func withZones(_ body: (UnboundResolver) async throws -> Void) async throws {
        let zones = try SignedZones()
        try zones.start()
        defer { zones.stop() }
        try await body(try zones.resolver())
    }

    @Test("Signed answers, aliases, proofs of absence and large answers are secure")
    func secure() async throws {
        try await withZones { resolver in
            let exchangers = try await resolver.lookUp("Zone.Example.", .mx)
            #expect(exchangers.security == .secure)
            #expect(
                Set(exchangers.records) == [
                    .mx(preference: 10, exchange: "mx1.zone.example"),
                    .mx(preference: 20, exchange: "mx2.zone.example"),
                ])
            #expect(exchangers.timeToLive > 0 && exchangers.timeToLive <= 300)

            let twice = try await resolver.lookUp("twice.zone.example", .a)
            #expect(twice.security == .secure)
            #expect(twice.canonicalName == "mx1.zone.example")
            #expect(twice.records == [.address([192, 0, 2, 1])])

            let six = try await resolver.lookUp("mx1.zone.example", .aaaa)
            #expect(six.records == [.address([0x20, 1, 0x0D, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])])

            let missing = try await resolver.lookUp("nobody.zone.example", .mx)
            #expect((missing.existence, missing.security) == (.noSuchName, .secure))
            let empty = try await resolver.lookUp("mx2.zone.example", .aaaa)
            #expect((empty.existence, empty.security) == (.noData, .secure))

            let text = try await resolver.lookUp("text.zone.example", .txt)
            #expect(text.records == [.txt(Array("v=STSv1; id=20260101;".utf8))])
            let large = try await resolver.lookUp("large.zone.example", .txt)
            #expect(large.security == .secure)
            guard case .txt(let octets) = large.records.first else {
                Issue.record("no text")
                return
            }
            #expect(octets.count > 8000)
        }
    }

    @Test("A delegation without DS is insecure; bad, missing and expired signatures are bogus, with no records")
    func insecureAndBogus() async throws {
        try await withZones { resolver in
            let unsigned = try await resolver.lookUp("unsigned.zone.example", .mx)
            #expect(unsigned.security == .insecure)
            #expect(unsigned.records == [.mx(preference: 5, exchange: "host.unsigned.zone.example")])
            let leaving = try await resolver.lookUp("leaving.zone.example", .a)
            #expect(leaving.security == .insecure)
            #expect(leaving.canonicalName == "host.unsigned.zone.example")

            for name in ["host.bogus.zone.example", "host.expired.zone.example", "host.stripped.zone.example"] {
                let answer = try await resolver.lookUp(name, .a)
                guard case .bogus(let reason) = answer.security else {
                    Issue.record("\(name) is \(answer.security)")
                    continue
                }
                #expect(!reason.isEmpty)
                #expect(answer.records.isEmpty)
            }
        }
    }

    @Test("The helpers over a real resolver: exchangers, null MX, TLSA at aliases, services, loops")
    func helpers() async throws {
        try await withZones { resolver in
            let exchangers = try await resolver.mailExchangers(of: "zone.example")
            #expect(exchangers.exchangers.map(\.name) == ["mx1.zone.example", "mx2.zone.example"])
            #expect(exchangers.isSecure)
            await #expect(throws: MailExchangerFailure.nullMX) {
                try await resolver.mailExchangers(of: "null.zone.example")
            }
            await #expect(throws: MailExchangerFailure.noSuchDomain) {
                try await resolver.mailExchangers(of: "nobody.zone.example")
            }
            let host = try await resolver.addresses(of: "alias.zone.example")
            #expect(host.addresses.map(\.count) == [16, 4])
            #expect(host.isSecure)
            let found = try await resolver.tlsa(of: "alias.zone.example", port: 25, host)
            #expect(found?.baseDomain == "mx1.zone.example")
            #expect(found?.records.first?.usage == 3)
            let leaving = try await resolver.addresses(of: "leaving.zone.example")
            #expect(!leaving.isSecure)
            let initial = try await resolver.tlsa(of: "leaving.zone.example", port: 25, leaving)
            #expect(initial?.baseDomain == "leaving.zone.example")

            var generator = SeededGenerator(seed: 1)
            let service = try await resolver.locate("_submissions._tcp.zone.example", using: &generator)
            #expect(service.targets == [ServiceTarget(host: "mx1.zone.example", port: 465)])
            await #expect(throws: DNSFailure.self) { try await resolver.lookUp("loop.zone.example", .a) }
        }
    }

    @Test("A forwarder's answers are validated all the same")
    func forwarder() async throws {
        let zones = try SignedZones()
        try zones.start()
        defer { zones.stop() }
        var options = ResolverOptions()
        options.trustAnchors = [zones.anchor]
        options.forwarders = [.init(address: "127.0.0.1", port: zones.port)]
        let resolver = try UnboundResolver(options)
        #expect(try await resolver.lookUp("alias.zone.example", .a).security == .secure)
        #expect(try await resolver.lookUp("host.unsigned.zone.example", .a).security == .insecure)
        guard case .bogus = try await resolver.lookUp("host.bogus.zone.example", .a).security else {
            Issue.record("not bogus")
            return
        }
    }

    @Test("The anchors that are built in are the ones that Debian ships")
    func builtInAnchors() async throws {
        var options = ResolverOptions()
        options.trustAnchors = ResolverOptions.rootAnchors
        _ = try UnboundResolver(options)
        let shipped = try await blocking {
            try SignedZones.run("/usr/bin/ldns-key2ds", ["-n", "-2", ResolverOptions.rootAnchorFile])
        }
        for anchor in ResolverOptions.rootAnchors {
            let words = anchor.split(separator: " ").map { $0.lowercased() }
            #expect(shipped.contains(words[3...].joined(separator: " ")))
        }
    }

    @Test("Many at once are all answered, each its own")
    func many() async throws {
        try await withZones { resolver in
            let wrong = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<1000 {
                    group.addTask {
                        let isFirst = number.isMultiple(of: 2)
                        let answer = try await resolver.lookUp(isFirst ? "mx1.zone.example" : "mx2.zone.example", .a)
                        return answer.records != [.address([192, 0, 2, isFirst ? 1 : 2])]
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(wrong == 0)
        }
    }

    @Test("Hundreds of names that nobody has asked for yet, at once")
    func manyCold() async throws {
        try await withZones { resolver in
            let wrong = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<600 {
                    group.addTask {
                        let answer = try await resolver.lookUp("n\(number).wild.zone.example", .a)
                        return answer.records != [.address([192, 0, 2, 7])] || answer.security != .secure
                    }
                }
                return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(wrong == 0)
        }
    }

    @Test("A server that is down ends in a failure in bounded time, a cancelled lookup at once")
    func unreachable() async throws {
        let zones = try SignedZones()
        let resolver = try zones.resolver(timeout: .seconds(1))
        let begin = ContinuousClock.now
        await #expect(throws: DNSFailure.self) { try await resolver.lookUp("zone.example", .mx) }
        #expect(ContinuousClock.now - begin < .seconds(30))

        let patient = try zones.resolver(timeout: .seconds(3600))
        let lookup = Task { try await patient.lookUp("mx1.zone.example", .a) }
        lookup.cancel()
        await #expect(throws: (any Error).self) { try await lookup.value }
    }

    @Test(
        "What cannot be a name is not asked for",
        arguments: ["", ".", "a..b", String(repeating: "a", count: 64), "a b.example", "ü.example", "a\\.b", "\"x"])
    func invalid(_ name: String) async throws {
        let resolver = try UnboundResolver()
        await #expect(throws: DNSFailure.invalidName) { try await resolver.lookUp(name, .a) }
    }

    @Test("A trust anchor that cannot be read is refused, not ignored")
    func badAnchor() {
        var options = ResolverOptions()
        options.trustAnchors = ["nonsense"]
        #expect(throws: ResolverOptionsError.self) { try UnboundResolver(options) }
        options = ResolverOptions()
        options.trustAnchorFile = "/nonexistent/anchor"
        #expect(throws: ResolverOptionsError.self) { try UnboundResolver(options) }
        options = ResolverOptions()
        options.forwarders = [.init(address: "no address", port: 53)]
        #expect(throws: ResolverOptionsError.self) { try UnboundResolver(options) }
    }
}
