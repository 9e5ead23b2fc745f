import Foundation

/// Takes one order from where it stands to a certificate (RFC 8555 §7.4). An order that was begun before a restart goes on.
struct CertificateOrder: Sendable {
    /// All in all, beside the DNS's time.
    private static let patience = Duration.seconds(300)
    /// Between looks at an order or authorization, seconds: what the authority asks for, within these.
    private static let pauses: ClosedRange<Int64> = 1...30
    /// Names of one certificate; authorities take a hundred.
    static let maximumNames = 100
    /// Chains that are looked at for the preferred one.
    private static let maximumChains = 5

    let client: ACMEClient
    let solver: any ChallengeSolver
    /// With wildcards, ASCII.
    let names: [String]
    var preferredIssuer: String?

    /// Makes the order at the authority, and returns its URL.
    ///
    /// - Parameter replaces: RFC 9773 §5; an authority that does not take it is asked without.
    func begin(replaces: String?) async throws(ACMEError) -> String {
        let directory = try await client.directory()
        let identifiers = names.map { ACMEIdentifier(value: $0) }
        let response: ACMEResponse
        do throws(ACMEError) {
            response = try await client.post(
                directory.newOrder,
                NewOrder(identifiers: identifiers, replaces: directory.renewalInfo.flatMap { _ in replaces }))
        } catch {
            guard replaces != nil, case .problem(let problem) = error, problem.retryAfter == nil,
                problem.status < 500, problem.type != "rateLimited"
            else { throw error }
            return try await begin(replaces: nil)
        }
        guard let url = response.header("location") else { throw .malformed("a new order has no URL") }
        return url
    }

    /// Whether an order from before can still go on; false when the authority has it no more, or it failed.
    func canResume(_ url: String) async throws(ACMEError) -> Bool {
        do throws(ACMEError) {
            let (order, _): (OrderObject, _) = try await client.read(url)
            return order.status != .invalid && Set(order.identifiers.map(\.value)) == Set(names)
        } catch {
            guard case .problem(let problem) = error, problem.status < 500, problem.retryAfter == nil else {
                throw error
            }
            return false
        }
    }

    /// Proves the names, asks for the certificate and returns its chain, PEM, leaf first.
    func complete(_ url: String, key: CertificateKey) async throws(ACMEError) -> String {
        let end = ContinuousClock.now + Self.patience
        var (order, _): (OrderObject, ACMEResponse) = try await client.read(url)
        if order.status == .pending {
            try await prove(order, end)
            order = try await settled(url, whileIn: [.pending], end)
        }
        if order.status == .ready {
            let request = FinalizeRequest(csr: Base64URL.encode(try key.request(for: names)))
            _ = try await client.post(order.finalize, request)
            order = try await settled(url, whileIn: [.ready, .processing], end)
        } else if order.status == .processing {
            order = try await settled(url, whileIn: [.processing], end)
        }
        guard order.status == .valid, let certificate = order.certificate else { throw Self.failure(of: order) }
        return try await download(certificate)
    }

    // MARK: Names

    private struct OpenName: Sendable {
        var authorization: String
        var challenge: ChallengeObject
        var proof: ChallengeProof
    }

    private func prove(_ order: OrderObject, _ end: ContinuousClock.Instant) async throws(ACMEError) {
        var open: [OpenName] = []
        for url in order.authorizations.prefix(Self.maximumNames) {
            if let name = try await openName(url) { open.append(name) }
        }
        guard !open.isEmpty else { return }
        let proofs = open.map(\.proof)
        let result: Result<Void, ACMEError>
        do throws(ACMEError) {
            try await solver.put(proofs)
            for name in open where name.challenge.status == "pending" {
                _ = try await client.post(name.challenge.url, [String: String]())
            }
            // The DNS may have taken its time.
            let proofEnd = max(end, ContinuousClock.now + Self.patience)
            for name in open { try await awaitProof(name.authorization, proofEnd) }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await solver.remove(proofs)
        try result.get()
    }

    /// Nil for a name that is proved already.
    private func openName(_ url: String) async throws(ACMEError) -> OpenName? {
        let (authorization, _): (AuthorizationObject, _) = try await client.read(url)
        let name = authorization.identifier.value
        switch authorization.status {
        case .valid: return nil
        case .pending: break
        case .invalid, .deactivated, .expired, .revoked: throw .unproven(name: name, reason: authorization.failure)
        }
        guard let challenge = authorization.challenges.first(where: { $0.type == solver.type }),
            let token = challenge.token, ChallengeProof.isToken(token)
        else {
            throw .challenge(
                "the authority offers no \(solver.type) challenge for \(name), but "
                    + authorization.challenges.map(\.type).joined(separator: ", ") + "; see acme.challenge")
        }
        let proof = ChallengeProof(
            domain: name, token: token, keyAuthorization: try await client.keyAuthorization(token))
        return OpenName(authorization: url, challenge: challenge, proof: proof)
    }

    private func awaitProof(_ url: String, _ end: ContinuousClock.Instant) async throws(ACMEError) {
        while true {
            let (authorization, response): (AuthorizationObject, ACMEResponse) = try await client.read(url)
            switch authorization.status {
            case .valid: return
            case .pending: try await pause(response, end, "checking \(authorization.identifier.value)")
            case .invalid, .deactivated, .expired, .revoked:
                throw .unproven(name: authorization.identifier.value, reason: authorization.failure)
            }
        }
    }

    // MARK: Order

    private func settled(
        _ url: String, whileIn states: Set<OrderObject.Status>, _ end: ContinuousClock.Instant
    ) async throws(ACMEError) -> OrderObject {
        let last = max(end, ContinuousClock.now + Self.patience)
        while true {
            let (order, response): (OrderObject, ACMEResponse) = try await client.read(url)
            if order.status == .invalid { throw Self.failure(of: order) }
            guard states.contains(order.status) else { return order }
            try await pause(response, last, "its order stays \(order.status.rawValue)")
        }
    }

    private static func failure(of order: OrderObject) -> ACMEError {
        if let document = order.error { return .problem(ACMEProblem(document, status: 0)) }
        return .malformed("its order is \(order.status.rawValue), without a reason or certificate")
    }

    private func pause(
        _ response: ACMEResponse, _ end: ContinuousClock.Instant, _ what: String
    ) async throws(ACMEError) {
        let asked = response.retryAfter(now: Date()) ?? Self.pauses.lowerBound
        let pause = min(max(asked, Self.pauses.lowerBound), Self.pauses.upperBound)
        guard ContinuousClock.now + .seconds(pause) < end else { throw .tooLate(what) }
        do { try await Task.sleep(for: .seconds(pause)) } catch { throw .tooLate("the server stops") }
    }

    // MARK: Certificate

    private func download(_ url: String) async throws(ACMEError) -> String {
        let response = try await client.post(url, nil)
        let chain = try Self.chain(response)
        guard let preferredIssuer, !Self.isIssued(chain, by: preferredIssuer) else { return chain }
        for alternate in response.links("alternate").prefix(Self.maximumChains) {
            let other = try Self.chain(try await client.post(alternate, nil))
            if Self.isIssued(other, by: preferredIssuer) { return other }
        }
        return chain
    }

    private static func chain(_ response: ACMEResponse) throws(ACMEError) -> String {
        let blocks = PEMBlocks(String(decoding: response.body, as: UTF8.self)).blocks(labelled: "CERTIFICATE")
        guard response.mediaType == "application/pem-certificate-chain", !blocks.isEmpty else {
            throw .malformed("the certificate is no PEM chain")
        }
        return blocks.joined()
    }

    private static func isIssued(_ chain: String, by name: String) -> Bool {
        CertificateChain(pem: chain)?.issuerNames.contains { $0.localizedCaseInsensitiveContains(name) } ?? false
    }
}
