import Foundation
import Glibc
package import Logging
package import MailStore
package import SessionRuntime

/// A server with its listeners and its control socket, from start to stop.
package struct RunningServer: Sendable {
    /// How long sessions may take to end after they were told goodbye.
    private static let grace = Duration.seconds(3)

    let runtime: ServerRuntime
    let tls: TLSContext
    let services: MailServices
    let relaying: Relaying
    private let control: ControlServer
    let store: any MailStore
    let operation = RunningOperation()
    let logger: Logger

    /// Takes the store over: `stop` closes it. Throws `OperatorError`.
    package init(
        _ configuration: ServerConfiguration, hostname: String, store: any MailStore,
        certificates: CertificateManager? = nil, logger: Logger
    ) throws(OperatorError) {
        // The tables of time zones are read when first asked for: before somebody waits.
        _ = SystemClock.now()
        guard let certificate = configuration.certificateFile, let key = configuration.keyFile else {
            throw OperatorError(
                .configuration,
                "no certificate is configured: set tls.certificate and tls.key, for nothing is served "
                    + "without TLS")
        }
        do {
            tls = try TLSContext(
                certificateFile: certificate, keyFile: key, minimumVersion: configuration.minimumTLSVersion)
            let bounds = ConnectionBounds(configuration, fileLimit: raiseFileLimit())
            if let warning = bounds.warning { logger.warning("\(warning)") }
            runtime = try ServerRuntime(
                loops: ProcessInfo.processInfo.activeProcessorCount, hostname: hostname, tls: tls,
                limits: bounds.limits, logger: logger)
        } catch {
            throw OperatorError(.configuration, "TLS cannot be offered: \(error)")
        }
        // On loops of the server's own, which end last.
        relaying = try Relaying(
            configuration, hostname: hostname, store: store, client: ClientRuntime(sharing: runtime), logger: logger)
        do {
            control = try ControlServer(
                directory: configuration.stateDirectory,
                administration: Administration(store: store, queue: relaying.runner, certificates: certificates),
                logger: logger)
        } catch {
            throw OperatorError(.cannotCreate, "the control socket cannot be made: \(error)")
        }
        services = MailServices(
            store: store, acceptance: relaying.acceptance,
            authenticator: try WaysIn.authenticator(configuration, hostname: hostname, store: store),
            configuration: configuration)
        self.store = store
        self.logger = logger
    }

    /// Listens on every address of the endpoint; returns the port. Throws `OperatorError`.
    package func listen(
        _ mailProtocol: MailProtocol, _ security: ListenerSecurity, on endpoint: Endpoint
    ) async throws(OperatorError) -> Int {
        var port = endpoint.port
        var isBound = false
        for host in endpoint.host.map({ [$0] }) ?? ["0.0.0.0", "::"] {
            do {
                let address = ListenerAddress(host: host, port: port)
                port = try await services.listen(mailProtocol, security, on: address, runtime)
                isBound = true
            } catch let error as ListenError where endpoint.host == nil && RunningServer.isUnsupported(error) {
                // A machine without IPv6, or without IPv4, is listened on with what it has.
                continue
            } catch {
                throw RunningServer.explain(error, mailProtocol.rawValue, host, port)
            }
        }
        guard isBound else { throw OperatorError(.osError, "\(mailProtocol): this machine has neither IPv4 nor IPv6") }
        logger.info(
            "listening",
            metadata: ["service": "\(mailProtocol)", "address": "\(endpoint.host ?? "*")", "port": "\(port)"])
        return port
    }

    static func isUnsupported(_ error: ListenError) -> Bool {
        error.code == EAFNOSUPPORT || error.code == EADDRNOTAVAIL
    }

    static func explain(
        _ error: any Error, _ service: String, _ host: String, _ port: Int
    ) -> OperatorError {
        let place = "\(service): cannot listen on \(Endpoint(host: host, port: port))"
        guard let error = error as? ListenError else { return OperatorError(.osError, "\(place): \(error)") }
        guard let code = error.code else {
            return OperatorError(.configuration, "\(place): the name has no address; give an IP address")
        }
        switch code {
        case EADDRINUSE:
            return OperatorError(
                .portInUse, "\(place): another program listens there; stop it, or choose another port")
        case EACCES, EPERM:
            return OperatorError(
                .noPermission, "\(place): ports below 1024 need the capability CAP_NET_BIND_SERVICE, or root")
        case EADDRNOTAVAIL:
            return OperatorError(.configuration, "\(place): this machine does not have the address")
        case _: return OperatorError(.osError, "\(place): \(String(cString: strerror(code)))")
        }
    }

    /// New connections use the certificate as it is in its files now.
    package func reloadCertificate() {
        do {
            try tls.reload()
            logger.notice("certificate reloaded")
        } catch {
            logger.error("certificate not reloaded, the old one stays", metadata: ["reason": "\(error)"])
        }
    }

    /// No new connections, a goodbye to every session, everything written.
    package func stop() async {
        logger.notice("stopping")
        await operation.stop()
        control.stop()
        await relaying.stop()
        await runtime.shutdown(grace: Self.grace)
        do {
            try await store.close()
        } catch {
            logger.error("the store did not close cleanly", metadata: ["reason": "\(error)"])
        }
        logger.notice("stopped")
    }

    /// Serves until a signal asks to stop.
    package func runUntilStopped(_ signals: Signals, _ manager: ServiceManager = ServiceManager([:])) async {
        manager.ready("Serving")
        for await signal in signals.received {
            switch signal {
            case .reload:
                manager.reloading()
                reloadCertificate()
                manager.ready("Serving")
            case .stop:
                manager.stopping()
                return await stop()
            }
        }
    }
}
