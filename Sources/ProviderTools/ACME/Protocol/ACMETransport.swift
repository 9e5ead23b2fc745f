import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import SessionRuntime

struct ACMERequest: Sendable {
    enum Method: Sendable { case head, get, post }

    var method: Method
    var url: String
    /// JOSE, of a POST.
    var body: [UInt8] = []
}

struct ACMEResponse: Sendable {
    var status: Int
    /// By lower-case names; a name that came several times has all its values.
    var headers: [String: [String]] = [:]
    var body: [UInt8] = []

    func header(_ name: String) -> String? { headers[name]?.first }

    /// Without parameters, lower case.
    var mediaType: String { (header("content-type") ?? "").prefix { $0 != ";" && $0 != " " }.lowercased() }

    /// The targets of links with this relation (RFC 8288 §3).
    func links(_ relation: String) -> [String] {
        // One field may hold several links.
        (headers["link"] ?? []).flatMap { $0.split(separator: ",") }.compactMap { link in
            guard let start = link.firstIndex(of: "<"), let end = link[start...].firstIndex(of: ">") else { return nil }
            let parameters = link[end...].dropFirst().split(separator: ";").map {
                $0.filter { $0 != " " && $0 != "\"" }
            }
            guard parameters.contains("rel=\(relation)") else { return nil }
            return String(link[link.index(after: start)..<end])
        }
    }

    /// Seconds (RFC 9110 §10.2.3), of either form; nil when it is not there. Never negative.
    func retryAfter(now: Date) -> Int64? {
        guard let text = header("retry-after") else { return nil }
        if let seconds = Int64(text) { return max(0, seconds) }
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(secondsFromGMT: 0)
        formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss 'GMT'"
        return formatter.date(from: text).map { Int64(max(0, $0.timeIntervalSince(now).rounded(.up))) }
    }
}

protocol ACMETransport: Sendable {
    func perform(_ request: ACMERequest) async throws(ACMEError) -> ACMEResponse
}

/// Over HTTPS alone, bounded in time and size, without redirects: every URL comes from the directory, which the operator
/// named.
struct HTTPSTransport: ACMETransport {
    private static let timeout = TimeAmount.seconds(30)
    private static let connectTimeout = TimeAmount.seconds(10)
    /// A chain of certificates has some kibioctets.
    private static let maximumOctets = 256 * 1024

    /// PEM; nil for the system's authorities.
    var trustRootsFile: String?

    func perform(_ request: ACMERequest) async throws(ACMEError) -> ACMEResponse {
        guard request.url.hasPrefix("https://") else {
            throw .malformed("“\(request.url.prefix(200))” is no https URL")
        }
        var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
        configuration.tlsConfiguration = webClientTLS(trustRootsFile: trustRootsFile)
        configuration.timeout = HTTPClient.Configuration.Timeout(connect: Self.connectTimeout)
        // A certificate does not get better by trying again.
        configuration.connectionPool.retryConnectionEstablishment = false
        let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
        let result = await Self.execute(request, client)
        try? await client.shutdown()
        return try result.get()
    }

    private static func execute(
        _ request: ACMERequest, _ client: HTTPClient
    ) async -> Result<ACMEResponse, ACMEError> {
        var outgoing = HTTPClientRequest(url: request.url)
        outgoing.headers.add(name: "User-Agent", value: "Latchmail/\(Release.version)")
        switch request.method {
        case .head: outgoing.method = .HEAD
        case .get: outgoing.method = .GET
        case .post:
            outgoing.method = .POST
            outgoing.headers.add(name: "Content-Type", value: "application/jose+json")
            outgoing.body = .bytes(ByteBuffer(bytes: request.body))
        }
        let host = URL(string: request.url)?.host() ?? request.url
        do {
            let response = try await client.execute(outgoing, timeout: timeout)
            let body = try await response.body.collect(upTo: maximumOctets)
            var headers: [String: [String]] = [:]
            for (name, value) in response.headers { headers[name.lowercased(), default: []].append(value) }
            return .success(
                ACMEResponse(
                    status: Int(response.status.code), headers: headers, body: Array(body.readableBytesView)))
        } catch let error where isCertificateFailure(error) {
            return .failure(.untrusted("the certificate of \(host) does not hold"))
        } catch {
            return .failure(.unreachable("\(host): \(reason(error))"))
        }
    }

    private static func reason(_ error: any Error) -> String {
        if let error = error as? HTTPClientError {
            return error == .connectTimeout || error == .deadlineExceeded ? "it does not answer" : error.description
        }
        return "no connection (\(String(describing: error).prefix(200)))"
    }
}
