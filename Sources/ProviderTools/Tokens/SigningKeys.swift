import Foundation
import JWTKit

/// The algorithms by which a token may be signed: those with a public key. HMAC would let whoever has the public key
/// sign, and `none` anybody.
package enum TokenAlgorithm: String, Sendable, CaseIterable {
    case rs256 = "RS256"
    case rs384 = "RS384"
    case rs512 = "RS512"
    case ps256 = "PS256"
    case ps384 = "PS384"
    case ps512 = "PS512"
    case es256 = "ES256"
    case es384 = "ES384"
    case es512 = "ES512"
    case edDSA = "EdDSA"

    fileprivate var keyType: JWK.KeyType {
        switch self {
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512: .rsa
        case .es256, .es384, .es512: .ecdsa
        case .edDSA: .octetKeyPair
        }
    }

    /// RFC 7518 §3.4: each goes with one curve.
    fileprivate var curve: String? {
        switch self {
        case .rs256, .rs384, .rs512, .ps256, .ps384, .ps512, .edDSA: nil
        case .es256: "P-256"
        case .es384: "P-384"
        case .es512: "P-521"
        }
    }
}

/// An issuer's public keys (RFC 7517 §5).
struct SigningKeys: Sendable {
    /// An issuer has two or three.
    static let maximumKeys = 64
    /// Bits of a modulus; BoringSSL would take much time for a huge one.
    private static let modulusOctets = 256...1024

    private struct Key: Sendable {
        var identifier: String?
        var jwk: JWK
    }

    private let keys: [Key]

    private struct Envelope: Decodable {
        struct Entry: Decodable {
            /// Nil for a key of a kind that is not known here, or not for signatures: RFC 7517 §5 has it ignored.
            var jwk: JWK?

            private enum Names: String, CodingKey { case use }

            init(from decoder: any Decoder) throws {
                let use = try? decoder.container(keyedBy: Names.self).decodeIfPresent(String.self, forKey: .use)
                jwk = use ?? "sig" == "sig" ? try? JWK(from: decoder) : nil
            }
        }
        var keys: [Entry]
    }

    /// Throws for what is no key set; keys that cannot be used are left out.
    init(json: [UInt8]) throws {
        let envelope = try JSONDecoder().decode(Envelope.self, from: Data(json))
        keys = envelope.keys.prefix(Self.maximumKeys).compactMap { entry in
            guard let jwk = entry.jwk, Self.isUsable(jwk) else { return nil }
            return Key(identifier: jwk.keyIdentifier?.string, jwk: jwk)
        }
    }

    private static func isUsable(_ jwk: JWK) -> Bool {
        guard jwk.keyType == .rsa else { return true }
        return modulusOctets.contains((jwk.modulus?.utf8.count ?? 0) * 3 / 4)
    }

    func has(_ identifier: String) -> Bool { keys.contains { $0.identifier == identifier } }

    /// The keys that may have signed: the named one, or, of a token that names none, all of the algorithm's kind.
    func candidates(_ identifier: String?, _ algorithm: TokenAlgorithm) async -> [JWTKeyCollection] {
        var found: [JWTKeyCollection] = []
        for key in keys where identifier == nil || key.identifier == identifier {
            var jwk = key.jwk
            guard jwk.keyType == algorithm.keyType, jwk.algorithm?.rawValue ?? algorithm.rawValue == algorithm.rawValue
            else { continue }
            if let curve = algorithm.curve, let own = jwk.curve?.rawValue, own != curve { continue }
            jwk.algorithm = JWK.Algorithm(rawValue: algorithm.rawValue)
            jwk.keyIdentifier = JWKIdentifier(string: identifier ?? "-")
            let collection = JWTKeyCollection()
            guard (try? await collection.add(jwk: jwk)) != nil else { continue }
            found.append(collection)
        }
        return found
    }
}
