import Crypto
import Foundation
import SwiftASN1
import TLSPolicy
import X509

/// TLSA records against a chain (RFC 6698, RFC 7671), as mail between servers uses them (RFC 7672 §3).
struct DANECheck {
    var records: [TLSARecord]
    var names: [String]
    var time: Date

    func verify(_ chain: [[UInt8]]) async -> PeerVerdict {
        let usable = strongest(records.filter(\.isUsable))
        guard !usable.isEmpty else { return .unverified }
        guard let leaf = chain.first else { return .refused(PeerRefusal(.malformed, "no certificate was presented")) }
        guard chain.reduce(0, { $0 + $1.count }) <= PeerVerifier.maximumOctets else {
            return .refused(PeerRefusal(.malformed, "the certificates are too large"))
        }
        // Neither names nor dates are looked at: the record says it all (RFC 7672 §3.1.1).
        if usable.contains(where: { $0.usage == 3 && $0.matches(leaf) }) { return .verified(by: .daneEE) }
        return await verifyAnchor(usable.filter { $0.usage == 2 }, chain)
    }

    private func verifyAnchor(_ records: [TLSARecord], _ chain: [[UInt8]]) async -> PeerVerdict {
        guard !records.isEmpty else {
            return .refused(PeerRefusal(.daneMismatch, "no TLSA record matches the server's certificate"))
        }
        do throws(PeerRefusal) {
            let presented = try PresentedChain(chain)
            let keys = bareKeys(records)
            let anchors = trustAnchors(records, keys, presented)
            let check = ChainCheck(roots: CertificateStore(anchors), time: time)
            if keys.contains(where: { $0.isValidSignature(presented.leaf.signature, for: presented.leaf) }) {
                try check.verifyAlone(presented.leaf, names: names)
            } else if anchors.isEmpty {
                throw PeerRefusal(.daneMismatch, "no TLSA record matches a certificate")
            } else {
                try await check.verify(presented, names: names)
            }
            return .verified(by: .daneTA)
        } catch { return .refused(error) }
    }

    /// Whole keys in the DNS: they need no certificate (RFC 7671 §5.2.3).
    private func bareKeys(_ records: [TLSARecord]) -> [Certificate.PublicKey] {
        records.filter { $0.selector == 1 && $0.matching == 0 }.compactMap { record in
            try? Certificate.PublicKey(derEncoded: record.data)
        }
    }

    /// Presented authorities that a record matches; a whole certificate in the DNS, which need not be presented; and what
    /// a bare key in the DNS has signed, which is as good as the key (RFC 7671 §5.2.2, §5.2.3).
    private func trustAnchors(
        _ records: [TLSARecord], _ keys: [Certificate.PublicKey], _ presented: PresentedChain
    ) -> [Certificate] {
        let whole = records.filter { $0.selector == 0 && $0.matching == 0 }.compactMap { record in
            try? Certificate(derEncoded: record.data)
        }
        return whole
            + presented.others.filter { other in
                records.contains { $0.matches(other.der) }
                    || keys.contains { $0.isValidSignature(other.certificate.signature, for: other.certificate) }
            }.map(\.certificate)
    }

    /// Digest agility (RFC 7671 §9): among records of a usage and selector only those with the strongest digest count,
    /// besides whole ones.
    private func strongest(_ records: [TLSARecord]) -> [TLSARecord] {
        records.filter { record in
            record.matching != 1
                || !records.contains {
                    $0.matching == 2 && $0.usage == record.usage && $0.selector == record.selector
                }
        }
    }
}

extension TLSARecord {
    /// Whether it is about this certificate (RFC 6698 §2.1.2, §2.1.3).
    func matches(_ der: [UInt8]) -> Bool {
        guard let selected = selector == 0 ? der[...] : subjectPublicKeyInfo(der) else { return false }
        switch matching {
        case 0: return data.elementsEqual(selected)
        case 1: return SHA256.hash(data: selected).elementsEqual(data)
        case 2: return SHA512.hash(data: selected).elementsEqual(data)
        case _: return false
        }
    }
}

/// The octets of a certificate's key as they are in it: a key of a kind that nobody here knows can be matched too.
///
///     TBSCertificate ::= SEQUENCE { version [0] OPTIONAL, serialNumber, signature, issuer, validity, subject,
///         subjectPublicKeyInfo, ... }        RFC 5280 §4.1
func subjectPublicKeyInfo(_ der: [UInt8]) -> ArraySlice<UInt8>? {
    guard let certificate = try? DER.parse(der), case .constructed(let outer) = certificate.content,
        let signed = outer.first(where: { _ in true }), case .constructed(let fields) = signed.content
    else { return nil }
    let version = ASN1Identifier(tagWithNumber: 0, tagClass: .contextSpecific)
    let place = fields.first(where: { _ in true })?.identifier == version ? 6 : 5
    return fields.dropFirst(place).first(where: { _ in true })?.encodedBytes
}
