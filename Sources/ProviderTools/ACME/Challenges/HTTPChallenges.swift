import Glibc
import Hummingbird
import HummingbirdCore
package import Logging
import NIOCore
import SessionRuntime
import Synchronization

/// Answers http-01 (RFC 8555 §8.3): listens while a challenge is pending, for nothing but the paths of its tokens.
package final class HTTPChallenges: ChallengeSolver {
    package enum Place: Sendable, Hashable {
        case address(Endpoint)
        /// A listening socket that another program opened; it stays open.
        case socket(Int32)
    }

    private static let path = "/.well-known/acme-challenge/"
    /// Connections at a time; an authority makes a handful.
    private static let maximumConnections = 64
    /// Connections that do nothing are ended.
    private static let idleTime = TimeAmount.seconds(15)
    /// Octets of a request's header fields.
    private static let maximumHeader = 8192

    let type = "http-01"
    private let places: [Place]
    private let logger: Logger
    private let answers = Mutex<[String: String]>([:])
    private let listeners = Mutex<[ServerListener]>([])

    package init(_ places: [Place], logger: Logger) {
        self.places = places
        self.logger = logger
    }

    func put(_ proofs: [ChallengeProof]) async throws(ACMEError) {
        answers.withLock { answers in
            for proof in proofs { answers[proof.token] = proof.keyAuthorization }
        }
        guard listeners.withLock({ $0.isEmpty }) else { return }
        for place in places { try await listen(place) }
    }

    func remove(_ proofs: [ChallengeProof]) async {
        let isDone = answers.withLock { answers in
            for proof in proofs { answers[proof.token] = nil }
            return answers.isEmpty
        }
        guard isDone else { return }
        let open = listeners.withLock { listeners in
            defer { listeners = [] }
            return listeners
        }
        for listener in open { await listener.stop() }
    }

    private func listen(_ place: Place) async throws(ACMEError) {
        switch place {
        case .socket(let descriptor):
            do { try await serve(.descriptor(descriptor)) } catch {
                throw .challenge("the socket that was passed in cannot be used: \(error)")
            }
        case .address(let endpoint):
            var isBound = false
            for host in endpoint.host.map({ [$0] }) ?? ["0.0.0.0", "::"] {
                do {
                    try await serve(.address(ListenerAddress(host: host, port: endpoint.port)))
                    isBound = true
                } catch let error as ListenError where endpoint.host == nil && RunningServer.isUnsupported(error) {
                    // A machine without IPv6, or without IPv4.
                    continue
                } catch {
                    let explained = RunningServer.explain(error, "acme.http-listen", host, endpoint.port)
                    throw .challenge(explained.message)
                }
            }
            guard isBound else { throw .challenge("this machine has neither IPv4 nor IPv6") }
        }
    }

    private func serve(_ place: ServerListener.Place) async throws {
        let configuration = HTTP1Channel.Configuration(
            idleTimeout: Self.idleTime,
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: Self.maximumHeader, maxHeaderListSize: Self.maximumHeader, maxHeaderFieldCount: 64))
        let channel = HTTP1Channel(
            responder: { [self] request, writer, _ in
                let response = answer(request)
                try await writer.write(response: response.head, body: response.body)
            }, configuration: configuration)
        let logger = logger
        let listener = try await ServerListener.listen(on: place, maximumConnections: Self.maximumConnections) {
            channel.setup(channel: $0, logger: logger)
        } serve: { value in
            await channel.handle(value: value, logger: logger)
        }
        listeners.withLock { $0.append(listener) }
    }

    private func answer(_ request: Request) -> Response {
        let path = request.uri.path
        guard path.hasPrefix(Self.path),
            let answer = answers.withLock({ $0[String(path.dropFirst(Self.path.count))] })
        else { return Self.response(.notFound, "") }
        guard request.method == .get else { return Self.response(.methodNotAllowed, "") }
        logger.debug("challenge asked for")
        return Self.response(.ok, answer)
    }

    private static func response(_ status: HTTPResponse.Status, _ text: String) -> Response {
        var headers: HTTPFields = [.contentType: "application/octet-stream", .connection: "close"]
        if status == .methodNotAllowed { headers[.allow] = "GET" }
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: text)))
    }
}
