import Crypto
import MailDNS
import MailStore
import MailTestSupport
import SMTPSyntax
import SessionRuntime
import TLSPolicy
import Testing

@testable import MailRelay

/// From a signed zone to a message delivered: DNSSEC, DANE and the handshake are all real.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct SignedDeliveryTests {
    /// What becomes of a message to DOMAIN.zone.example, whose exchanger mx.DOMAIN has the peer's certificate or another in
    /// its TLSA record.
    private func deliver(_ domain: String, requiresTLS: Bool = false) async throws -> (
        RecipientOutcome?, [TLSSessionResult]
    ) {
        let fixture = try await RelayFixture()
        let peer = try await fixture.peer { $0.securedFeatures += ["REQUIRETLS"] }
        let digest = SHA256.hash(data: try fixture.certificate.encoded()).map {
            ($0 < 16 ? "0" : "") + String($0, radix: 16)
        }
        .joined()
        let wrong = String(repeating: "ab", count: 32)
        let zones = try await blocking {
            let zones = try SignedZones(
                """
                good IN MX 10 mx.good
                mx.good IN A 127.0.0.1
                _\(peer.port)._tcp.mx.good IN TLSA 3 0 1 \(digest)
                wrong IN MX 10 mx.wrong
                mx.wrong IN A 127.0.0.1
                _\(peer.port)._tcp.mx.wrong IN TLSA 3 0 1 \(wrong)
                bogus-host IN MX 10 host.bogus
                unsigned-mx IN MX 10 host.unsigned
                none IN MX 0 .
                """)
            try zones.start()
            return zones
        }
        defer { zones.stop() }
        var options = PolicyServices.Options(ownNames: ["relay.test"])
        options.resolver = zones.options()
        options.port = peer.port
        let services = try PolicyServices(options)
        let agent = try fixture.agent(policies: services.policies)
        let message = try await fixture.message { $0.requiresTLS = requiresTLS }
        let outcomes = await agent.deliver(message, to: "\(domain).zone.example")
        await agent.close()
        await fixture.stop()
        return (outcomes.first, fixture.results.all)
    }

    @Test("A signed TLSA record and the certificate it names: delivered, with REQUIRETLS too")
    func good() async throws {
        for requiresTLS in [false, true] {
            let (outcome, results) = try await deliver("good", requiresTLS: requiresTLS)
            #expect(outcome?.result == .relayed(keepsPromises: true))
            #expect(outcome?.security?.hasSuffix("dane-ee") == true)
            #expect(results.map(\.policy.kind) == [.tlsa])
            #expect(results.map(\.policy.policyDomain) == ["mx.good.zone.example"])
        }
    }

    @Test(
        "Another certificate, forged addresses, and a domain that takes no mail",
        arguments: [("wrong", "4.7.", false), ("bogus-host", "4.7.5", false), ("none", "5.1.10", true)])
    func refused(_ domain: String, _ status: String, _ isFinal: Bool) async throws {
        let (outcome, _) = try await deliver(domain)
        #expect(outcome?.result == (isFinal ? .failed : .deferred))
        #expect(outcome?.status.hasPrefix(status) == true, "\(String(describing: outcome))")
    }
}
