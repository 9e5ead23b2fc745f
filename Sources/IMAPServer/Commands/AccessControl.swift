import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// SETACL, DELETEACL, GETACL, LISTRIGHTS, MYRIGHTS (RFC 4314 §3).

extension IMAPSession {
    /// - Parameter change: nil for DELETEACL.
    mutating func setACL(
        _ tag: String, _ name: MailboxName, _ identifier: String, _ change: RightsChange?,
        _ output: inout SessionOutput
    ) -> Step {
        guard let account = state.account else { return .ready }
        guard let identifier = NamedIdentifier(identifier, domain: account.address.domain) else {
            return refuseIdentifier(tag, &output)
        }
        let change = AccessChange(identifier: identifier, rights: change ?? .replace([]))
        return perform(.changeAccess(account, name, change)) { session, outcome, output in
            guard case .done = outcome else { return session.concludeFailed(tag, outcome, &output) }
            output.events.append(.notice("rights on a mailbox changed"))
            return session.conclude(tag, .ok, "The access control list is changed", &output)
        }
    }

    mutating func getACL(_ tag: String, _ name: MailboxName, _ output: inout SessionOutput) -> Step {
        guard let account = state.account else { return .ready }
        return perform(.accessList(account, name)) { session, outcome, output in
            guard case .accessList(let entries) = outcome else {
                return session.concludeFailed(tag, outcome, &output)
            }
            var reply = OutputBuffer()
            reply.append(accessList: name, entries, session.enabled.mailboxEncoding)
            session.enqueue(reply)
            return session.conclude(tag, .ok, "GETACL completed", &output)
        }
    }

    /// No right is tied to another. The owner's are required, everybody else's are free.
    mutating func listRights(
        _ tag: String, _ name: MailboxName, _ text: String, _ output: inout SessionOutput
    ) -> Step {
        guard let account = state.account else { return .ready }
        guard let identifier = NamedIdentifier(text, domain: account.address.domain) else {
            return refuseIdentifier(tag, &output)
        }
        return perform(.grantable(account, name, identifier)) { session, outcome, output in
            guard case .grantable(let isOwner) = outcome else {
                return session.concludeFailed(tag, outcome, &output)
            }
            // What cannot be taken from the owner cannot be denied either.
            let required: MailboxRights = isOwner && !identifier.isNegative ? .all : []
            var reply = OutputBuffer()
            // RFC 4314 §3.4: the identifier as the client wrote it.
            reply.append(
                listRights: name, identifier: text, required: required,
                optional: isOwner ? [] : MailboxRights.letters.map(\.letter), session.enabled.mailboxEncoding)
            session.enqueue(reply)
            return session.conclude(tag, .ok, "LISTRIGHTS completed", &output)
        }
    }

    mutating func myRights(_ tag: String, _ name: MailboxName, _ output: inout SessionOutput) -> Step {
        guard let account = state.account else { return .ready }
        return perform(.findMailbox(account, name, needing: [])) { session, outcome, output in
            guard case .found(let found) = outcome else { return session.concludeFailed(tag, outcome, &output) }
            var reply = OutputBuffer()
            reply.append(myRights: found.rights, on: found.name, session.enabled.mailboxEncoding)
            session.enqueue(reply)
            return session.conclude(tag, .ok, "MYRIGHTS completed", &output)
        }
    }

    /// RFC 4314 §3: what cannot be an identifier is a bad argument.
    private mutating func refuseIdentifier(_ tag: String, _ output: inout SessionOutput) -> Step {
        refuse(
            tag, Refusal(status: .bad, text: "An identifier is an address of this domain, or anyone"), &output)
    }
}
