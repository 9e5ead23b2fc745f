package import TLSPolicy

extension ClientTLS {
    /// Judged by `verifier` for what is demanded.
    ///
    /// - Parameter now: seconds since 1970.
    package init(
        serverName: String?, applicationProtocols: [String] = [], _ verification: ServerVerification,
        _ verifier: PeerVerifier, now: @escaping @Sendable () -> Int64
    ) {
        self.init(serverName: serverName, applicationProtocols: applicationProtocols) { chain in
            await verifier.verify(chain: chain, verification, at: now())
        }
    }
}
