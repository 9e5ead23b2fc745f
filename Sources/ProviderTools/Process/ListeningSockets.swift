import Foundation
import Glibc
package import SessionRuntime

/// Sockets that are bound before the server gives up its rights, or came from a service manager (socket activation).
package struct ListeningSockets: Sendable {
    /// What a socket is for: which protocol, and whether TLS begins at once.
    package enum Use: Hashable, Sendable {
        case mail(MailProtocol, isImplicit: Bool)
        case lmtp

        /// The name in `FileDescriptorName=`.
        package var name: String {
            switch self {
            case .mail(let mailProtocol, let isImplicit):
                "\(mailProtocol.rawValue)-\(isImplicit ? "implicit" : "starttls")"
            case .lmtp: "lmtp"
            }
        }

        package static var all: [Use] {
            MailProtocol.allCases.flatMap { [Use.mail($0, isImplicit: true), .mail($0, isImplicit: false)] } + [.lmtp]
        }
    }

    /// The first that a service manager passes.
    private static let firstDescriptor: Int32 = 3
    /// More than a configuration has names for.
    private static let maximumCount: Int32 = 1024

    /// The uses that a service manager gave sockets for: the configuration's own do not count for them.
    private var given: Set<Use> = []
    package private(set) var sockets: [(use: Use, socket: BoundSocket)] = []

    package init() {}

    /// What the service manager passed, if it passed something to this process. Throws `OperatorError` for a socket
    /// whose name does not say what it is for: nothing is guessed about TLS.
    package init(
        _ environment: [String: String], process: Int32 = getpid(), first: Int32 = firstDescriptor
    ) throws(OperatorError) {
        guard let text = environment["LISTEN_FDS"], environment["LISTEN_PID"].flatMap({ Int32($0) }) == process else {
            return
        }
        guard let count = Int32(text), (0...Self.maximumCount).contains(count) else {
            throw OperatorError(.configuration, "LISTEN_FDS is no number of sockets: \(text)")
        }
        let names = (environment["LISTEN_FDNAMES"] ?? "").split(separator: ":", omittingEmptySubsequences: false)
        for index in 0..<Int(count) {
            let name = index < names.count ? String(names[index]) : ""
            guard let use = Use.all.first(where: { $0.name == name }) else {
                throw OperatorError(
                    .configuration,
                    "socket \(index + 1) has the name “\(name)”; set FileDescriptorName= to one of "
                        + Use.all.map(\.name).joined(separator: ", "))
            }
            guard let socket = BoundSocket(descriptor: first + Int32(index)) else {
                throw OperatorError(.configuration, "\(name): not a stream socket that is bound (ListenStream=)")
            }
            sockets.append((use, socket))
            given.insert(use)
        }
    }

    package func wasGiven(_ use: Use) -> Bool { given.contains(use) }

    /// Binds what the configuration names, but for uses that there are sockets for already. Throws `OperatorError`.
    package mutating func bind(_ configuration: ServerConfiguration) throws(OperatorError) {
        for listener in configuration.listeners {
            let use = Use.mail(listener.protocol, isImplicit: listener.isImplicit)
            if !wasGiven(use) { try bind(use, listener.endpoint) }
        }
        guard !wasGiven(.lmtp) else { return }
        for endpoint in configuration.lmtp.loopback {
            try bind(.lmtp, Endpoint(host: endpoint.host ?? "127.0.0.1", port: endpoint.port))
        }
    }

    private mutating func bind(_ use: Use, _ endpoint: Endpoint) throws(OperatorError) {
        var port = endpoint.port
        var isBound = false
        for host in endpoint.host.map({ [$0] }) ?? ["0.0.0.0", "::"] {
            do {
                let socket = try BoundSocket(binding: ListenerAddress(host: host, port: port))
                port = socket.port
                isBound = true
                sockets.append((use, socket))
            } catch  where endpoint.host == nil && RunningServer.isUnsupported(error) {
                // A machine without IPv6, or without IPv4, is listened on with what it has.
                continue
            } catch {
                throw RunningServer.explain(error, use.name, host, port)
            }
        }
        guard isBound else { throw OperatorError(.osError, "\(use.name): this machine has neither IPv4 nor IPv6") }
    }
}
