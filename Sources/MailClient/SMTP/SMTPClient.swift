package import SMTPSyntax
package import SessionRuntime
import TLSPolicy
import WireFraming

/// A session with one server, on a connection of its own. One transaction at a time; whoever owns it sees to that.
package actor SMTPClient {
    /// For a handshake, verification included: RFC 5321 has no word on it.
    static let handshakeTime = Duration.seconds(60)

    private let connection: ClientConnection
    private let tls: ClientTLS
    private var session: SMTPClientSession
    private var input: [UInt8] = []
    private var output = OutputBuffer()
    /// What the handshake led to; nil in cleartext.
    package private(set) var peer: SecuredPeer?
    /// Of no more use.
    package private(set) var isOver = false

    /// - Parameter tls: for a session whose settings have TLS.
    package init(_ connection: ClientConnection, _ settings: SMTPClientSettings, tls: ClientTLS) {
        self.connection = connection
        self.tls = tls
        session = SMTPClientSession(settings)
    }

    package var features: ServerFeatures { session.features }
    /// What the server calls itself.
    package var name: String { session.features.name.isEmpty ? session.greetedName : session.features.name }
    package var isAuthenticated: Bool { session.isAuthenticated }
    /// Transactions that have ended.
    package var transactions: Int { session.transactions }
    /// This side's IP address.
    package nonisolated var localAddress: String? { connection.localAddress }
    /// Open, and the server has said nothing unasked.
    package nonisolated var isQuiet: Bool { connection.isQuiet }

    /// From the greeting until a transaction may begin.
    package func start() async throws(SMTPClientError) {
        if session.isSecured {
            do { peer = try await connection.startTLS(tls, within: Self.handshakeTime) } catch {
                throw end(SMTPClient.problem(error))
            }
        }
        switch await run(.needInput) {
        case .ready: return
        case .failed(let error): throw end(error)
        case .needInput, .startTLS, .sendBody, .ended:
            throw end(.protocolViolation(reason: "the session did not begin"))
        }
    }

    /// One message; an answer for each recipient, in their order.
    ///
    /// - Parameter nextPiece: the message's octets, CRLF for line ends, nil at its end; called only when the server
    ///   asks for the message.
    package func send(
        _ transaction: SMTPTransaction, nextPiece: @Sendable () async throws -> [UInt8]?
    ) async -> [SMTPRecipientAnswer] {
        var step = await run(session.begin(transaction, &output))
        if step == .sendBody { step = await sendBody(nextPiece) }
        if case .failed(let error) = step { _ = end(error) }
        if isOver { connection.close() }
        return session.takeAnswers()
    }

    /// Says goodbye and closes; waits no longer than a few seconds.
    package func quit() async {
        if !isOver, connection.isQuiet { _ = await run(session.quit(&output)) }
        close()
    }

    package func close() {
        isOver = true
        connection.close()
    }

    // The session's steps

    private func sendBody(_ nextPiece: @Sendable () async throws -> [UInt8]?) async -> SMTPClientStep {
        var step = SMTPClientStep.sendBody
        while step == .sendBody {
            let piece: [UInt8]?
            do { piece = try await nextPiece() } catch {
                return session.fail(.bodyUnreadable(reason: "\(error)"))
            }
            guard let piece else { return await run(session.bodyEnded(&output)) }
            step = session.body(piece.span, &output)
            guard step == .sendBody else { break }
            do { try await flush() } catch { return await lastWords(SMTPClient.error(error)) }
        }
        // Half a message is there: only the connection's end says that it is not to be taken.
        return step
    }

    /// A server that closes amid a message has often said why.
    private func lastWords(_ error: SMTPClientError) async -> SMTPClientStep {
        session.bodyBroken()
        guard let last = try? await connection.read() else { return session.fail(error) }
        input += last
        let step = feed()
        return step == .needInput ? session.fail(error) : step
    }

    /// Takes steps until something is asked of the caller.
    private func run(_ first: SMTPClientStep) async -> SMTPClientStep {
        var step = first
        while true {
            switch step {
            case .needInput:
                step = await advance()
            case .startTLS:
                step = await secure()
            case .ready, .sendBody:
                guard input.isEmpty else {
                    return session.fail(.protocolViolation(reason: "an answer that was not asked for"))
                }
                return step
            case .failed, .ended: return step
            }
        }
    }

    /// Writes, and reads until a reply is complete. A server that sends an octet now and then earns no time with it.
    private func advance() async -> SMTPClientStep {
        let end = ContinuousClock.now + session.patience
        do {
            try await flush()
            while true {
                connection.timeout = max(end - .now, .milliseconds(1))
                guard let more = try await connection.read() else { return session.disconnected() }
                input += more
                let replies = session.replies
                let step = feed()
                guard step == .needInput, session.replies == replies else { return step }
            }
        } catch { return session.fail(SMTPClient.error(error)) }
    }

    private func feed() -> SMTPClientStep {
        var consumed = 0
        let step = session.received(input.span, consumed: &consumed, &output)
        input.removeFirst(consumed)
        return step
    }

    private func secure() async -> SMTPClientStep {
        do {
            try await flush()
            peer = try await connection.startTLS(tls, within: Self.handshakeTime)
        } catch { return session.fail(SMTPClient.problem(error)) }
        input = []
        return session.secured(&output)
    }

    private func flush() async throws {
        connection.timeout = session.patience
        guard !output.isEmpty else { return }
        try await connection.write(output.take())
    }

    private func end(_ error: SMTPClientError) -> SMTPClientError {
        close()
        return error
    }

    /// What went wrong with a connection.
    private static func error(_ error: any Error) -> SMTPClientError {
        (error as? ClientConnectionError).map { SMTPClientError($0) } ?? .unreachable(reason: "the connection failed")
    }

    /// What went wrong with a handshake: whatever it was, there is no TLS.
    private static func problem(_ error: any Error) -> SMTPClientError {
        switch SMTPClient.error(error) {
        case .timeout: .insecure(.handshakeFailed(reason: "it did not end in time"))
        case .unreachable(let reason): .insecure(.handshakeFailed(reason: reason))
        case let other: other
        }
    }
}

extension SMTPClientError {
    package init(_ error: ClientConnectionError) {
        self =
            switch error {
            case .timeout: .timeout
            case .unreachable(let reason), .closed(let reason): .unreachable(reason: reason)
            case .injectedBytes: .insecure(.injectedOctets)
            case .handshakeFailed(let reason): .insecure(.handshakeFailed(reason: reason))
            case .unverified(let refusal): .insecure(.unverified(refusal))
            }
    }
}
