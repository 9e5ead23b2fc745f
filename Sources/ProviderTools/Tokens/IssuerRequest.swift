import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import SessionRuntime

/// A request to the issuer that the operator named: HTTPS, or HTTP to this machine alone; without redirects, bounded in
/// time and size.
struct IssuerRequest: Sendable {
    /// A login waits for it.
    private static let timeout = TimeAmount.seconds(10)
    /// A key set is of some kilobytes.
    static let maximumOctets = 256 * 1024

    let url: String
    /// PEM; nil for the system's authorities.
    var trustRootsFile: String?

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// Whether a URL may be asked.
    static func isAcceptable(_ text: String) -> Bool {
        guard let url = URL(string: text), let host = url.host(percentEncoded: false), !host.isEmpty else {
            return false
        }
        switch url.scheme?.lowercased() {
        case "https": return true
        case "http": return ["localhost", "127.0.0.1", "::1"].contains(host)
        case _: return false
        }
    }

    func get() async throws -> [UInt8] { try await perform(HTTPClientRequest(url: url)) }

    func post(_ form: String, authorization: String) async throws -> [UInt8] {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.headers.add(name: "Accept", value: "application/json")
        request.headers.add(name: "Authorization", value: authorization)
        request.body = .bytes(ByteBuffer(string: form))
        return try await perform(request)
    }

    /// Errors say nothing of what was sent.
    private func perform(_ request: HTTPClientRequest) async throws -> [UInt8] {
        guard Self.isAcceptable(url) else { throw Failure(description: "the URL is not one of HTTPS") }
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.tlsConfiguration = webClientTLS(trustRootsFile: trustRootsFile)
        configuration.timeout = HTTPClient.Configuration.Timeout(connect: Self.timeout)
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let result: Result<[UInt8], Failure>
        do {
            let response = try await client.execute(request, timeout: Self.timeout)
            let body = try await response.body.collect(upTo: Self.maximumOctets)
            result =
                response.status == .ok
                ? .success(Array(body.readableBytesView))
                : .failure(Failure(description: "status \(response.status.code)"))
        } catch {
            result = .failure(Failure(description: "no answer (\(type(of: error)))"))
        }
        try? await client.shutdown()
        return try result.get()
    }
}
