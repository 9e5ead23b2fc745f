package import MailVocabulary
package import TLSPolicy

/// Everything an operator can set, with its defaults; `Settings.all` names, reads and explains each.
package struct ServerConfiguration: Sendable, Equatable {
    /// Nil: the machine's own name.
    package var hostname: String?
    package var stateDirectory = "/var/lib/latchmail"
    package var defaultDomain: Domain?

    package var certificateFile: String?
    package var keyFile: String?
    package var minimumTLSVersion = TLSVersion.tls12

    package var imap = ProtocolListeners(implicit: 993, startTLS: 143)
    package var pop3 = ProtocolListeners(implicit: 995, startTLS: 110)
    package var submission = ProtocolListeners(implicit: 465, startTLS: 587)

    package var lmtp = LMTPConfiguration()
    /// Nil: the system's.
    package var trustRootsFile: String?

    package var submissionPolicy = SubmissionConfiguration()
    package var relay = RelayConfiguration()
    package var queue = QueueConfiguration()
    package var dns = DNSConfiguration()
    package var filters = FilterConfiguration()
    package var operation = OperationConfiguration()
    package var acme = ACMEConfiguration()

    /// Octets.
    package var maximumMessageSize = 50 * 1024 * 1024
    package var maximumConnections = 10_000
    package var maximumConnectionsPerAddress = 100
    package var unauthenticatedTime = Duration.seconds(60)

    package var offersUnauthenticate = true
    package var offersLongLiterals = true

    package var indexesTexts = true
    /// Messages of one IMAP command, and of one COPY or APPEND (RFC 9738); nil for any number.
    package var messageLimit: Int?
    package var saveLimit: Int?

    /// Octets that an account may hold which has no limit of its own; nil for any number.
    package var quotaStorage: Int?
    package var quotaMessages: Int?

    package var authentication = AuthenticationConfiguration()
    package var cachesVerifications = true
    package var verificationExpiry = Duration.seconds(600)

    package var logLevel = LogLevel.info
    package var logFormat = LogFormat.text

    package init() {}
}

/// Where one protocol listens. An empty list is none.
package struct ProtocolListeners: Sendable, Equatable {
    package var implicit: [Endpoint]
    package var startTLS: [Endpoint]

    package init(implicit: [Endpoint], startTLS: [Endpoint]) {
        self.implicit = implicit
        self.startTLS = startTLS
    }

    init(implicit: Int, startTLS: Int) {
        self.init(implicit: [Endpoint(host: nil, port: implicit)], startTLS: [Endpoint(host: nil, port: startTLS)])
    }
}

/// An address to listen on.
package struct Endpoint: Sendable, Hashable, CustomStringConvertible {
    /// An IP address or a name; nil for all addresses, IPv4 and IPv6.
    package var host: String?
    /// 0 lets the system choose.
    package var port: Int

    package init(host: String?, port: Int) {
        self.host = host
        self.port = port
    }

    // [host ":"] port; host = "*" / name / IPv4 / "[" IPv6 "]"
    package init?(_ text: String) {
        let colon = text.lastIndex(of: ":")
        let digits = colon.map { text[text.index(after: $0)...] } ?? text[...]
        guard digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let port = UInt16(digits) else { return nil }
        self.port = Int(port)
        guard let colon else { return }
        var name = text[..<colon]
        if name.hasPrefix("["), name.hasSuffix("]") {
            name = name.dropFirst().dropLast()
        } else if name.contains(":") {
            return nil
        }
        guard !name.isEmpty, !name.contains(where: { "[]/ ".contains($0) }) else { return nil }
        host = name == "*" ? nil : String(name)
    }

    package var description: String {
        guard let host else { return "*:\(port)" }
        return host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }

    /// Whether the two cannot be listened on at once.
    func conflicts(with other: Endpoint) -> Bool {
        port == other.port && port != 0 && (host == nil || other.host == nil || host == other.host)
    }
}

package enum LogLevel: String, Sendable, CaseIterable {
    case debug, info, notice, warning, error
}

package enum LogFormat: String, Sendable, CaseIterable {
    case text, json
}
