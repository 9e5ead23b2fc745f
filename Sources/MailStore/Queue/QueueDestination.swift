import MailVocabulary
package import SMTPSyntax

extension SMTPMailbox {
    /// What recipients that one transaction can take have in common: the domain in lower case, as the sender wrote it
    /// (A-labels or U-labels), or the address literal with its brackets.
    package var destination: String {
        switch host {
        case .domain(let domain): domain.name
        case .literal(let literal): literal.description
        }
    }
}

extension NewQueuedMessage {
    /// Distinct, in the order of the first recipient at each.
    package var destinations: [String] {
        var known: Set<String> = []
        return recipients.map(\.mailbox.destination).filter { known.insert($0).inserted }
    }
}

extension SMTPEnvelope {
    /// Without brackets; empty for the null reverse-path.
    package var sender: String {
        switch reversePath {
        case .null: ""
        case .mailbox(let mailbox): mailbox.description
        }
    }
}
