/// How a connection is protected now.
package enum ConnectionSecurity: String, Sendable, Hashable, CaseIterable {
    /// TLS from the first octet (RFC 8314 §3).
    case implicitTLS = "implicit-tls"
    /// TLS asked for inside the protocol.
    case startTLS = "starttls"
    case cleartext
}

/// What ties an authentication to the TLS connection that it happens in (RFC 5056). Each is nil where there is none.
package struct ChannelBindings: Sendable, Hashable {
    /// RFC 9266: 32 octets of keying material that only the two ends have.
    package var exporter: [UInt8]?
    /// RFC 5929 §4: a hash of the certificate that the server showed.
    package var serverEndPoint: [UInt8]?

    package init(exporter: [UInt8]? = nil, serverEndPoint: [UInt8]? = nil) {
        self.exporter = exporter
        self.serverEndPoint = serverEndPoint
    }
}
