import Dispatch
import Foundation
import Glibc
package import Logging
import Synchronization

/// The running server's ear for the operator's commands: a socket in the state directory that only the server's own
/// user (and root) may use. One JSON request per line, answered by lines of JSON up to `done` or `failed`.
package final class ControlServer: Sendable {
    package static let socketName = "control.sock"
    /// Commands at a time; an operator is one person with a few scripts.
    private static let maximumConnections = 8
    /// Seconds that a command may be silent.
    private static let patience = 300

    private let socket: UnixSocket
    private let administration: Administration
    private let logger: Logger
    private let open = Mutex(0)

    /// Listens and answers until `stop`. Throws when the socket cannot be made.
    package init(directory: String, administration: Administration, logger: Logger) throws {
        socket = try UnixSocket.listen(Self.socketName, in: directory)
        self.administration = administration
        self.logger = logger
        Thread.detachNewThread { [self] in acceptAll() }
    }

    package func stop() { socket.shutDown() }

    private func acceptAll() {
        while let connection = socket.accept() {
            let isAdmitted = open.withLock { open in
                guard open < Self.maximumConnections else { return false }
                open += 1
                return true
            }
            guard isAdmitted else { continue }
            Thread.detachNewThread { [self] in
                serve(connection)
                open.withLock { $0 -= 1 }
            }
        }
    }

    private func serve(_ connection: UnixSocket) {
        guard let user = connection.peerUser, user == geteuid() || user == 0 else {
            return logger.warning("control connection of another user refused")
        }
        connection.setTimeout(seconds: Self.patience)
        while let line = connection.readLine() {
            let last: ControlReply
            if let request = try? JSONDecoder().decode(ControlRequest.self, from: Data(line)) {
                logger.info("operator's command", metadata: ["command": "\(request.name)"])
                last = perform(request, connection)
            } else {
                last = .failed(OperatorError(.usage, "the server does not know this command; is it another version?"))
            }
            guard send(last, connection) else { return }
        }
    }

    /// On this thread until it is done: a connection gives one command at a time.
    private func perform(_ request: ControlRequest, _ connection: UnixSocket) -> ControlReply {
        let finished = DispatchSemaphore(value: 0)
        let result = Mutex(ControlReply.done)
        let isHeard = Mutex(true)
        Task { [administration] in
            do throws(OperatorError) {
                try await administration.perform(request) { reply in
                    // Nobody waits any more: what takes long may end.
                    guard isHeard.withLock({ $0 }), !send(reply, connection) else { return }
                    isHeard.withLock { $0 = false }
                    withUnsafeCurrentTask { $0?.cancel() }
                }
            } catch {
                result.withLock { $0 = .failed(error) }
            }
            finished.signal()
        }
        finished.wait()
        return result.withLock { $0 }
    }
}

private func send(_ reply: ControlReply, _ connection: UnixSocket) -> Bool {
    guard let data = try? JSONEncoder().encode(reply) else { return false }
    return connection.write(data)
}

extension ControlRequest {
    /// For the log.
    var name: String {
        switch self {
        case .listDomains: "domain list"
        case .addDomain(let name): "domain add \(name)"
        case .deleteDomain(let name): "domain delete \(name)"
        case .listUsers: "user list"
        case .addUsers(let users): users.count == 1 ? "user add \(users[0].address)" : "user add, \(users.count) users"
        case .setCredentials(let address, _): "user passwd \(address)"
        case .deleteUser(let address): "user delete \(address)"
        case .listAliases: "alias list"
        case .setAlias(let name, _): "alias add \(name)"
        case .removeAlias(let name): "alias remove \(name)"
        case .listSenderGrants(let address): "user grants \(address)"
        case .grantSender(let address, let sender): "user grant \(address) \(sender)"
        case .revokeSender(let address, let sender): "user revoke \(address) \(sender)"
        case .verify: "verify"
        case .quota(let address), .setQuota(let address, _, _, _): "user quota \(address)"
        case .importMail(let address, _, _, _): "import \(address)"
        case .exportMail(let address, _, _): "export \(address)"
        case .queue(let request): request.name
        case .certificate(let request): request.name
        }
    }
}

/// Gives requests to a running server.
package struct ControlClient: Administering {
    /// Seconds that the server may be silent; the largest batch of users takes it less.
    private static let patience = 300

    private let socket: UnixSocket

    /// Nil when no server runs on this state directory. Throws when that cannot be found out.
    package init?(directory: String) throws(OperatorError) {
        do {
            guard let socket = try UnixSocket.connect(ControlServer.socketName, in: directory) else { return nil }
            socket.setTimeout(seconds: Self.patience)
            self.socket = socket
        } catch {
            throw OperatorError(.noPermission, "\(error); use the server's own user")
        }
    }

    /// On a thread of its own: the socket blocks, and tasks share few threads.
    package func perform(
        _ request: ControlRequest, reply: @escaping @Sendable (ControlReply) -> Void
    ) async throws(OperatorError) {
        let result = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    returning: Result { () throws(OperatorError) in try exchange(request, reply: reply) })
            }
        }
        try result.get()
    }

    private func exchange(
        _ request: ControlRequest, reply: @Sendable (ControlReply) -> Void
    ) throws(OperatorError) {
        guard let data = try? JSONEncoder().encode(request), socket.write(data) else { throw gone }
        while let line = socket.readLine() {
            guard let answer = try? JSONDecoder().decode(ControlReply.self, from: Data(line)) else {
                throw OperatorError(.software, "the server's answer is not understood; is it another version?")
            }
            switch answer {
            case .done: return
            case .failed(let error): throw error
            case .domains, .users, .aliases, .senders, .progress, .damage, .textIndex, .transferred, .quota, .queue,
                .certificate:
                reply(answer)
            }
        }
        throw gone
    }

    private var gone: OperatorError {
        OperatorError(
            .temporaryFailure, "the server ended the control connection or is silent; see its log, and try again")
    }
}
