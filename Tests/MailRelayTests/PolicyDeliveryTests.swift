import Crypto
import MailDNS
import MailStore
import MailTestSupport
import SMTPSyntax
import SessionRuntime
import TLSPolicy
import Testing

@testable import MailRelay

/// Policies, plan, handshake and report together: what a domain publishes decides what happens on real connections.
struct PolicyDeliveryTests {
    private struct Domain {
        var mx: DNSSecurity = .secure
        var record: TLSARecord?
        var sts: String?
    }

    /// Delivers one message to a peer that is mx.test, the exchanger of example.net.
    private func deliver(
        _ domain: Domain, script: (inout MailServerScript) -> Void = { _ in },
        requiresTLS: Bool = false
    ) async throws -> (outcome: RecipientOutcome?, failures: [TLSFailure?], isSecured: [Bool]) {
        let fixture = try await RelayFixture()
        let peer = try await fixture.peer(.startTLS, script)
        let resolver = fixture.resolver
        resolver.set("example.net", .mx, [.mx(preference: 10, exchange: "mx.test")], domain.mx)
        resolver.setAddress("mx.test", [127, 0, 0, 1])
        if let record = domain.record {
            resolver.set(
                "_\(peer.port)._tcp.mx.test", .tlsa,
                [.tlsa(usage: record.usage, selector: record.selector, matching: record.matching, data: record.data)])
        }
        let files = ScriptedPolicyFiles()
        if let sts = domain.sts {
            resolver.set("_mta-sts.example.net", .txt, [.txt(Array("v=STSv1; id=1;".utf8))], .insecure)
            files.set("example.net", "version: STSv1\nmode: \(sts)\nmx: mx.test\nmax_age: 86400\n")
        }
        let policies = PublicTransportPolicies(
            resolver: resolver,
            sts: STSPolicies(resolver: resolver, fetcher: files, directory: nil) { RelayFixture.now },
            recorder: fixture.results, ownNames: [], port: peer.port, allowsLoopback: true)
        let agent = try fixture.agent(policies: policies, trustsAuthority: false)
        let message = try await fixture.message { $0.requiresTLS = requiresTLS }
        let outcomes = await agent.deliver(message, to: "example.net")
        await agent.close()
        await fixture.stop()
        return (outcomes.first, fixture.results.all.map(\.failure), peer.record.messages.map(\.isSecured))
    }

    private func record(_ octets: [UInt8]) -> TLSARecord {
        TLSARecord(usage: 3, selector: 0, matching: 1, data: Array(SHA256.hash(data: octets)))
    }

    @Test("No policy: encrypted without proof, and counted as a success")
    func none() async throws {
        let result = try await deliver(Domain())
        #expect(result.outcome?.result == .relayed(keepsPromises: true))
        #expect(result.failures == [nil])
        #expect(result.isSecured == [true])
    }

    @Test("TLSA records that the server's certificate does not match hold mail back, and are reported")
    func daneMismatch() async throws {
        let result = try await deliver(Domain(record: record([1, 2, 3])))
        #expect(result.outcome?.result == .deferred)
        #expect(result.failures == [.validationFailure])
        #expect(result.isSecured.isEmpty)
    }

    @Test("TLSA records and a server without STARTTLS: nothing goes in cleartext")
    func daneStripped() async throws {
        let result = try await deliver(Domain(record: record([1, 2, 3])), script: { $0.features = ["8BITMIME"] })
        #expect(result.outcome?.result == .deferred)
        #expect(result.failures == [.startTLSNotSupported])
        #expect(result.isSecured.isEmpty)
    }

    @Test("An enforced MTA-STS policy and a certificate of nobody's: mail waits")
    func stsEnforced() async throws {
        let result = try await deliver(Domain(mx: .insecure, sts: "enforce"))
        #expect(result.outcome?.result == .deferred)
        #expect(result.failures == [.notTrusted])
        #expect(result.isSecured.isEmpty)
    }

    @Test("The same in testing: mail goes, and the failure is reported")
    func stsTesting() async throws {
        let result = try await deliver(Domain(mx: .insecure, sts: "testing"))
        #expect(result.outcome?.result == .relayed(keepsPromises: true))
        #expect(result.failures == [.notTrusted])
        #expect(result.isSecured == [true])
    }

    @Test("REQUIRETLS to a domain that nothing vouches for comes back at once")
    func requireTLS() async throws {
        let result = try await deliver(Domain(mx: .insecure), requiresTLS: true)
        #expect(result.outcome?.result == .failed)
        #expect(result.outcome?.status == "5.7.30")
        #expect(result.isSecured.isEmpty)
    }
}

extension PolicyDeliveryTests {
    @Test("A certificate that the TLSA record names is all it takes")
    func daneMatch() async throws {
        let fixture = try await RelayFixture()
        let peer = try await fixture.peer()
        let resolver = fixture.resolver
        resolver.set("example.net", .mx, [.mx(preference: 10, exchange: "mx.test")])
        resolver.setAddress("mx.test", [127, 0, 0, 1])
        let record = record(try fixture.certificate.encoded())
        resolver.set(
            "_\(peer.port)._tcp.mx.test", .tlsa, [.tlsa(usage: 3, selector: 0, matching: 1, data: record.data)])
        let policies = PublicTransportPolicies(
            resolver: resolver, sts: nil, ownNames: [], port: peer.port, allowsLoopback: true)
        let agent = try fixture.agent(policies: policies, trustsAuthority: false)
        let outcomes = await agent.deliver(try await fixture.message(), to: "example.net")
        #expect(outcomes.map(\.result) == [.relayed(keepsPromises: true)])
        #expect(outcomes.first?.security?.hasSuffix("dane-ee") == true)
        #expect(fixture.results.all.map(\.policy.kind) == [.tlsa])
        #expect(fixture.results.all.map(\.failure) == [nil])
        await agent.close()
        await fixture.stop()
    }
}
