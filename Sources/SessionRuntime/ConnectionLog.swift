import Logging
import MailVocabulary
import TLSPolicy
import WireFraming

/// What is logged of one connection. Every line carries the connection's number, service and peer; lines about
/// authentication carry the TLS version, suite and group too (RFC 8314 §4).
struct ConnectionLog: Sendable {
    private(set) var logger: Logger
    let measurements: RuntimeMeasurements
    private let service: String
    private let peer: String
    private(set) var tls: TLSDescription?

    init(
        _ base: Logger, _ measurements: RuntimeMeasurements, service: String, connection: UInt64, peer: String
    ) {
        self.measurements = measurements
        self.service = service
        self.peer = peer
        var logger = base
        logger[metadataKey: "connection"] = "\(connection)"
        logger[metadataKey: "service"] = "\(service)"
        logger[metadataKey: "peer"] = "\(peer)"
        self.logger = logger
    }

    /// The log of a connection that a proxy passes on.
    func proxied(for client: String) -> ConnectionLog {
        var log = self
        log.logger[metadataKey: "peer"] = "\(client)"
        log.logger[metadataKey: "proxy"] = "\(peer)"
        return log
    }

    mutating func secured(_ tls: TLSDescription) {
        self.tls = tls
        measurements.secured(tls, service: service)
        logger.info("tls established", metadata: metadata([:]))
    }

    /// A connection that does not come to its session, for a limit.
    func refused(_ refusal: ConnectionRefusal) {
        measurements.refusals.increment([service, refusal.rawValue])
        logger.notice("refused", metadata: ["limit": "\(refusal.rawValue)"])
    }

    /// The same, for what a proxy sent.
    func refused(_ reason: String) {
        measurements.refusals.increment([service, "proxy"])
        logger.notice("refused", metadata: ["reason": "\(reason)"])
    }

    func handshakeFailed(_ reason: String) {
        measurements.failedHandshakes.increment([service, "error"])
        logger.info("tls handshake failed", metadata: ["reason": "\(reason)"])
    }

    func handshakeTimedOut() {
        measurements.failedHandshakes.increment([service, "time"])
        logger.info("tls handshake timed out")
    }

    func record(_ event: SessionEvent) {
        measurements.record(event, service: service, tls: tls)
        switch event {
        case .authenticated(let login, let mechanism):
            logger.info("authenticated", metadata: metadata(["login": "\(login)", "mechanism": "\(mechanism)"]))
        case .authenticationFailed(let login, let mechanism, let reason):
            logger.notice(
                "authentication failed",
                metadata: metadata([
                    "login": "\(shown(login, reason))", "mechanism": "\(mechanism)", "reason": "\(reason)",
                ]))
        case .unauthenticated:
            logger.info("unauthenticated", metadata: metadata([:]))
        case .violation(let what):
            logger.warning("protocol violation", metadata: metadata(["violation": "\(what)"]))
        case .notice(let what):
            logger.info("\(what)", metadata: metadata([:]))
        }
    }

    /// What is no account's name and no address may be a password that was typed in the wrong place.
    private func shown(_ login: String, _ reason: String) -> String {
        reason.contains("no such account") && !login.contains("@") ? "(unknown)" : login
    }

    func metadata(_ more: Logger.Metadata) -> Logger.Metadata {
        guard let tls else { return more }
        var metadata = more
        metadata["tls"] = "\(tls.version.rawValue)"
        metadata["cipher"] = "\(tls.cipherSuite?.nameOrNumber ?? "unknown")"
        metadata["group"] = "\(tls.group?.name ?? "unknown")"
        if tls.isResumed { metadata["resumed"] = "true" }
        if let serverName = tls.serverName { metadata["sni"] = "\(serverName)" }
        return metadata
    }
}
