import AsyncHTTPClient
package import MailDNS
import NIOCore
import NIOHTTP1
import SessionRuntime

/// Fetches policy files over HTTPS, at addresses that our own resolver gives.
package struct HTTPSPolicyFetcher: STSPolicyFetcher {
    /// RFC 8461 §3.3 suggests a minute.
    private static let timeout = TimeAmount.seconds(60)
    private static let connectTimeout = TimeAmount.seconds(20)
    private static let maximumAddresses = 4

    private let resolver: any DNSResolver
    private let trustRootsFile: String?
    private let port: Int

    /// - Parameters:
    ///   - trustRootsFile: PEM; nil for the system's authorities.
    ///   - port: other than 443 for tests.
    package init(resolver: any DNSResolver, trustRootsFile: String? = nil, port: Int = 443) {
        self.resolver = resolver
        self.trustRootsFile = trustRootsFile
        self.port = port
    }

    package func fetch(_ domain: String) async throws(STSFetchFailure) -> [UInt8] {
        let host = "mta-sts.\(domain)"
        let addresses: [[UInt8]]
        do throws(HostFailure) { addresses = try await resolver.addresses(of: host).addresses } catch {
            throw .unreachable(reason: "\(host) has no address")
        }
        var failure = STSFetchFailure.unreachable(reason: "\(host) has no address")
        for address in addresses.prefix(Self.maximumAddresses) {
            do throws(STSFetchFailure) { return try await fetch(host, at: IPAddress.text(address)) } catch {
                failure = error
            }
        }
        throw failure
    }

    private func fetch(_ host: String, at address: String) async throws(STSFetchFailure) -> [UInt8] {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.tlsConfiguration = webClientTLS(trustRootsFile: trustRootsFile)
        configuration.dnsOverride = [host: address]
        configuration.timeout = HTTPClient.Configuration.Timeout(connect: Self.connectTimeout, read: Self.timeout)
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let result = await withDeadline(.nanoseconds(Self.timeout.nanoseconds)) { await self.get(host, client) }
        try? await client.shutdown()
        return try (result ?? .failure(.unreachable(reason: "\(host) took too long"))).get()
    }

    private func get(_ host: String, _ client: HTTPClient) async -> Result<[UInt8], STSFetchFailure> {
        let suffix = port == 443 ? "" : ":\(port)"
        let request = HTTPClientRequest(url: "https://\(host)\(suffix)/.well-known/mta-sts.txt")
        do {
            let response = try await client.execute(request, timeout: Self.timeout)
            guard response.status.code == 200 else {
                return .failure(.unreachable(reason: "\(host) answers with status \(response.status.code)"))
            }
            // "text/plain", parameters may follow (RFC 8461 §3.2).
            let type = response.headers.first(name: "content-type") ?? ""
            let media = type.prefix { $0 != ";" && $0 != " " }
            guard media.lowercased() == "text/plain" else {
                return .failure(.unreachable(reason: "\(host) gives no text/plain"))
            }
            let body = try await response.body.collect(upTo: STSPolicy.maximumOctets)
            return .success(Array(body.readableBytesView))
        } catch {
            return .failure(Self.failure(host, error))
        }
    }

    private static func failure(_ host: String, _ error: any Error) -> STSFetchFailure {
        if isCertificateFailure(error) { return .untrusted(reason: "\(host): its certificate does not hold") }
        return .unreachable(reason: "\(host) cannot be fetched from")
    }
}

/// Nil when the time is up first; the work is cancelled then.
func withDeadline<Value: Sendable>(
    _ duration: Duration, _ work: @escaping @Sendable () async -> Value
) async -> Value? {
    await withTaskGroup(of: Value?.self) { group in
        group.addTask { await work() }
        group.addTask {
            try? await Task.sleep(for: duration)
            return nil
        }
        let first = await group.next()
        group.cancelAll()
        return first ?? nil
    }
}
