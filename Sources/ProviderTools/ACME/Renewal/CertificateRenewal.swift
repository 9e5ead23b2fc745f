import Logging

/// One attempt to get one certificate, from the choice of its key to its files.
struct CertificateRenewal: Sendable {
    let certificate: ManagedCertificate
    let files: CertificateFolder
    let client: ACMEClient
    let solver: any ChallengeSolver
    let keys: KeyChoice
    /// The authority's.
    let directory: String
    let preferredIssuer: String?
    let logger: Logger

    /// Returns when the new pair is in its place. What was begun is on the disk, so that another attempt goes on with it.
    func run() async throws(ACMEError) {
        let current = files.current()
        var state = files.state()
        let order = CertificateOrder(
            client: client, solver: solver, names: certificate.names, preferredIssuer: preferredIssuer)
        let resumed = try await begun(order, &state)
        let (url, key) = if let resumed { resumed } else { try await begin(order, current, &state) }
        let pem = try await order.complete(url, key: key)
        guard let chain = CertificateChain(pem: pem) else { throw .malformed("the certificate cannot be read") }
        if let fault = chain.fault(for: certificate.names, key: key, now: keys.now) {
            try forget(&state)
            throw .malformed("the certificate cannot be used: \(fault)")
        }
        try await adviseOnRecords(chain, &state)
        try files.install(chain, key)
        if let next = files.nextKey(), next.belongs(to: chain.leaf) {
            try files.writeNextKey(nil)
            state.nextKeyPublished = nil
        }
        // Prepared now, so that there is time to publish it.
        if keys.rollsKeys { _ = try keys.prepared() }
        state.failures = 0
        state.nextAttempt = nil
        state.lastError = nil
        state.isRevoked = nil
        try forget(&state)
    }

    private func begun(
        _ order: CertificateOrder, _ state: inout RenewalState
    ) async throws(ACMEError) -> (String, CertificateKey)? {
        guard let url = state.order else { return nil }
        if state.orderDirectory == directory, let key = files.orderKey(), try await order.canResume(url) {
            logger.info("certificate: an order goes on", metadata: ["name": "\(certificate.name)"])
            return (url, key)
        }
        try forget(&state)
        return nil
    }

    private func begin(
        _ order: CertificateOrder, _ current: (chain: CertificateChain, key: CertificateKey)?,
        _ state: inout RenewalState
    ) async throws(ACMEError) -> (String, CertificateKey) {
        let key = try await keys.choose(current: state.isRevoked == true ? nil : current?.key, &state)
        try files.writeOrderKey(key)
        let url = try await order.begin(replaces: current?.chain.renewalIdentifier)
        state.order = url
        state.orderDirectory = directory
        try files.write(state)
        return (url, key)
    }

    private func forget(_ state: inout RenewalState) throws(ACMEError) {
        state.order = nil
        state.orderDirectory = nil
        try files.write(state)
        try files.writeOrderKey(nil)
    }

    /// Records may name an authority, or the certificate itself, which no key can satisfy.
    private func adviseOnRecords(_ chain: CertificateChain, _ state: inout RenewalState) async throws(ACMEError) {
        let refusing = await keys.published().refusing(chain)
        guard !refusing.isEmpty, state.recordAdvice == nil else { return }
        state.recordAdvice =
            "the TLSA records at \(refusing.map(\.name).joined(separator: ", ")) do not match the new certificate; "
            + "“latchmaild certificate tlsa” shows what does"
        logger.error("certificate: TLSA records do not match", metadata: ["advice": "\(state.recordAdvice ?? "")"])
    }
}
