import Logging
import TLSPolicy
import WireFraming

/// What is logged of one connection. Every line carries the connection's number, service and peer; lines about
/// authentication carry the TLS version, suite and group too (RFC 8314 §4).
struct ConnectionLog: Sendable {
    let logger: Logger
    private(set) var tls: TLSDescription?

    init(_ base: Logger, service: String, connection: UInt64, peer: String) {
        var logger = base
        logger[metadataKey: "connection"] = "\(connection)"
        logger[metadataKey: "service"] = "\(service)"
        logger[metadataKey: "peer"] = "\(peer)"
        self.logger = logger
    }

    mutating func secured(_ tls: TLSDescription) {
        self.tls = tls
        logger.info("tls established", metadata: metadata([:]))
    }

    func record(_ event: SessionEvent) {
        switch event {
        case .authenticated(let login, let mechanism):
            logger.info("authenticated", metadata: metadata(["login": "\(login)", "mechanism": "\(mechanism)"]))
        case .authenticationFailed(let login, let mechanism, let reason):
            logger.notice(
                "authentication failed",
                metadata: metadata(["login": "\(login)", "mechanism": "\(mechanism)", "reason": "\(reason)"]))
        case .unauthenticated:
            logger.info("unauthenticated", metadata: metadata([:]))
        case .violation(let what):
            logger.warning("protocol violation", metadata: metadata(["violation": "\(what)"]))
        case .notice(let what):
            logger.info("\(what)", metadata: metadata([:]))
        }
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
