package import TLSPolicy
package import WireFraming

/// What a client has shown of itself before it authenticates.
package struct AuthenticationContext: Sendable {
    /// `SessionService.name`: imap, pop3, submission.
    package var service: String
    /// Unique in the process.
    package var connection: UInt64
    /// The client's address without port; those who wait are served in turn by it.
    package var peer: String
    package var security: ConnectionSecurity
    /// Nil in cleartext.
    package var tls: TLSDescription?
    /// What the client calls itself (EHLO, ID), for the record.
    package var clientName: String?

    package init(
        service: String, connection: UInt64 = 1, peer: String, security: ConnectionSecurity = .implicitTLS,
        tls: TLSDescription?, clientName: String? = nil
    ) {
        self.service = service
        self.connection = connection
        self.peer = peer
        self.security = security
        self.tls = tls
        self.clientName = clientName
    }

    /// - Parameter tls: of now.
    package init(service: String, _ session: SessionContext, tls: TLSDescription?, clientName: String? = nil) {
        self.init(
            service: service, connection: session.connection, peer: session.peer, security: session.security(tls),
            tls: tls, clientName: clientName)
    }
}
