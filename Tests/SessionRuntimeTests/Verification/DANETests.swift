import Crypto
import Foundation
import MailTestSupport
import SessionRuntime
import TLSPolicy
import Testing
import X509

/// TLSA records against chains (RFC 6698 §2.1, RFC 7671 §5, RFC 7672 §3).
struct DANETests {
    private let authority: IssuedCertificate
    private let leaf: IssuedCertificate
    private let expired: IssuedCertificate

    init() throws {
        authority = try .authority("dane authority")
        leaf = try IssuedCertificate(.init(names: ["mx.example.org"]), issuer: authority)
        expired = try IssuedCertificate(.init(names: ["elsewhere.example"], days: -20 ... -10))
    }

    private func verify(
        _ records: [TLSARecord], _ chain: [[UInt8]], _ names: [String] = ["mx.example.org"]
    ) async -> PeerVerdict {
        await PeerVerifier(trustRoots: .certificates([]))
            .verify(chain: chain, .dane(records: records, names: names), at: IssuedCertificate.now)
    }

    private func record(
        _ usage: UInt8, _ selector: UInt8, _ matching: UInt8, _ certificate: IssuedCertificate
    ) throws -> TLSARecord {
        let selected = selector == 0 ? certificate.der : try certificate.publicKeyDER
        let data: [UInt8] =
            switch matching {
            case 0: selected
            case 1: Array(SHA256.hash(data: selected))
            case _: Array(SHA512.hash(data: selected))
            }
        return TLSARecord(usage: usage, selector: selector, matching: matching, data: data)
    }

    private func kind(_ verdict: PeerVerdict) -> PeerRefusal.Kind? {
        if case .refused(let refusal) = verdict { refusal.kind } else { nil }
    }

    @Test("DANE-EE: the server's own certificate or key, whatever its names and dates", arguments: [0, 1], [0, 1, 2])
    func endEntity(_ selector: UInt8, _ matching: UInt8) async throws {
        let record = try record(3, selector, matching, expired)
        #expect(await verify([record], [expired.der]) == .verified(by: .daneEE))
        #expect(kind(await verify([record], [leaf.der, expired.der])) == .daneMismatch)
        #expect(kind(await verify([record], [leaf.der])) == .daneMismatch)
        #expect(kind(await verify([record], [])) == .malformed)
    }

    @Test(
        "DANE-TA: a chain to the authority of the record, with the right name and dates", arguments: [0, 1], [0, 1, 2])
    func trustAnchor(_ selector: UInt8, _ matching: UInt8) async throws {
        let record = try record(2, selector, matching, authority)
        let chain = [leaf.der, authority.der]
        #expect(await verify([record], chain) == .verified(by: .daneTA))
        #expect(await verify([record], chain, ["other.example", "mx.example.org"]) == .verified(by: .daneTA))
        #expect(kind(await verify([record], chain, ["other.example"])) == .wrongName)
        let old = try IssuedCertificate(.init(names: ["mx.example.org"], days: -20 ... -10), issuer: authority)
        #expect(kind(await verify([record], [old.der, authority.der])) == .expired)
        let stranger = try IssuedCertificate(
            .init(names: ["mx.example.org"]), issuer: try .authority("dane authority"))
        #expect(kind(await verify([record], [stranger.der, authority.der])) == .untrusted)
        // A digest alone does not give the certificate: the server must present it (RFC 7671 §5.2.2).
        #expect(await (verify([record], [leaf.der]) == .verified(by: .daneTA)) == (matching == 0))
    }

    @Test("DANE-TA: an intermediate can be the anchor; the server's own certificate is none")
    func anchors() async throws {
        let middle = try IssuedCertificate.authority("middle", issuer: authority)
        let below = try IssuedCertificate(.init(names: ["mx.example.org"]), issuer: middle)
        #expect(await verify([try record(2, 1, 1, middle)], [below.der, middle.der]) == .verified(by: .daneTA))
        #expect(await verify([try record(2, 1, 0, middle)], [below.der]) == .verified(by: .daneTA))
        #expect(kind(await verify([try record(2, 1, 1, below)], [below.der, middle.der])) == .daneMismatch)
        #expect(kind(await verify([try record(2, 1, 0, authority)], [below.der])) == .daneMismatch)
    }

    @Test("One of several records is enough, as in a change of keys")
    func several() async throws {
        let records = [try record(3, 1, 1, expired), try record(3, 1, 1, leaf), try record(2, 0, 1, expired)]
        #expect(await verify(records, [leaf.der]) == .verified(by: .daneEE))
        let fallback = [try record(3, 1, 1, expired), try record(2, 0, 1, authority)]
        #expect(await verify(fallback, [leaf.der, authority.der]) == .verified(by: .daneTA))
    }

    @Test("The strongest digest of a kind counts (RFC 7671 §9)")
    func agility() async throws {
        let stale = [try record(3, 1, 1, leaf), try record(3, 1, 2, expired)]
        #expect(kind(await verify(stale, [leaf.der])) == .daneMismatch)
        let other = [try record(3, 0, 1, leaf), try record(3, 1, 2, expired)]
        #expect(await verify(other, [leaf.der]) == .verified(by: .daneEE))
    }

    @Test("Records that are no use, alone, leave the server unverified; beside others they are nothing (RFC 7672 §2.2)")
    func unusable() async throws {
        let useless = [
            TLSARecord(usage: 0, selector: 0, matching: 1, data: [UInt8](repeating: 0, count: 32)),
            TLSARecord(usage: 1, selector: 1, matching: 1, data: [UInt8](repeating: 0, count: 32)),
            TLSARecord(usage: 3, selector: 2, matching: 1, data: [UInt8](repeating: 0, count: 32)),
            TLSARecord(usage: 3, selector: 1, matching: 3, data: [UInt8](repeating: 0, count: 32)),
            TLSARecord(usage: 3, selector: 1, matching: 1, data: [UInt8](repeating: 0, count: 31)),
            TLSARecord(usage: 3, selector: 1, matching: 2, data: [UInt8](repeating: 0, count: 32)),
            TLSARecord(usage: 3, selector: 0, matching: 0, data: []),
            TLSARecord(usage: 3, selector: 0, matching: 0, data: [0x30, 0x82, 0xFF]),
            TLSARecord(usage: 255, selector: 0, matching: 0, data: [0x30, 0]),
        ]
        #expect(useless.filter(\.isUsable).isEmpty)
        #expect(await verify(useless, [leaf.der]) == .unverified)
        let mixed = useless + [try record(3, 1, 1, expired)]
        #expect(kind(await verify(mixed, [leaf.der])) == .daneMismatch)
    }

    @Test("Mutated certificates and records never match")
    func mutated() async throws {
        let record = try record(3, 0, 1, leaf)
        var generator = SeededGenerator(seed: 7672)
        for _ in 0..<2000 {
            var der = leaf.der
            der[Int.random(in: 0..<der.count, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
            #expect(await verify([record], [der]) != .verified(by: .daneEE))
            var changed = try self.record(3, 1, 1, leaf)
            changed.data[Int.random(in: 0..<32, using: &generator)] ^= UInt8.random(in: 1...255, using: &generator)
            #expect(
                await verify([changed], [Array(der.prefix(Int.random(in: 0...der.count, using: &generator)))])
                    != .verified(by: .daneEE))
        }
    }
}
