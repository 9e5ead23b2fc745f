import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// Rights can be taken away while a mailbox is selected (RFC 4314 §5.1.1). A session that has another's mailbox selected
// compares the store's access generation before each command and whenever it tells of changes, and looks its rights up
// again when somebody's have changed. For one's own mailboxes there is nothing to compare.

extension IMAPSession {
    var rightsMayHaveChanged: Bool {
        guard let mailbox = state.mailbox, !mailbox.isOwn else { return false }
        return store.accessGeneration != mailbox.accessGeneration
    }

    /// Goes on when the rights on the selected mailbox are known as they are.
    mutating func withCurrentRights(
        _ output: inout SessionOutput, _ body: @escaping (inout IMAPSession, inout SessionOutput) -> Step
    ) -> Step {
        rightsMayHaveChanged ? lookUpRights(then: body) : body(&self, &output)
    }

    /// Looks the rights up, and then goes on. Without the right to read the session is sent away: every answer to a
    /// command would be NO, which clients do not expect.
    mutating func lookUpRights(
        then body: @escaping (inout IMAPSession, inout SessionOutput) -> Step
    ) -> Step {
        guard let account = state.account, let mailbox = state.mailbox else { return .ready }
        return perform(.rights(account.id, mailbox.id)) { session, outcome, output in
            guard case .rights(let rights, let generation) = outcome else {
                return session.farewell("Rights on the selected mailbox cannot be looked up now", &output)
            }
            guard rights.contains(.read) else {
                return session.farewell("The selected mailbox may not be read any more", &output)
            }
            session.adopt(rights, generation)
            return body(&session, &output)
        }
    }

    /// RFC 4314 §5.1.1: FLAGS and PERMANENTFLAGS are told again when they are others.
    private mutating func adopt(_ rights: MailboxRights, _ generation: UInt64) {
        guard var mailbox = state.mailbox else { return }
        let before = mailbox.changeableFlags
        mailbox.rights = rights
        mailbox.accessGeneration = generation
        state.replaceMailbox(mailbox)
        guard mailbox.changeableFlags != before else { return }
        var reply = OutputBuffer()
        reply.appendFlagLists(mailbox.view.keywords, mailbox.changeableFlags)
        outgoing.insert(.bytes(reply.take(), written: 0), at: 0)
    }
}
