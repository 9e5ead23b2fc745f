package import MailDNS

/// Fetches policy files over HTTPS.
package struct HTTPSPolicyFetcher: STSPolicyFetcher {
    private let exchange: HTTPSExchange
    private let port: Int

    /// - Parameters:
    ///   - trustRootsFile: PEM; nil for the system's authorities.
    ///   - port: other than 443 for tests.
    ///   - allowsLoopback: for tests.
    package init(
        resolver: any DNSResolver, trustRootsFile: String? = nil, port: Int = 443, allowsLoopback: Bool = false
    ) {
        exchange = HTTPSExchange(resolver: resolver, trustRootsFile: trustRootsFile, allowsLoopback: allowsLoopback)
        self.port = port
    }

    package func fetch(_ domain: String) async throws(STSFetchFailure) -> [UInt8] {
        let host = "mta-sts.\(domain)"
        let response: HTTPSExchange.Response
        do throws(HTTPSExchange.Failure) {
            response = try await exchange.perform(.init(host: host, port: port, path: "/.well-known/mta-sts.txt"))
        } catch {
            switch error {
            case .unreachable(let reason): throw .unreachable(reason: reason)
            case .untrusted(let reason): throw .untrusted(reason: reason)
            }
        }
        // Redirects are not followed (RFC 8461 §3.3); the media type is text/plain (§3.2).
        guard response.status == 200 else {
            throw .unreachable(reason: "\(host) answers with status \(response.status)")
        }
        guard response.mediaType == "text/plain" else { throw .unreachable(reason: "\(host) gives no text/plain") }
        return response.octets
    }
}
