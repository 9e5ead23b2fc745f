import Logging
import NIOCore
import NIOSSL
import TLSPolicy
import WireFraming

/// Sets a new connection's pipeline up: counted, named, and with TLS first where the port demands it.
struct Acceptor<Session: ProtocolSession & ~Copyable, Service: SessionService>: Sendable
where Session.Work == Service.Work, Session.Outcome == Service.Outcome {
    let security: ListenerSecurity
    let service: Service
    let makeSession: @Sendable (SessionContext) -> Session
    let hostname: String
    let tls: TLSContext
    let limits: RuntimeLimits
    let counter: ConnectionCounter
    let connections: ConnectionTable
    let running: RunningWork
    let logger: Logger

    /// On the connection's loop, before anything is read.
    func accept(_ channel: any Channel) throws {
        let peer = channel.remoteAddress?.ipAddress ?? (security == .local ? ConnectionCounter.localPeer : "unknown")
        guard let permit = counter.admit(peer) else {
            logger.notice("refused: too many connections", metadata: ["peer": "\(peer)", "service": "\(service.name)"])
            throw ConnectionRefused()
        }
        let number = connections.number()
        let log = ConnectionLog(logger, service: service.name, connection: number, peer: peer)
        log.logger.debug("connected")
        var context = SessionContext(connection: number, hostname: hostname, peer: peer, canStartTLS: false)
        let bound = NIOLoopBound(channel, eventLoop: channel.eventLoop)
        let loop = channel.eventLoop
        connections.add(number) { loop.execute { bound.value.close(promise: nil) } }
        channel.closeFuture.whenComplete { [connections] _ in connections.remove(number) }
        let pipeline = channel.pipeline.syncOperations
        switch security {
        case .local:
            try pipeline.addHandler(handler(context, permit, log, on: channel))
        case .startTLS:
            context.canStartTLS = true
            try pipeline.addHandler(handler(context, permit, log, on: channel))
        case .implicitTLS:
            let upgrade = try TLSUpgrade(tls, applicationProtocols: service.applicationProtocols)
            let gate = HandshakeGate(upgrade, time: TimeAmount(limits.handshakeTime), log: log) { gateContext, tls in
                var log = log
                log.secured(tls)
                context.tls = tls
                let handler = handler(context, permit, log, on: gateContext.channel)
                try gateContext.pipeline.syncOperations.addHandler(handler)
            }
            try upgrade.install(in: pipeline)
            try pipeline.addHandler(gate)
        }
    }

    private func handler(
        _ context: SessionContext, _ permit: ConnectionPermit, _ log: ConnectionLog, on channel: any Channel
    ) -> SessionHandler<Session, Service> {
        let handler = SessionHandler(
            makeSession(context), service: service, tls: tls, limits: limits, running: running, permit: permit, log: log
        )
        let bound = NIOLoopBound(WeakHandler(handler: handler), eventLoop: channel.eventLoop)
        let loop = channel.eventLoop
        connections.setStop(context.connection) { loop.execute { bound.value.handler?.stop() } }
        return handler
    }
}

/// A limit on connections is reached; the channel closes.
struct ConnectionRefused: Error {}
