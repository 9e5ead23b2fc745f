package import MailVocabulary

/// One entry of `relay.transports`: a domain with a way of its own.
package struct TransportEntry: Sendable, Hashable {
    package enum Way: Sendable, Hashable {
        /// LMTP over a UNIX socket.
        case socket(path: String)
        /// LMTP to a loopback address: there is no TLS.
        case lmtp(Endpoint)
        /// A server, whose name a certificate must prove: with TLS at once, or by STARTTLS.
        case server(Endpoint, RelayConfiguration.Security)
    }

    package var domain: Domain
    package var way: Way

    // domain "=" ( "lmtp:/" path / "lmtp:" address ":" port / ( "smtp:" / "submissions:" ) host ":" port )
    /// The revoked name `smtps` is taken for `submissions` (RFC 8314 §7.3).
    package init?(_ text: String) {
        guard let equals = text.firstIndex(of: "="), let domain = Domain(String(text[..<equals])) else { return nil }
        self.domain = domain
        let rest = text[text.index(after: equals)...]
        guard let colon = rest.firstIndex(of: ":") else { return nil }
        let place = String(rest[rest.index(after: colon)...])
        switch rest[..<colon] {
        case "lmtp" where place.hasPrefix("/"): way = .socket(path: place)
        case "lmtp":
            guard let endpoint = Endpoint(place), endpoint.isLoopback, endpoint.port != 0 else { return nil }
            way = .lmtp(endpoint)
        case "smtp", "submissions", "smtps":
            guard let endpoint = Endpoint(place), endpoint.host != nil, endpoint.port != 0 else { return nil }
            way = .server(endpoint, rest[..<colon] == "smtp" ? .starttls : .implicit)
        case _: return nil
        }
    }
}
