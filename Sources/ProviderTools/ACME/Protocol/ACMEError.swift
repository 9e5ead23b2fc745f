/// Why a certificate could not be had, for the operator.
package enum ACMEError: Error, Sendable, Equatable, CustomStringConvertible {
    case unreachable(String)
    /// The authority's own certificate does not hold.
    case untrusted(String)
    case problem(ACMEProblem)
    /// An answer that ACME does not know.
    case malformed(String)
    /// A name was not proved to be ours.
    case unproven(name: String, reason: String)
    /// The answer to a challenge could not be put up.
    case challenge(String)
    case tooLate(String)
    case configuration(String)
    case file(String)
    case internalFailure(String)

    package var description: String {
        switch self {
        case .unreachable(let reason): "the certificate authority cannot be reached: \(reason)"
        case .untrusted(let reason):
            "the certificate authority's own server is not trusted: \(reason); an authority of your own is named by "
                + "acme.trust-roots"
        case .problem(let problem): problem.explanation
        case .malformed(let what): "the certificate authority's answer is not understood: \(what)"
        case .unproven(let name, let reason): "\(name) was not proved to be this server's: \(reason)"
        case .challenge(let reason): "the challenge cannot be answered: \(reason)"
        case .tooLate(let what): "the certificate authority took too long: \(what)"
        case .configuration(let reason): reason
        case .file(let reason): reason
        case .internalFailure(let reason): reason
        }
    }

    /// Seconds that the authority asks to wait.
    var retryAfter: Int64? {
        if case .problem(let problem) = self { problem.retryAfter } else { nil }
    }
}

/// A problem document (RFC 7807) of ACME's (RFC 8555 §6.7).
package struct ACMEProblem: Sendable, Equatable {
    /// Characters of the authority's text that are shown.
    private static let maximumDetail = 500
    private static let prefix = "urn:ietf:params:acme:error:"

    /// `rateLimited`, …; a type that is not ACME's is there in full.
    package var type: String
    package var detail: String
    /// Of single names, with their problems.
    package var subproblems: [(name: String, problem: ACMEProblem)] = []
    package var status: Int
    /// Seconds.
    package var retryAfter: Int64?

    init(_ document: ProblemDocument, status: Int, retryAfter: Int64? = nil) {
        let type = document.type ?? "about:blank"
        self.type = type.hasPrefix(Self.prefix) ? String(type.dropFirst(Self.prefix.count)) : type
        detail = Self.printable(document.detail ?? "")
        subproblems = (document.subproblems ?? []).prefix(20).map {
            ($0.identifier?.value ?? "", ACMEProblem($0.document, status: status))
        }
        self.status = document.status ?? status
        self.retryAfter = retryAfter
    }

    package static func == (left: ACMEProblem, right: ACMEProblem) -> Bool {
        left.type == right.type && left.detail == right.detail && left.status == right.status
            && left.retryAfter == right.retryAfter && left.subproblems.map(\.name) == right.subproblems.map(\.name)
            && left.subproblems.map(\.problem) == right.subproblems.map(\.problem)
    }

    /// It goes into logs: no control characters, and no end of text.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.prefix(maximumDetail).map { $0.properties.generalCategory == .control ? " " : $0 }))
    }

    var isBadNonce: Bool { type == "badNonce" }

    /// One sentence, with the remedy where there is one.
    package var explanation: String {
        var text = remedy
        if !detail.isEmpty { text += " (it says: \(detail))" }
        for (name, problem) in subproblems { text += "; \(name): \(problem.type) \(problem.detail)" }
        if let retryAfter { text += "; it asks to wait \(retryAfter) s" }
        return text
    }

    private var remedy: String {
        switch type {
        case "rateLimited": "the certificate authority's rate limit is reached; it is tried again later"
        case "accountDoesNotExist": "the certificate authority does not know the account"
        case "externalAccountRequired":
            "the certificate authority wants an account bound to one you have with it: set acme.eab-key-id and "
                + "acme.eab-key-file as it gave them to you"
        case "unauthorized": "the certificate authority refuses: it could not see the proof, or the account may not"
        case "userActionRequired":
            "the certificate authority wants you to do something, such as agreeing to new terms, at the address it names"
        case "caa": "the domain's CAA records do not permit this certificate authority"
        case "dns": "the certificate authority cannot find the name in the DNS"
        case "dnssec": "the certificate authority finds that the domain's DNSSEC is broken"
        case "connection":
            "the certificate authority cannot connect to this server: port 80 of the name must lead here (http-01)"
        case "tls": "the certificate authority had an error of TLS when it connected to this server"
        case "rejectedIdentifier": "the certificate authority gives no certificates for such a name"
        case "unsupportedIdentifier": "the certificate authority does not know this kind of name"
        case "invalidContact", "unsupportedContact": "the certificate authority does not take acme.contact"
        case "badCSR", "badPublicKey": "the certificate authority does not take the key; see acme.key-type"
        case "incorrectResponse": "the certificate authority saw another answer than this server's to its challenge"
        case "serverInternal": "the certificate authority has a failure of its own; it is tried again later"
        case "orderNotReady": "the certificate authority says the order is not ready"
        case "malformed": "the certificate authority calls the request malformed"
        case "badNonce": "the certificate authority took none of several nonces"
        case "alreadyRevoked": "the certificate is revoked already"
        case _: "the certificate authority refuses: \(type), status \(status)"
        }
    }
}
