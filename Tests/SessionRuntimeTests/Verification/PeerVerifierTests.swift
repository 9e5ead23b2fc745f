import Crypto
import CryptoExtras
import Foundation
import MailTestSupport
import SessionRuntime
import SwiftASN1
import TLSPolicy
import Testing
import X509

/// Chains to authorities: what is taken, and each thing that is refused [attack 20].
struct PeerVerifierTests {
    private typealias Options = IssuedCertificate.Options

    private let root: IssuedCertificate
    private let intermediate: IssuedCertificate

    init() throws {
        root = try .authority("root")
        intermediate = try .authority("intermediate", issuer: root)
    }

    private func verify(
        _ chain: [IssuedCertificate], _ names: [String] = ["mx.example.org"], at now: Int64 = IssuedCertificate.now
    ) async -> PeerVerdict {
        await PeerVerifier(trustRoots: .certificates([root.certificate]))
            .verify(chain: chain.map(\.der), .authorities(names: names), at: now)
    }

    private func leaf(
        _ options: Options, issuer: IssuedCertificate? = nil,
        key: Certificate.PrivateKey = Certificate.PrivateKey(P256.Signing.PrivateKey())
    ) throws -> IssuedCertificate {
        var options = options
        if options.names.isEmpty { options.names = ["mx.example.org"] }
        return try IssuedCertificate(options, issuer: issuer ?? intermediate, key: key)
    }

    private func kind(_ verdict: PeerVerdict) -> PeerRefusal.Kind? {
        if case .refused(let refusal) = verdict { refusal.kind } else { nil }
    }

    @Test("A chain to an authority and the right name")
    func accepted() async throws {
        let leaf = try leaf(Options())
        #expect(await verify([leaf, intermediate]) == .verified(by: .authorities))
        #expect(await verify([leaf, intermediate, root]) == .verified(by: .authorities))
        let rsa = try self.leaf(Options(), key: Certificate.PrivateKey(_RSA.Signing.PrivateKey(keySize: .bits2048)))
        #expect(await verify([rsa, intermediate]) == .verified(by: .authorities))
        let anyUsage = try self.leaf(Options(usages: [.any]))
        #expect(await verify([anyUsage, intermediate]) == .verified(by: .authorities))
        let noUsage = try self.leaf(Options(usages: nil))
        #expect(await verify([noUsage, intermediate]) == .verified(by: .authorities))
    }

    @Test(
        "Names are DNS-IDs, with a wildcard as the whole left-most label only (RFC 9525 §6.3)",
        arguments: [
            ("mx.example.org", true), ("MX.Example.Org", true), ("*.example.org", true), ("*.org", false),
            ("m*.example.org", false), ("mx.*.org", false), ("*.*.org", false), ("*", false),
            ("example.org", false), ("a.mx.example.org", false), ("mx.example.org.evil.example", false),
            ("*.mx.example.org", false), ("mx.example.org\u{0}.evil.example", false),
        ])
    func names(_ presented: String, _ isRight: Bool) async throws {
        let leaf = try leaf(Options(names: ["other.example", presented]))
        let verdict = await verify([leaf, intermediate])
        #expect(verdict == (isRight ? .verified(by: .authorities) : verdict))
        #expect(isRight || kind(verdict) == .wrongName)
    }

    @Test("[2595-2.4-5] A name only in the common name is none, and one of several wanted is enough")
    func commonName() async throws {
        let options = Options(names: ["other.example"], commonName: "mx.example.org")
        #expect(kind(await verify([try leaf(options), intermediate])) == .wrongName)
        var nameless = Options(commonName: "mx.example.org")
        nameless.names = []
        let bare = try IssuedCertificate(nameless, issuer: intermediate)
        #expect(kind(await verify([bare, intermediate])) == .wrongName)
        let good = try leaf(Options())
        #expect(await verify([good, intermediate], ["a.example", "mx.example.org"]) == .verified(by: .authorities))
        #expect(kind(await verify([good, intermediate], [])) == .wrongName)
    }

    @Test("Addresses are IP-IDs, never DNS-IDs")
    func addresses() async throws {
        var options = Options(names: ["192.0.2.1", "2001:db8::1", "mx.example.org"])
        let asNames = try IssuedCertificate(options, issuer: intermediate)
        #expect(kind(await verify([asNames, intermediate], ["192.0.2.1"])) == .wrongName)
        options.names = ["mx.example.org"]
        options.addresses = [[192, 0, 2, 1], [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1]]
        let leaf = try IssuedCertificate(options, issuer: intermediate)
        #expect(await verify([leaf, intermediate], ["192.0.2.1"]) == .verified(by: .authorities))
        #expect(await verify([leaf, intermediate], ["2001:DB8:0::1"]) == .verified(by: .authorities))
        #expect(kind(await verify([leaf, intermediate], ["192.0.2.2"])) == .wrongName)
    }

    @Test("Expired, not yet valid, and an authority that has expired")
    func dates() async throws {
        let leaf = try leaf(Options(days: 0...10))
        let day: Int64 = 86_400
        #expect(kind(await verify([leaf, intermediate], at: IssuedCertificate.now + 11 * day)) == .expired)
        #expect(kind(await verify([leaf, intermediate], at: IssuedCertificate.now - 2 * day)) == .expired)
        let old = try IssuedCertificate.authority("old", issuer: root, days: 0...5)
        let under = try self.leaf(Options(days: 0...10), issuer: old)
        #expect(await verify([under, old]) == .verified(by: .authorities))
        #expect(kind(await verify([under, old], at: IssuedCertificate.now + 6 * day)) == .expired)
    }

    @Test("Chains that lead nowhere: self-signed, unknown, incomplete, a leaf as issuer")
    func untrusted() async throws {
        let selfSigned = try IssuedCertificate(Options(names: ["mx.example.org"]))
        #expect(kind(await verify([selfSigned])) == .untrusted)
        let stranger = try IssuedCertificate.authority("root")
        let foreign = try leaf(Options(), issuer: stranger)
        #expect(kind(await verify([foreign, stranger])) == .untrusted)
        #expect(kind(await verify([try leaf(Options())])) == .untrusted)
        let issuingLeaf = try leaf(Options(names: ["evil.example"], commonName: "leaf"))
        let below = try leaf(Options(), issuer: issuingLeaf)
        #expect(kind(await verify([below, issuingLeaf, intermediate])) == .untrusted)
    }

    @Test("Certificates for something else: wrong usage, an authority's own, a key that may not sign, unknown critical")
    func misused() async throws {
        #expect(kind(await verify([try leaf(Options(usages: [.clientAuth])), intermediate])) == .untrusted)
        #expect(kind(await verify([try leaf(Options(isAuthority: true)), intermediate])) == .untrusted)
        let mute = try IssuedCertificate(
            Options(commonName: "mute", isAuthority: true, keyUsage: KeyUsage(digitalSignature: true)), issuer: root)
        #expect(kind(await verify([try leaf(Options(), issuer: mute), mute])) == .untrusted)
        let unknown = Certificate.Extension(oid: [1, 3, 6, 1, 4, 1, 55555, 1], critical: true, value: [5, 0])
        #expect(kind(await verify([try leaf(Options(extra: [unknown])), intermediate])) == .untrusted)
    }

    @Test("Weak keys and signatures: RSA of 1024 bits, SHA-1")
    func weak() async throws {
        let small = try _RSA.Signing.PrivateKey(unsafeKeySize: _RSA.Signing.KeySize(bitCount: 1024))
        let weakLeaf = try leaf(Options(), key: Certificate.PrivateKey(small))
        #expect(kind(await verify([weakLeaf, intermediate])) == .malformed)
        let rsa = Certificate.PrivateKey(try _RSA.Signing.PrivateKey(keySize: .bits2048))
        let authority = try IssuedCertificate.authority("rsa", issuer: root, key: rsa)
        let dated = try leaf(Options(hasSHA1Signature: true), issuer: authority)
        #expect(kind(await verify([dated, authority])) == .untrusted)
    }

    @Test("A signature by someone else's key, no certificate, and what is no certificate")
    func forged() async throws {
        let other = try IssuedCertificate.authority("intermediate", issuer: root)
        let leaf = try leaf(Options(), issuer: other)
        #expect(kind(await verify([leaf, intermediate])) == .untrusted)
        let verifier = PeerVerifier(trustRoots: .certificates([root.certificate]))
        let names = ServerVerification.authorities(names: ["mx.example.org"])
        #expect(kind(await verifier.verify(chain: [], names, at: 0)) == .malformed)
        #expect(kind(await verifier.verify(chain: [[0x30, 0x03, 1, 2, 3]], names, at: 0)) == .malformed)
        let huge = [[UInt8]](repeating: [UInt8](repeating: 0x30, count: 30_000), count: 3)
        #expect(kind(await verifier.verify(chain: huge, names, at: 0)) == .malformed)
        #expect(await verifier.verify(chain: [], .unverified, at: 0) == .unverified)
    }

    @Test("Trust in the system's authorities does not reach to ours")
    func systemRoots() async throws {
        let verdict = await PeerVerifier().verify(
            chain: [try leaf(Options()).der, intermediate.der], .authorities(names: ["mx.example.org"]),
            at: IssuedCertificate.now)
        #expect(kind(verdict) == .untrusted)
    }

    @Test("Authorities that sign each other in every way are given up on soon", .timeLimit(.minutes(1)))
    func tangle() async throws {
        let keys = (0..<7).map { _ in Certificate.PrivateKey(P256.Signing.PrivateKey()) }
        var tangle: [IssuedCertificate] = []
        let first = try IssuedCertificate.authority("tangle", key: keys[0])
        for key in keys { tangle.append(try IssuedCertificate.authority("tangle", issuer: first, key: key)) }
        let leaf = try leaf(Options(), issuer: first)
        #expect(kind(await verify([leaf] + tangle + tangle)) == .untrusted)
    }

    @Test("Mutated certificates are never taken")
    func mutated() async throws {
        let leaf = try leaf(Options())
        let verifier = PeerVerifier(trustRoots: .certificates([root.certificate]))
        var generator = SeededGenerator(seed: 5280)
        for _ in 0..<300 {
            var der = leaf.der
            let place = Int.random(in: 0..<der.count, using: &generator)
            der[place] ^= UInt8(1 << Int.random(in: 0..<8, using: &generator))
            let chain = [der, intermediate.der]
            let verdict = await verifier.verify(
                chain: chain, .authorities(names: ["mx.example.org"]), at: IssuedCertificate.now)
            #expect(kind(verdict) != nil, "octet \(place)")
        }
    }
}
