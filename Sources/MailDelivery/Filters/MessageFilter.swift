package import MailStore
package import SMTPSyntax

/// What looks at mail before it is taken in, and may change or refuse it.
package protocol MessageFilter: Sendable {
    /// A transaction's worth of looking; the client has been greeted and its name is known.
    func begin(_ client: FilteredClient) async -> any FilterTransaction
}

/// Who hands a message in.
package struct FilteredClient: Sendable, Hashable {
    /// As in EHLO.
    package var name: String
    /// Address without port; empty for the server's own mail.
    package var peer: String
    package var port: Int
    package var hostname: String
    /// The login and the SASL mechanism, when there was one.
    package var login: String?
    package var mechanism: String?
    /// `TLSv1.3`, and the suite's IANA name, when there is TLS.
    package var tlsVersion: String?
    package var tlsSuite: String?
    /// What it talks to: `submission`, `lmtp`.
    package var service: String

    package init(
        name: String, peer: String, port: Int = 0, hostname: String, login: String? = nil, mechanism: String? = nil,
        tlsVersion: String? = nil, tlsSuite: String? = nil, service: String = "submission"
    ) {
        self.name = name
        self.peer = peer
        self.port = port
        self.hostname = hostname
        self.login = login
        self.mechanism = mechanism
        self.tlsVersion = tlsVersion
        self.tlsSuite = tlsSuite
        self.service = service
    }
}

/// One message's way through the filters. Called in order; `finish` always, whatever came before.
package protocol FilterTransaction: Sendable {
    func sender(_ envelope: SMTPEnvelope) async -> FilterVerdict
    func recipient(_ recipient: SMTPRecipient) async -> FilterVerdict
    /// The whole message, with the trace that this server gave it.
    /// - Parameter identifier: its name in the `Received` field.
    func message(
        _ body: any StagedBody, identifier: String, writer: @escaping @Sendable () -> any BodyWriter
    ) async -> FilteredMessage
    func finish() async
}

package enum FilterVerdict: Sendable, Hashable {
    case accept
    /// Take it and drop it.
    case discard
    /// A reply that refuses: code 4yz or 5yz, enhanced code and text.
    case refuse(SMTPReply)
}

/// What became of a message.
package struct FilteredMessage: Sendable {
    package var verdict: FilterVerdict
    /// Another body, if it was changed.
    package var body: (any StagedBody)?
    /// Changes of the envelope, nil where there are none. Parameters that are not given stay as they were.
    package var sender: MailCommand?
    package var addedRecipients: [SMTPRecipient] = []
    package var removedRecipients: [SMTPMailbox] = []
    /// It is to be held in the queue, and why.
    package var quarantine: String?

    package init(_ verdict: FilterVerdict) { self.verdict = verdict }
}
