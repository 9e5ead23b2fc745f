package import MailVocabulary

/// One entry of `relay.transports`: a domain with a way of its own.
package struct TransportEntry: Sendable, Hashable {
    package enum Way: Sendable, Hashable {
        /// LMTP over a UNIX socket.
        case socket(path: String)
        /// LMTP to a loopback address: there is no TLS.
        case lmtp(Endpoint)
        /// A server, whose name a certificate must prove.
        case server(Endpoint)
    }

    package var domain: Domain
    package var way: Way

    // domain "=" ( "lmtp:/" path / "lmtp:" address ":" port / "smtp:" host ":" port )
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
        case "smtp":
            guard let endpoint = Endpoint(place), endpoint.host != nil, endpoint.port != 0 else { return nil }
            way = .server(endpoint)
        case _: return nil
        }
    }
}
