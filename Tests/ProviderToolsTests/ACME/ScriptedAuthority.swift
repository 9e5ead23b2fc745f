import Crypto
import Foundation
import SwiftASN1
import Synchronization
import X509

@testable import ProviderTools

/// An authority in memory: it checks signatures, nonces and states as RFC 8555 has them, and fails as a test wants.
final class ScriptedAuthority: ACMETransport {
    struct Script {
        var badNonces = 0
        /// Answers to the next POSTs to a path's beginning.
        var failures: [(path: String, response: ACMEResponse)] = []
        var challengeFails = false
        var staysProcessing = 0
        var meta = DirectoryObject.Meta()
        var lifetime = 90.0 * 86_400
        var macKey: [UInt8]?
        var isDown = false
        /// RFC 9773: what is said of every certificate.
        var window: RenewalInformation.Window?
        var types = ["http-01", "dns-01"]
        /// Who looks at proofs: false fails the challenge.
        var validates: @Sendable (String, String) async -> Bool = { _, _ in true }
    }

    struct Order {
        var object: OrderObject
        var certificate: String?
    }

    struct State {
        var nonces: Set<String> = []
        var lastNonce = 0
        var accounts: [String: WebKey] = [:]
        var orders: [String: Order] = [:]
        var valid: Set<String> = []
        var failed: Set<String> = []
        var requests: [String] = []
        var revoked: [String] = []
        var contact: [String] = []
    }

    static let base = "https://ca.example"
    let script: Mutex<Script>
    let state = Mutex(State())
    private let key = P256.Signing.PrivateKey()

    init(_ script: Script = Script()) { self.script = Mutex(script) }

    var requests: [String] { state.withLock { $0.requests } }

    func perform(_ request: ACMERequest) async throws(ACMEError) -> ACMEResponse {
        guard !script.withLock({ $0.isDown }) else { throw .unreachable("down") }
        let path = String(request.url.dropFirst(Self.base.count))
        switch request.method {
        case .get where path == "/directory": return json(directory)
        case .head where path == "/nonce": return ACMEResponse(status: 200, headers: ["replay-nonce": [nonce()]])
        case .get where path.hasPrefix("/renewal/"):
            guard let window = script.withLock({ $0.window }) else { return problem("malformed", 404) }
            state.withLock { $0.requests.append(path) }
            return json(RenewalInformation(suggestedWindow: window))
        case .get, .head: return ACMEResponse(status: 404)
        case .post: return await post(path, request)
        }
    }

    private var directory: DirectoryObject {
        DirectoryObject(
            newNonce: Self.base + "/nonce", newAccount: Self.base + "/account", newOrder: Self.base + "/order",
            revokeCert: Self.base + "/revoke",
            renewalInfo: script.withLock { $0.window == nil ? nil : Self.base + "/renewal" },
            meta: script.withLock { $0.meta })
    }

    private func nonce() -> String {
        state.withLock { state in
            state.lastNonce += 1
            state.nonces.insert("n\(state.lastNonce)")
            return "n\(state.lastNonce)"
        }
    }

    private func json(
        _ value: some Encodable, status: Int = 200, location: String? = nil, more: [String: String] = [:]
    ) -> ACMEResponse {
        var headers = ["content-type": ["application/json"], "replay-nonce": [nonce()]]
        if let location { headers["location"] = [Self.base + location] }
        for (name, value) in more { headers[name] = [value] }
        return ACMEResponse(status: status, headers: headers, body: WebSignature.json(value))
    }

    func problem(_ type: String, _ status: Int, retryAfter: String? = nil) -> ACMEResponse {
        json(
            ProblemDocument(type: "urn:ietf:params:acme:error:" + type, detail: "as scripted"), status: status,
            more: retryAfter.map { ["retry-after": $0] } ?? [:])
    }

    private struct Signed: Decodable { var protected, payload, signature: String }
    private struct Header: Decodable {
        var alg, nonce, url: String
        var jwk: WebKey?
        var kid: String?
    }

    private func post(_ path: String, _ request: ACMERequest) async -> ACMEResponse {
        state.withLock { $0.requests.append(path) }
        guard let signed = try? JSONDecoder().decode(Signed.self, from: Data(request.body)),
            let header = Base64URL.decode(signed.protected).flatMap({
                try? JSONDecoder().decode(Header.self, from: Data($0))
            }), let payload = Base64URL.decode(signed.payload), header.url == request.url, header.alg == "ES256"
        else { return problem("malformed", 400) }
        let isFresh = state.withLock { $0.nonces.remove(header.nonce) != nil }
        let isRefused = script.withLock { script in
            defer { if script.badNonces > 0 { script.badNonces -= 1 } }
            return script.badNonces > 0
        }
        guard isFresh, !isRefused else { return problem("badNonce", 400) }
        let known = header.kid.flatMap { kid in state.withLock { $0.accounts[kid] } }
        guard let key = known ?? header.jwk else { return problem("accountDoesNotExist", 400) }
        guard isValid(signed, key) else { return problem("unauthorized", 401) }
        let failure: ACMEResponse? = script.withLock { script in
            guard let place = script.failures.firstIndex(where: { path.hasPrefix($0.path) }) else { return nil }
            return script.failures.remove(at: place).response
        }
        if var failure {
            failure.headers["replay-nonce"] = [nonce()]
            return failure
        }
        return await answer(path, payload, key)
    }

    private func isValid(_ signed: Signed, _ key: WebKey) -> Bool {
        guard let x = Base64URL.decode(key.x), let y = Base64URL.decode(key.y),
            let publicKey = try? P256.Signing.PublicKey(rawRepresentation: Data(x + y)),
            let octets = Base64URL.decode(signed.signature),
            let signature = try? P256.Signing.ECDSASignature(rawRepresentation: Data(octets))
        else { return false }
        return publicKey.isValidSignature(signature, for: Data("\(signed.protected).\(signed.payload)".utf8))
    }

    private struct Account: Decodable {
        var contact: [String]?
        var termsOfServiceAgreed: Bool?
        var externalAccountBinding: Signed?
    }
    private struct Names: Decodable { var identifiers: [ACMEIdentifier] }
    private struct Request: Decodable { var csr: String }

    private func answer(_ path: String, _ payload: [UInt8], _ key: WebKey) async -> ACMEResponse {
        let parts = path.split(separator: "/").map(String.init)
        switch parts[0] {
        case "account" where parts.count == 1: return makeAccount(payload, key)
        case "account":
            let update = try? JSONDecoder().decode(Account.self, from: Data(payload))
            state.withLock { $0.contact = update?.contact ?? [] }
            return json(AccountObject(status: "valid", contact: update?.contact))
        case "order" where parts.count == 1: return makeOrder(payload)
        case "order" where parts.count == 2: return order(parts[1])
        case "order": return finalize(parts[1], payload)
        case "authorization": return authorization(parts[1], parts[2])
        case "challenge": return await validate(parts[1], parts[2], key)
        case "certificate":
            guard let pem = state.withLock({ $0.orders[parts[1]]?.certificate }) else {
                return problem("malformed", 404)
            }
            return ACMEResponse(
                status: 200,
                headers: ["content-type": ["application/pem-certificate-chain"], "replay-nonce": [nonce()]],
                body: Array(pem.utf8))
        case "revoke":
            state.withLock { $0.revoked.append(String(decoding: payload, as: UTF8.self)) }
            return json([String: String]())
        case _: return problem("malformed", 404)
        }
    }

    private func makeAccount(_ payload: [UInt8], _ key: WebKey) -> ACMEResponse {
        let account = try? JSONDecoder().decode(Account.self, from: Data(payload))
        let (meta, macKey) = script.withLock { ($0.meta, $0.macKey) }
        if meta.termsOfService != nil, account?.termsOfServiceAgreed != true {
            return problem("userActionRequired", 403)
        }
        if let macKey {
            guard let binding = account?.externalAccountBinding, let code = Base64URL.decode(binding.signature),
                HMAC<SHA256>.isValidAuthenticationCode(
                    code, authenticating: Data("\(binding.protected).\(binding.payload)".utf8),
                    using: SymmetricKey(data: macKey)),
                Base64URL.decode(binding.payload) == WebSignature.json(key)
            else { return problem("externalAccountRequired", 403) }
        }
        let url = "/account/\(key.thumbprint)"
        state.withLock {
            $0.accounts[Self.base + url] = key
            $0.contact = account?.contact ?? []
        }
        return json(AccountObject(status: "valid"), status: 201, location: url)
    }

    private func makeOrder(_ payload: [UInt8]) -> ACMEResponse {
        guard let names = try? JSONDecoder().decode(Names.self, from: Data(payload)) else {
            return problem("malformed", 400)
        }
        let number = state.withLock { state in
            let number = "\(state.orders.count + 1)"
            state.orders[number] = Order(
                object: OrderObject(
                    status: .pending, identifiers: names.identifiers,
                    authorizations: names.identifiers.indices.map { Self.base + "/authorization/\(number)/\($0)" },
                    finalize: Self.base + "/order/\(number)/finalize"))
            return number
        }
        return json(orderObject(number), status: 201, location: "/order/\(number)")
    }

    private func orderObject(_ number: String) -> OrderObject? {
        let wait = script.withLock { script in
            defer { if script.staysProcessing > 0 { script.staysProcessing -= 1 } }
            return script.staysProcessing > 0
        }
        return state.withLock { state in
            guard var order = state.orders[number] else { return nil }
            let all = order.object.authorizations
            if order.object.status == .pending {
                if all.contains(where: { state.failed.contains($0) }) { order.object.status = .invalid }
                if all.allSatisfy({ state.valid.contains($0) }) { order.object.status = .ready }
            }
            if order.certificate != nil, order.object.status == .processing, !wait {
                order.object.status = .valid
                order.object.certificate = Self.base + "/certificate/\(number)"
            }
            state.orders[number] = order
            return order.object
        }
    }

    private func order(_ number: String) -> ACMEResponse {
        guard let order = orderObject(number) else { return problem("malformed", 404) }
        return json(order)
    }

    private func authorization(_ number: String, _ index: String) -> ACMEResponse {
        let url = Self.base + "/authorization/\(number)/\(index)"
        let types = script.withLock { $0.types }
        let object = state.withLock { state -> AuthorizationObject? in
            guard let order = state.orders[number], let place = Int(index) else { return nil }
            var identifier = order.object.identifiers[place]
            let isWildcard = identifier.value.hasPrefix("*.")
            if isWildcard { identifier.value = String(identifier.value.dropFirst(2)) }
            let hasFailed = state.failed.contains(url)
            let challenges = types.map { type in
                ChallengeObject(
                    type: type, url: Self.base + "/challenge/\(number)/\(index)",
                    status: hasFailed ? "invalid" : "pending",
                    token: "token-\(number)-\(index)",
                    error: hasFailed
                        ? ProblemDocument(type: "urn:ietf:params:acme:error:incorrectResponse", detail: "not seen")
                        : nil)
            }
            let status: AuthorizationObject.Status =
                state.valid.contains(url) ? .valid : hasFailed ? .invalid : .pending
            return AuthorizationObject(
                status: status, identifier: identifier, challenges: challenges, wildcard: isWildcard ? true : nil)
        }
        guard let object else { return problem("malformed", 404) }
        return json(object)
    }

    private func validate(_ number: String, _ index: String, _ key: WebKey) async -> ACMEResponse {
        let url = Self.base + "/authorization/\(number)/\(index)"
        let token = "token-\(number)-\(index)"
        let (validates, fails) = script.withLock { ($0.validates, $0.challengeFails) }
        let isGood = await validates(token, "\(token).\(key.thumbprint)")
        state.withLock { state in
            _ = isGood && !fails ? state.valid.insert(url) : state.failed.insert(url)
        }
        return json([String: String]())
    }

    private func finalize(_ number: String, _ payload: [UInt8]) -> ACMEResponse {
        guard let request = try? JSONDecoder().decode(Request.self, from: Data(payload)),
            let octets = Base64URL.decode(request.csr), orderObject(number)?.status == .ready
        else { return problem("orderNotReady", 403) }
        guard let pem = try? issue(octets) else { return problem("badCSR", 400) }
        state.withLock {
            $0.orders[number]?.certificate = pem
            $0.orders[number]?.object.status = .processing
        }
        return json(orderObject(number))
    }

    private func issue(_ octets: [UInt8]) throws -> String {
        let request = try CertificateSigningRequest(derEncoded: octets)
        guard request.publicKey.isValidSignature(request.signature, for: request) else {
            throw ACMEError.malformed("CSR")
        }
        let extensions = try request.attributes.extensionRequest?.extensions
        let names = try extensions?.subjectAlternativeNames ?? SubjectAlternativeNames()
        let authority = try DistinguishedName { CommonName("Scripted Authority") }
        let now = Date()
        let authorityKey = Certificate.PrivateKey(key)
        let leaf = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: request.publicKey, notValidBefore: now,
            notValidAfter: now.addingTimeInterval(script.withLock { $0.lifetime }), issuer: authority,
            subject: DistinguishedName(), signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions {
                names
                AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: authorityKey.publicKey).keyIdentifier)
            }, issuerPrivateKey: authorityKey)
        let issuer = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: authorityKey.publicKey,
            notValidBefore: now,
            notValidAfter: now.addingTimeInterval(365 * 86_400), issuer: authority, subject: authority,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: Certificate.Extensions { Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0)) },
            issuerPrivateKey: authorityKey)
        return try [leaf, issuer].map { try $0.serializeAsPEM().pemString + "\n" }.joined()
    }
}

/// Remembers proofs, and shows them to nobody.
final class ScriptedSolver: ChallengeSolver {
    let type: String
    let put_ = Mutex<[ChallengeProof]>([])
    let removed = Mutex<[ChallengeProof]>([])

    init(type: String = "http-01") { self.type = type }

    func put(_ proofs: [ChallengeProof]) async throws(ACMEError) { put_.withLock { $0 += proofs } }
    func remove(_ proofs: [ChallengeProof]) async { removed.withLock { $0 += proofs } }
}
