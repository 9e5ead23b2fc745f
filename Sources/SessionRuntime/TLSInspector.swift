import CBoringSSLBridge
import NIOSSL
import TLSPolicy

// NIOSSL tells a connection's TLS version and nothing else of what was negotiated. The cipher suite, the group and
// whether the session was resumed are wanted in every log line and Received field (RFC 8314 §4, §4.3), so this one file
// reaches the connection's BoringSSL object through the handler's private properties. swift-nio-ssl is pinned exactly
// in Package.swift, and `selfTest` finds out at start whether the names still hold: when they do not, nothing is
// guessed; the hello messages are asked instead (HelloObserver).

/// Reads from a connection's TLS what NIOSSL has no interface for.
enum TLSInspector {
    /// Seconds for which a session of TLS 1.3 can be resumed: BoringSSL's two days are more than scanners find wise, and a
    /// client that was away for longer can afford a handshake.
    private static let ticketLifetime: UInt32 = 12 * 3600

    /// Whether the way in is there. Costs one TLS object that never connects.
    static func selfTest(_ context: NIOSSLContext) -> Bool {
        withUnconnected(context) { ssl in
            // A fresh object has negotiated nothing: a pointer to something else would hardly say so three times.
            CNIOBoringSSL_SSL_get_current_cipher(ssl) == nil
                && CNIOBoringSSL_SSL_session_reused(ssl) == 0 && CNIOBoringSSL_SSL_get_group_id(ssl) == 0
        } ?? false
    }

    /// Makes the server's order of suites and groups count, not the client's: otherwise a client that lists a classical
    /// group first never gets the hybrid one that both have. And lets sessions be resumed for `ticketLifetime`. Does nothing
    /// when the way in is lost.
    static func preferServerOrder(_ context: NIOSSLContext) {
        _ = withUnconnected(context) { ssl in
            guard let shared = CNIOBoringSSL_SSL_get_SSL_CTX(ssl) else { return }
            // SSL_OP_CIPHER_SERVER_PREFERENCE
            _ = CNIOBoringSSL_SSL_CTX_set_options(shared, 0x0040_0000)
            CNIOBoringSSL_SSL_CTX_set_session_psk_dhe_timeout(shared, ticketLifetime)
        }
    }

    /// A TLS object of the context's that never connects. It lives as long as the handler made for it.
    private static func withUnconnected<R>(_ context: NIOSSLContext, _ body: (UnsafeRawPointer) -> R) -> R? {
        let handler = NIOSSLServerHandler(context: context)
        return withExtendedLifetime(handler) { connection(of: handler).map(body) }
    }

    /// What the handshake negotiated; nil before it is done, or when the way in is lost.
    static func describe(_ handler: NIOSSLHandler, applicationProtocol: String?) -> TLSDescription? {
        guard let ssl = connection(of: handler), let cipher = CNIOBoringSSL_SSL_get_current_cipher(ssl),
            let version = version(CNIOBoringSSL_SSL_version(ssl))
        else { return nil }
        let group = CNIOBoringSSL_SSL_get_group_id(ssl)
        let name = CNIOBoringSSL_SSL_get_servername(ssl, 0)
        return TLSDescription(
            version: version,
            cipherSuite: CipherSuite(CNIOBoringSSL_SSL_CIPHER_get_protocol_id(cipher)),
            group: group == 0 ? nil : NamedGroup(group),
            isResumed: CNIOBoringSSL_SSL_session_reused(ssl) == 1,
            serverName: name.map { String(cString: $0) },
            applicationProtocol: applicationProtocol,
            channelBindings: ChannelBindings(
                exporter: exporterBinding(ssl, version), serverEndPoint: serverEndPointBinding(ssl)))
    }

    private static func version(_ wire: Int32) -> TLSPolicy.TLSVersion? {
        switch wire {
        case 0x0303: .tls12
        case 0x0304: .tls13
        case _: nil
        }
    }

    /// The `SSL *` of a handler: `NIOSSLHandler.connection.ssl`, both private.
    private static func connection(of handler: NIOSSLHandler) -> UnsafeRawPointer? {
        var mirror: Mirror? = Mirror(reflecting: handler)
        while let current = mirror, current.subjectType != NIOSSLHandler.self { mirror = current.superclassMirror }
        guard let connection = mirror?.children.first(where: { $0.label == "connection" })?.value,
            let pointer = Mirror(reflecting: connection).children.first(where: { $0.label == "ssl" })?.value
        else { return nil }
        return (pointer as? OpaquePointer).map { UnsafeRawPointer($0) }
    }
}
