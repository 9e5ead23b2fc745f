import GRDB
import MailStore
import MailVocabulary
import SMTPSyntax

// What the queue's rows say.

/// `queue_message.flags`.
struct QueueFlags: OptionSet {
    let rawValue: Int64
    static let internationalized = QueueFlags(rawValue: 1)
    static let requiresTLS = QueueFlags(rawValue: 2)
    static let tracedDeadline = QueueFlags(rawValue: 4)
}

extension SMTPEnvelope {
    var queueFlags: QueueFlags {
        var flags: QueueFlags = []
        if isInternationalized { flags.insert(.internationalized) }
        if requiresTLS { flags.insert(.requiresTLS) }
        if deadline?.isTraced == true { flags.insert(.tracedDeadline) }
        return flags
    }
}

extension ReversePath {
    var queueColumns: (local: String, host: String?) {
        switch self {
        case .null: ("", nil)
        case .mailbox(let mailbox): (mailbox.localPart, mailbox.queueHost)
        }
    }
}

extension SMTPMailbox {
    var queueHost: String {
        switch host {
        case .domain(let domain): domain.name
        case .literal(let literal): literal.description
        }
    }

    /// Nil when the host is none.
    init?(local: String, queueHost: String) {
        if queueHost.hasPrefix("["), queueHost.hasSuffix("]") {
            guard let literal = AddressLiteral(content: String(queueHost.dropFirst().dropLast())) else { return nil }
            self.init(localPart: local, host: .literal(literal))
        } else {
            guard let domain = Domain(queueHost) else { return nil }
            self.init(localPart: local, host: .domain(domain))
        }
    }
}
