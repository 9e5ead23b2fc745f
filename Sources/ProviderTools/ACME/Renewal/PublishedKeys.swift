import Crypto
import MailDNS
import TLSPolicy
import X509

/// What the DNS publishes of a server's keys (TLSA, RFC 6698), and whether a key may be put in use: those who hold to such
/// records refuse a server whose key they do not name (RFC 7671 §8.1).
struct PublishedKeys: Sendable {
    /// One name and port with records that count.
    struct Place: Sendable, Equatable {
        var name: String
        var records: [TLSARecord]
        /// Seconds.
        var timeToLive: Int
    }

    var places: [Place]
    /// What could not be looked up: a key must not be changed while that is not known.
    var unknown: [String]

    /// Looks all names and ports up. Records that are not secure do not count (RFC 6698 §4.1).
    init(names: [String], ports: [Int], resolver: any DNSResolver) async {
        (places, unknown) = ([], [])
        for name in names where !name.hasPrefix("*.") {
            for port in ports {
                let place = "_\(port)._tcp.\(name)"
                do throws(DNSFailure) {
                    let answer = try await resolver.lookUp(place, .tlsa)
                    if case .bogus = answer.security { unknown.append(place) }
                    let records = answer.records.compactMap { TLSARecord($0) }
                    guard answer.security == .secure, !records.isEmpty else { continue }
                    places.append(Place(name: place, records: records, timeToLive: answer.timeToLive))
                } catch {
                    unknown.append(place)
                }
            }
        }
    }

    init(places: [Place], unknown: [String] = []) {
        self.places = places
        self.unknown = unknown
    }

    /// Places whose records hold the server to certain keys: none of them is of an authority, which permits any.
    var binding: [Place] {
        places.filter { place in
            place.records.contains(where: \.namesServer) && !place.records.contains(where: \.namesAuthority)
        }
    }

    /// Places that hold the server to keys, and not to this one.
    func lacking(_ key: CertificateKey) -> [Place] {
        binding.filter { place in !place.records.contains { $0.matches(key) } }
    }

    /// Places where nothing matches the certificate or one of its authorities.
    func refusing(_ chain: CertificateChain) -> [Place] {
        places.filter { place in !place.records.contains { $0.matches(chain) } }
    }

    /// Seconds that records from before may still be kept by others.
    var longestLifetime: Int64 { Int64(places.map(\.timeToLive).max() ?? 0) }
}

extension TLSARecord {
    init?(_ data: DNSRecordData) {
        guard case .tlsa(let usage, let selector, let matching, let octets) = data else { return nil }
        self.init(usage: usage, selector: selector, matching: matching, data: octets)
    }

    /// PKIX-EE and DANE-EE (RFC 6698 §2.1.1).
    var namesServer: Bool { usage == 1 || usage == 3 }

    /// PKIX-TA and DANE-TA.
    var namesAuthority: Bool { usage == 0 || usage == 2 }

    func matches(_ key: CertificateKey) -> Bool {
        namesServer && selector == 1 && Self.hash(key.publicKeyInfo, matching) == data
    }

    func matches(_ chain: CertificateChain) -> Bool {
        let certificates = namesServer ? chain.certificates.prefix(1) : chain.certificates.dropFirst()
        return certificates.contains { certificate in
            let octets =
                selector == 1 ? certificate.publicKey.subjectPublicKeyInfo : CertificateChain.octets(certificate)
            return selector <= 1 && Self.hash(octets, matching) == data
        }
    }

    /// RFC 6698 §2.1.3; nil for a matching type that is not known.
    private static func hash(_ octets: [UInt8], _ matching: UInt8) -> [UInt8]? {
        switch matching {
        case 0: octets
        case 1: Array(SHA256.hash(data: octets))
        case 2: Array(SHA512.hash(data: octets))
        case _: nil
        }
    }

    /// The record to publish for a key: DANE-EE, its SHA-256 (RFC 7672 §3.1.1).
    static func publishing(_ key: CertificateKey) -> String {
        let digits = SHA256.hash(data: key.publicKeyInfo).map { octet in
            let text = String(octet, radix: 16)
            return octet < 16 ? "0" + text : text
        }
        return "3 1 1 " + digits.joined()
    }
}
