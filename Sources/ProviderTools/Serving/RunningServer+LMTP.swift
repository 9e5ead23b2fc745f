import Glibc
import Logging
import SessionRuntime

extension RunningServer {
    /// Listens where a server for inbound mail hands mail over (RFC 2033), if that is configured. Throws
    /// `OperatorError`.
    package func listenForLMTP(_ configuration: LMTPConfiguration) async throws(OperatorError) {
        if let path = configuration.socket {
            let owner = try configuration.socketOwner.map { (name) throws(OperatorError) in try systemUser(name) }
            let group = try configuration.socketGroup.map { (name) throws(OperatorError) in try systemGroup(name) }
            do {
                let address = UnixSocketAddress(
                    path: path, mode: UInt32(configuration.socketMode), owner: owner, group: group)
                try await services.listenForLMTP(on: address, runtime)
            } catch let error as UnixSocketError {
                throw RunningServer.explain(error)
            } catch {
                throw OperatorError(.osError, "lmtp: cannot listen on \(path): \(error)")
            }
            logger.info("listening", metadata: ["service": "lmtp", "socket": "\(path)"])
        }
        for endpoint in configuration.loopback {
            let host = endpoint.host ?? "127.0.0.1"
            do {
                let address = ListenerAddress(host: host, port: endpoint.port)
                let port = try await services.listenForLMTP(on: address, runtime)
                logger.info("listening", metadata: ["service": "lmtp", "address": "\(host)", "port": "\(port)"])
            } catch {
                throw RunningServer.explain(error, "lmtp", host, endpoint.port)
            }
        }
    }

    private static func explain(_ error: UnixSocketError) -> OperatorError {
        let place = "lmtp: cannot listen on \(error.path)"
        switch error.code {
        case EADDRINUSE: return OperatorError(.portInUse, "\(place): another program listens there")
        case EEXIST: return OperatorError(.cannotCreate, "\(place): something else than a socket is there")
        case ENAMETOOLONG: return OperatorError(.configuration, "\(place): paths of sockets have 107 octets at most")
        case EACCES: return OperatorError(.noPermission, "\(place): the directory does not let this user")
        case EPERM:
            return OperatorError(.noPermission, "\(place): this user may not give the socket that owner or group")
        case ENOENT: return OperatorError(.configuration, "\(place): its directory is not there")
        case let code: return OperatorError(.osError, "\(place): \(String(cString: strerror(code)))")
        }
    }
}
