import Logging
import MailVocabulary
import NIOCore
import NIOSSL
import TLSPolicy
import WireFraming

/// Sets a new connection's pipeline up: counted, named, and with the PROXY header and TLS first where the port demands
/// them.
struct Acceptor<Session: ProtocolSession & ~Copyable, Service: SessionService>: Sendable
where Session.Work == Service.Work, Session.Outcome == Service.Outcome {
    let security: ListenerSecurity
    let service: Service
    let makeSession: @Sendable (SessionContext) -> Session
    let hostname: String
    let tls: TLSContext
    let limits: RuntimeLimits
    /// Who must say, before anything else, whom a connection is from.
    let proxies: [NetworkPrefix]
    let counter: ConnectionCounter
    let connections: ConnectionTable
    let running: RunningWork
    let measurements: RuntimeMeasurements
    let logger: Logger

    /// Whoever is at the other end of a UNIX socket.
    private static var localPeer: String { "local" }

    /// A connection with its place, before its session.
    private struct Arrival {
        var permit: ConnectionPermit
        var log: ConnectionLog
        var context: SessionContext
    }

    /// On the connection's loop, before anything is read.
    func accept(_ channel: any Channel) throws {
        let text = channel.remoteAddress?.ipAddress ?? (security == .local ? Self.localPeer : "unknown")
        let peer = NetworkAddress(text)
        let isProxy = peer.map { proxies.contains($0) } ?? false
        let number = connections.number()
        let log = ConnectionLog(
            logger, measurements, service: service.name, connection: number, peer: peer?.description ?? text)
        let permit: ConnectionPermit
        do { permit = try counter.admit(isProxy ? nil : peer) } catch {
            log.refused(error)
            throw error
        }
        log.logger.debug("connected")
        let bound = NIOLoopBound(channel, eventLoop: channel.eventLoop)
        let loop = channel.eventLoop
        connections.add(number) { loop.execute { bound.value.close(promise: nil) } }
        channel.closeFuture.whenComplete { [connections] _ in connections.remove(number) }
        let arrival = Arrival(
            permit: permit, log: log,
            context: SessionContext(
                connection: number, hostname: hostname, peer: peer?.description ?? text, canStartTLS: false))
        guard isProxy else { return try install(arrival, on: channel) }
        let gate = ProxyGate(time: TimeAmount(limits.proxyHeaderTime), log: log) { context, header in
            try install(try identified(arrival, header), on: context.channel)
        }
        try channel.pipeline.syncOperations.addHandler(gate)
    }

    /// A proxy's connection as its client's; one of the proxy's own stays what it is.
    private func identified(_ arrival: Arrival, _ header: ProxyHeader) throws(ConnectionRefusal) -> Arrival {
        guard let source = header.source else { return arrival }
        var arrival = arrival
        arrival.context.peer = source.address.description
        arrival.log = arrival.log.proxied(for: arrival.context.peer)
        do { try arrival.permit.identify(source.address) } catch {
            arrival.log.refused(error)
            throw error
        }
        return arrival
    }

    private func install(_ arrival: Arrival, on channel: any Channel) throws {
        measurements.connections.increment([service.name, security.word])
        var arrival = arrival
        let pipeline = channel.pipeline.syncOperations
        switch security {
        case .local:
            try pipeline.addHandler(handler(arrival, on: channel))
        case .startTLS:
            arrival.context.canStartTLS = true
            try pipeline.addHandler(handler(arrival, on: channel))
        case .implicitTLS:
            try installTLS(arrival, in: pipeline)
        }
    }

    private func installTLS(_ arrival: Arrival, in pipeline: ChannelPipeline.SynchronousOperations) throws {
        do { try arrival.permit.beginHandshake() } catch {
            arrival.log.refused(error)
            throw error
        }
        let upgrade = try TLSUpgrade(tls, applicationProtocols: service.applicationProtocols)
        let gate = HandshakeGate(upgrade, time: TimeAmount(limits.handshakeTime), log: arrival.log) { context, tls in
            var arrival = arrival
            arrival.permit.endHandshake()
            arrival.log.secured(tls)
            arrival.context.tls = tls
            let handler = handler(arrival, on: context.channel)
            try context.pipeline.syncOperations.addHandler(handler)
        }
        try pipeline.addHandler(gate)
        try upgrade.install(in: pipeline)
    }

    private func handler(_ arrival: Arrival, on channel: any Channel) -> SessionHandler<Session, Service> {
        let handler = SessionHandler(
            makeSession(arrival.context), service: service, tls: tls, limits: limits, running: running,
            permit: arrival.permit, log: arrival.log)
        let bound = NIOLoopBound(WeakHandler(handler: handler), eventLoop: channel.eventLoop)
        let loop = channel.eventLoop
        connections.setStop(arrival.context.connection) { loop.execute { bound.value.handler?.stop() } }
        return handler
    }
}
