import MailVocabulary

/// What a server said it can do, in its answer to EHLO or LHLO (RFC 5321 §4.1.1.1). It holds for the connection as it
/// was when the answer came: after STARTTLS it is to be asked for again.
package struct ServerFeatures: Sendable, Hashable {
    package enum Extension: String, Sendable, Hashable, CaseIterable {
        case auth = "AUTH"
        case binaryMIME = "BINARYMIME"
        case chunking = "CHUNKING"
        case deliverBy = "DELIVERBY"
        case dsn = "DSN"
        case eightBitMIME = "8BITMIME"
        case enhancedStatusCodes = "ENHANCEDSTATUSCODES"
        case limits = "LIMITS"
        case priority = "MT-PRIORITY"
        case pipelining = "PIPELINING"
        case requireTLS = "REQUIRETLS"
        case size = "SIZE"
        case smtpUTF8 = "SMTPUTF8"
        case startTLS = "STARTTLS"
    }

    /// What it calls itself; empty when it gave no name.
    package var name = ""
    package var extensions: Set<Extension> = []
    /// Octets (RFC 1870 §3); nil when none is declared, or none exists.
    package var maximumSize: UInt64?
    /// In upper case, in the server's order (RFC 4954 §3).
    package var mechanisms: [String] = []
    /// Recipients in a transaction, transactions on a connection, recipients' domains in a transaction (RFC 9422 §4);
    /// at least 1.
    package var maximumRecipients: Int?
    package var maximumTransactions: Int?
    package var maximumRecipientDomains: Int?
    /// Seconds; a shorter BY is refused (RFC 2852 §4).
    package var minimumDeliveryTime: Int?

    /// None: what HELO tells.
    package init() {}

    // ehlo-ok-rsp = "250-" Domain [ SP ehlo-greet ] CRLF *( "250-" ehlo-line CRLF ) "250" SP ehlo-line CRLF
    // ehlo-line = ehlo-keyword *( SP ehlo-param )         RFC 5321 §4.1.1.1
    package init(_ reply: ReceivedReply) {
        name = ServerFeatures.name(reply)
        for line in reply.lines.dropFirst() {
            let words = line.split(separator: " ").map { String($0).asciiUppercased() }
            guard let first = words.first, let known = Extension(rawValue: first) else { continue }
            // Of a keyword that comes twice the first counts, but lists of mechanisms join.
            let isNew = extensions.insert(known).inserted
            if isNew || known == .auth { take(known, words.dropFirst()) }
        }
    }

    package func offers(_ one: Extension) -> Bool { extensions.contains(one) }

    /// The first word of a greeting's or an EHLO answer's text.
    package static func name(_ reply: ReceivedReply) -> String {
        reply.lines[0].split(separator: " ").first.map { String($0).asciiLowercased() } ?? ""
    }

    private mutating func take(_ known: Extension, _ parameters: ArraySlice<String>) {
        switch known {
        case .size:
            if let size = parameters.first.flatMap(UInt64.init), size > 0 { maximumSize = size }
        case .auth:
            mechanisms += parameters.filter { !mechanisms.contains($0) }
        case .deliverBy:
            minimumDeliveryTime = parameters.first.flatMap(Int.init)
        case .limits:
            for parameter in parameters { takeLimit(parameter) }
        case .binaryMIME, .chunking, .dsn, .eightBitMIME, .enhancedStatusCodes, .pipelining, .priority, .requireTLS,
            .smtpUTF8, .startTLS:
            break
        }
    }

    // limit-name "=" limit-value         RCPTMAX, MAILMAX, RCPTDOMAINMAX: 1*6DIGIT, not 0         RFC 9422 §4
    private mutating func takeLimit(_ parameter: String) {
        let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, (1...6).contains(parts[1].utf8.count), let value = Int(parts[1]), value > 0 else {
            return
        }
        switch parts[0] {
        case "RCPTMAX": maximumRecipients = value
        case "MAILMAX": maximumTransactions = value
        case "RCPTDOMAINMAX": maximumRecipientDomains = value
        case _: break
        }
    }
}
