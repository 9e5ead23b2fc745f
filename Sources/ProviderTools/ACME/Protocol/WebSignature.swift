import Crypto
import Foundation

/// A public key as JSON (RFC 7517), of the one kind that accounts have: P-256.
struct WebKey: Codable, Sendable, Equatable {
    var crv = "P-256"
    var kty = "EC"
    var x: String
    var y: String

    init(_ key: P256.Signing.PublicKey) {
        let point = key.rawRepresentation
        x = Base64URL.encode(point.prefix(32))
        y = Base64URL.encode(point.suffix(32))
    }

    /// RFC 7638: the hash of its required members, sorted, without white space.
    var thumbprint: String { WebSignature.thumbprint(of: self) }
}

/// JSON Web Signatures in the flattened form that ACME takes (RFC 7515 §7.2.2, RFC 8555 §6.2).
struct WebSignature: Encodable, Sendable {
    private struct Header: Encodable {
        var alg: String
        var jwk: WebKey?
        var kid: String?
        var nonce: String?
        var url: String
    }

    let protected: String
    let payload: String
    let signature: String

    /// By an account's key, which `account`, its URL, names; a key without an account yet comes along (RFC 8555 §6.2).
    ///
    /// - Parameter payload: nil for POST-as-GET.
    init(
        _ payload: [UInt8]?, key: P256.Signing.PrivateKey, account: String?, nonce: String, url: String
    ) throws(ACMEError) {
        let header = Header(
            alg: "ES256", jwk: account == nil ? WebKey(key.publicKey) : nil, kid: account, nonce: nonce, url: url)
        protected = Base64URL.encode(Self.json(header))
        self.payload = Base64URL.encode(payload ?? [])
        do {
            let signed = try key.signature(for: Data("\(protected).\(self.payload)".utf8))
            signature = Base64URL.encode(signed.rawRepresentation)
        } catch {
            throw .internalFailure("the account's key cannot sign: \(error)")
        }
    }

    /// The binding of an account to one that the authority knows otherwise (RFC 8555 §7.3.4).
    init(binding key: P256.Signing.PublicKey, to identifier: String, macKey: [UInt8], url: String) {
        let header = Header(alg: "HS256", kid: identifier, url: url)
        protected = Base64URL.encode(Self.json(header))
        payload = Base64URL.encode(Self.json(WebKey(key)))
        let code = HMAC<SHA256>.authenticationCode(
            for: Data("\(protected).\(payload)".utf8), using: SymmetricKey(data: macKey))
        signature = Base64URL.encode(code)
    }

    /// - Parameter key: with the members that RFC 7638 §3.2 wants, and no others.
    static func thumbprint(of key: some Encodable) -> String { Base64URL.encode(SHA256.hash(data: json(key))) }

    /// Sorted, so that the same value is always the same octets.
    static func json(_ value: some Encodable) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Texts and structures of texts can always be encoded.
        return (try? encoder.encode(value)).map { Array($0) } ?? []
    }
}
