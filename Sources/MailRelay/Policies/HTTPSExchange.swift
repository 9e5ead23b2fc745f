import AsyncHTTPClient
import MailDNS
import NIOCore
import NIOHTTP1
import SessionRuntime

/// One request over HTTPS to a host that a foreign domain named: at addresses that our own resolver gives, never this
/// machine's own, without redirects, bounded in time and size.
struct HTTPSExchange: Sendable {
    /// All in all; RFC 8461 §3.3 suggests a minute.
    private static let timeout = Duration.seconds(60)
    private static let connectTimeout = TimeAmount.seconds(10)
    private static let maximumAddresses = 4
    /// A policy file's bound; nothing else is of interest in an answer.
    private static let maximumOctets = 64 * 1024

    var resolver: any DNSResolver
    /// PEM; nil for the system's authorities.
    var trustRootsFile: String?
    /// For tests.
    var allowsLoopback = false

    struct Request: Sendable {
        var host: String
        var port = 443
        /// Begins with a slash.
        var path: String
        /// Of a POST; nil is GET.
        var content: (type: String, octets: [UInt8])?
    }

    struct Response: Sendable {
        var status: UInt
        /// Without parameters, lower case.
        var mediaType: String
        var octets: [UInt8]
    }

    enum Failure: Error {
        case unreachable(reason: String)
        case untrusted(reason: String)
    }

    func perform(_ request: Request) async throws(Failure) -> Response {
        let result = await withDeadline(Self.timeout) { await self.attempt(request) }
        return try (result ?? .failure(.unreachable(reason: "\(request.host) took too long"))).get()
    }

    private func attempt(_ request: Request) async -> Result<Response, Failure> {
        var addresses: [[UInt8]] = []
        do throws(HostFailure) { addresses = try await resolver.addresses(of: request.host).addresses } catch {}
        addresses.removeAll { !IPAddress.isUsable($0, allowsLoopback: allowsLoopback) }
        var result = Result<Response, Failure>.failure(.unreachable(reason: "\(request.host) has no address"))
        for address in addresses.prefix(Self.maximumAddresses) {
            result = await attempt(request, at: IPAddress.text(address))
            if case .success = result { break }
        }
        return result
    }

    private func attempt(_ request: Request, at address: String) async -> Result<Response, Failure> {
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.tlsConfiguration = webClientTLS(trustRootsFile: trustRootsFile)
        configuration.dnsOverride = [request.host: address]
        configuration.timeout = HTTPClient.Configuration.Timeout(connect: Self.connectTimeout)
        // A certificate does not get better by trying again.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let result = await Self.execute(request, client)
        try? await client.shutdown()
        return result
    }

    private static func execute(_ request: Request, _ client: HTTPClient) async -> Result<Response, Failure> {
        let port = request.port == 443 ? "" : ":\(request.port)"
        var outgoing = HTTPClientRequest(url: "https://\(request.host)\(port)\(request.path)")
        if let content = request.content {
            outgoing.method = .POST
            outgoing.headers.add(name: "Content-Type", value: content.type)
            outgoing.body = .bytes(ByteBuffer(bytes: content.octets))
        }
        do {
            let response = try await client.execute(outgoing, timeout: .nanoseconds(timeout.nanoseconds))
            let type = response.headers.first(name: "content-type") ?? ""
            let body = try await response.body.collect(upTo: maximumOctets)
            return .success(
                Response(
                    status: response.status.code, mediaType: type.prefix { $0 != ";" && $0 != " " }.lowercased(),
                    octets: Array(body.readableBytesView)))
        } catch {
            return .failure(
                isCertificateFailure(error)
                    ? .untrusted(reason: "the certificate of \(request.host) does not hold")
                    : .unreachable(reason: "\(request.host) cannot be spoken to"))
        }
    }
}

extension Duration {
    fileprivate var nanoseconds: Int64 { components.seconds * 1_000_000_000 + components.attoseconds / 1_000_000_000 }
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
