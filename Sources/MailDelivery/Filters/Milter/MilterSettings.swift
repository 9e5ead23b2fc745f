package import WireFraming

/// One filter, and what is done when it cannot be asked.
package struct MilterSettings: Sendable, Hashable {
    /// Mail is never taken in unfiltered: a filter that can be put out of action would be no filter.
    package enum Failure: String, Sendable, CaseIterable {
        /// 451: the client tries again later.
        case tempfail
        /// 550
        case reject
    }

    package var address: MilterAddress
    package var failure: Failure
    /// For connecting and negotiating.
    package var connectTimeout: Duration
    /// For the answer to one step.
    package var commandTimeout: Duration
    /// For the answer to the message's end; each sign of progress starts it anew.
    package var messageTimeout: Duration

    /// Postfix's timeouts.
    package init(
        _ address: MilterAddress, failure: Failure = .tempfail, connectTimeout: Duration = .seconds(30),
        commandTimeout: Duration = .seconds(30), messageTimeout: Duration = .seconds(300)
    ) {
        self.address = address
        self.failure = failure
        self.connectTimeout = connectTimeout
        self.commandTimeout = commandTimeout
        self.messageTimeout = messageTimeout
    }

    /// A client waits ten minutes for the answer to its message (RFC 5321 §4.5.3.2.6), and would send it again: a
    /// filter that is at it for longer does not get to decide.
    static let longestWait = Duration.seconds(540)
}

/// Where a filter listens, as its own configuration says it: `inet:8891@127.0.0.1`, `inet6:8891@::1`,
/// `unix:/run/filter.sock` (`local:` is the same), or with host and port the other way round, `inet:127.0.0.1:8891`.
package struct MilterAddress: Sendable, Hashable, CustomStringConvertible {
    package let stream: StreamAddress
    package let description: String

    /// Nil when the text is no address. Hosts are addresses in text or `localhost`: who filters mail must not depend
    /// on DNS.
    package init?(_ text: String) {
        guard let colon = text.firstIndex(of: ":") else { return nil }
        let rest = text[text.index(after: colon)...]
        switch text[..<colon] {
        case "unix", "local":
            // `sun_path` holds 108 octets with a NUL.
            guard rest.hasPrefix("/"), rest.utf8.count < 108 else { return nil }
            stream = .local(path: String(rest))
        case "inet", "inet6":
            guard let (host, port) = Self.hostAndPort(rest) else { return nil }
            stream = .internet(address: host, port: port)
        case _:
            return nil
        }
        description = text
    }

    private static func hostAndPort(_ text: Substring) -> (String, Int)? {
        var (host, port) = (Substring(), Substring())
        if let at = text.firstIndex(of: "@") {
            (port, host) = (text[..<at], text[text.index(after: at)...])
        } else if let colon = text.lastIndex(of: ":") {
            (host, port) = (text[..<colon], text[text.index(after: colon)...])
        }
        guard let number = UInt16(port), number > 0 else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        if host == "localhost" { return ("127.0.0.1", Int(number)) }
        // The connector judges the address; here only what cannot be one is kept out.
        guard !host.isEmpty, host.utf8.allSatisfy({ isHexadecimal($0) || $0 == 0x3A || $0 == 0x2E }) else {
            return nil
        }
        return (String(host), Int(number))
    }

    private static func isHexadecimal(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
    }
}
