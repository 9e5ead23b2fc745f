import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// SELECT, EXAMINE, CLOSE, UNSELECT.

extension IMAPSession {
    /// RFC 3501 §6.3.1, §6.3.2. Whatever was selected is not any more, even if this fails.
    mutating func select(
        _ tag: String, _ name: MailboxName, _ parameters: SelectParameters, isReadOnly examines: Bool,
        _ output: inout SessionOutput
    ) -> Step {
        guard let account = state.account else { return .ready }
        guard parameters.qresync == nil || enabled.contains(.qresync) else {
            return refuse(tag, Refusal(status: .bad, text: "QRESYNC must be enabled first"), &output)
        }
        closeForAnother()
        if parameters.condstore { enableCondstore() }
        let tellsRecent = !enabled.contains(.imap4rev2)
        let task = OpenTask(
            user: account, name: name, claimsRecent: tellsRecent && !examines, resync: parameters.qresync)
        return perform(.open(task)) { session, outcome, output in
            guard case .opened(let opened) = outcome else { return session.concludeFailed(tag, outcome, &output) }
            let mailbox = SelectedMailbox(opened, isReadOnly: examines, tellsRecent: tellsRecent)
            session.state = .selected(account, mailbox)
            var reply = OutputBuffer()
            let isReadOnly = mailbox.isReadOnly
            mailbox.writeSelection(hasUnseen: opened.found.mailbox.unseenCount > 0, session.enabled, &reply)
            if session.settings.urlAuthentication != nil, mailbox.isOwn {
                reply.append(status: .ok, tag: nil, code: .urlMechanisms, "How URLs are authorised")
            }
            if session.enabled.contains(.imap4rev2) { session.writeSelected(opened.found, &reply) }
            session.enqueue(reply)
            session.tell(opened.missed, in: mailbox)
            return session.conclude(
                tag, .ok, isReadOnly ? .readOnly : .readWrite, examines ? "EXAMINE completed" : "SELECT completed",
                &output)
        }
    }

    /// RFC 9051 §6.3.2: which mailbox it is.
    private func writeSelected(_ found: FoundMailbox, _ reply: inout OutputBuffer) {
        var entry = ListEntry(name: found.name.text, oldName: normalised.first?.supplied)
        if found.isOwn {
            if found.mailbox.isSubscribed { entry.attributes.append("\\Subscribed") }
            if let use = found.mailbox.specialUse { entry.attributes.append(use.rawValue) }
        }
        reply.append(list: entry, enabled.mailboxEncoding)
    }

    /// Leaves the selected mailbox. What comes behind CLOSED is of the next one (RFC 7162 §3.2.11).
    private mutating func closeForAnother() {
        guard state.mailbox != nil else { return }
        state.deselect()
        var reply = OutputBuffer()
        reply.append(status: .ok, tag: nil, code: .closed, "The previous mailbox is closed")
        enqueue(reply)
    }

    /// What happened in the mailbox since the client was last there (RFC 7162 §3.2.5.1).
    private mutating func tell(_ missed: MissedChanges, in mailbox: SelectedMailbox) {
        if !missed.vanished.isEmpty { outgoing.append(.vanished(VanishedList(missed.vanished, isEarlier: true))) }
        guard !missed.changed.isEmpty else { return }
        let writer = FetchWriter(plan: .flags(withUID: true, enabled), mailbox: mailbox)
        outgoing.append(.flags(FlagsList(writer: writer, positions: missed.changed)))
    }

    /// RFC 3501 §6.4.2: removes what is marked `\Deleted`, and tells nothing of it.
    mutating func close(_ tag: String, _ output: inout SessionOutput) -> Step {
        guard let mailbox = state.mailbox else { return .ready }
        state.deselect()
        // RFC 4314 §4: without the right nothing is removed, and nothing said.
        guard !mailbox.isReadOnly, mailbox.rights.contains(.expunge) else {
            return conclude(tag, .ok, "CLOSE completed", &output)
        }
        return perform(.expunge(mailbox.id, .everyUID, limit: nil)) { session, outcome, output in
            guard case .expunged = outcome else { return session.concludeFailed(tag, outcome, &output) }
            return session.conclude(tag, .ok, "CLOSE completed", &output)
        }
    }

    /// RFC 3691.
    mutating func unselect(_ tag: String, _ output: inout SessionOutput) -> Step {
        state.deselect()
        return conclude(tag, .ok, "UNSELECT completed", &output)
    }
}

extension SelectedMailbox {
    init(_ opened: OpenedMailbox, isReadOnly: Bool, tellsRecent: Bool) {
        self.tellsRecent = tellsRecent
        id = opened.found.mailbox.id
        name = opened.found.name
        isOwn = opened.found.isOwn
        rights = opened.found.rights
        accessGeneration = opened.found.accessGeneration
        isExamined = isReadOnly
        view = opened.snapshot
        comparedAt = opened.snapshot.highestModSeq
        toldModSeq = opened.snapshot.highestModSeq
        recent = NumberSet()
        announcedRecent = 0
        if tellsRecent, let first = UInt32(exactly: opened.firstRecent), first >= 1, first <= lastUID {
            recent = NumberSet(first...lastUID)
        }
        announcedRecent = recentCount
    }

    /// The untagged responses of SELECT (RFC 3501 §6.3.1); RECENT and UNSEEN are none in IMAP4rev2.
    fileprivate func writeSelection(
        hasUnseen: Bool, _ enabled: EnabledFeatures, _ output: inout OutputBuffer
    ) {
        output.appendFlagLists(view.keywords, changeableFlags)
        output.append(exists: view.count)
        if tellsRecent { output.append(recent: announcedRecent) }
        // A sequence number.
        if tellsRecent, hasUnseen, !enabled.contains(.uidOnly), let unseen = firstUnseen {
            output.append(status: .ok, tag: nil, code: .unseen(UInt32(unseen + 1)), "First unseen")
        }
        output.append(status: .ok, tag: nil, code: .uidValidity(view.uidValidity), "UIDs are valid")
        output.append(status: .ok, tag: nil, code: .uidNext(view.uidNext), "Predicted next UID")
        output.append(status: .ok, tag: nil, code: .mailboxID(MailboxObjectID(id).text), "The mailbox's identifier")
        guard enabled.contains(.condstore) else { return }
        output.append(status: .ok, tag: nil, code: .highestModSeq(toldModSeq), "Highest")
    }

    private var firstUnseen: Int? { view.firstPosition(where: RowCondition(mask: .seen)) }
}
