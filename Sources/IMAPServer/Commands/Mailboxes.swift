import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE, STATUS, NAMESPACE: about mailboxes, not in them.

extension IMAPSession {
    /// RFC 3501 §6.3.3, RFC 6154 §3.
    mutating func create(
        _ tag: String, _ name: MailboxName, _ uses: [SpecialUse], _ output: inout SessionOutput
    ) -> Step {
        guard let account = state.account else { return .ready }
        guard uses.count <= 1 else {
            return conclude(tag, .no, .useAttribute, "A mailbox has one use", &output)
        }
        return perform(.createMailbox(account, name, uses.first)) { session, outcome, output in
            guard case .created(let mailbox) = outcome else { return session.concludeFailed(tag, outcome, &output) }
            session.tellNormalised(name, [])
            let id = MailboxObjectID(mailbox.id).text
            return session.conclude(tag, .ok, .mailboxID(id), "CREATE completed", &output)
        }
    }

    /// RFC 3501 §6.3.4. Other sessions that have the mailbox selected are sent away; this one is left without.
    mutating func delete(_ tag: String, _ name: MailboxName, _ output: inout SessionOutput) -> Step {
        guard let account = state.account else { return .ready }
        return perform(.deleteMailbox(account, name)) { session, outcome, output in
            guard case .deleted(let id) = outcome else { return session.concludeFailed(tag, outcome, &output) }
            output.events.append(.notice("mailbox deleted"))
            session.tellNormalised(name, ["\\NonExistent"])
            // Not by name: the selected mailbox may have got another, and another its name.
            if session.state.mailbox?.id == id {
                session.state.deselect()
                var reply = OutputBuffer()
                reply.append(status: .ok, tag: nil, code: .closed, "The mailbox is no more")
                session.enqueue(reply)
            }
            return session.conclude(tag, .ok, "DELETE completed", &output)
        }
    }

    /// RFC 3501 §6.3.5.
    mutating func rename(
        _ tag: String, _ from: MailboxName, _ to: MailboxName, _ output: inout SessionOutput
    ) -> Step {
        guard let account = state.account else { return .ready }
        return change(tag, .renameMailbox(account, from: from, to: to), "RENAME completed", telling: to, &output)
    }

    /// RFC 3501 §6.3.6, §6.3.7.
    mutating func subscribe(
        _ tag: String, _ name: MailboxName, _ subscribed: Bool, _ output: inout SessionOutput
    ) -> Step {
        guard let account = state.account else { return .ready }
        let text = subscribed ? "SUBSCRIBE completed" : "UNSUBSCRIBE completed"
        return change(tag, .setSubscribed(account.id, name, subscribed), text, &output)
    }

    private mutating func change(
        _ tag: String, _ work: IMAPWork, _ text: String, telling name: MailboxName? = nil,
        _ output: inout SessionOutput
    ) -> Step {
        perform(work) { session, outcome, output in
            guard case .done = outcome else { return session.concludeFailed(tag, outcome, &output) }
            if let name { session.tellNormalised(name, []) }
            return session.conclude(tag, .ok, text, &output)
        }
    }

    /// RFC 9051 §6.3.9.7: what a mailbox is called that the client named otherwise.
    private mutating func tellNormalised(_ name: MailboxName, _ attributes: [String]) {
        guard enabled.contains(.imap4rev2), let first = normalised.first else { return }
        var reply = OutputBuffer()
        reply.append(
            list: ListEntry(name: name.text, attributes: attributes, oldName: first.supplied), enabled.mailboxEncoding)
        enqueue(reply)
    }

    /// RFC 3501 §6.3.10.
    mutating func status(
        _ tag: String, _ name: MailboxName, _ items: [StatusItem], _ output: inout SessionOutput
    ) -> Step {
        guard let account = state.account else { return .ready }
        if items.contains(.highestModSeq) { enableCondstore() }
        return perform(.findMailbox(account, name, needing: .read)) { session, outcome, output in
            guard case .found(let found) = outcome else { return session.concludeFailed(tag, outcome, &output) }
            var reply = OutputBuffer()
            reply.append(
                statusOf: found.name, found.mailbox.values(items, appendLimit: session.settings.maximumMessageSize),
                session.enabled.mailboxEncoding)
            session.enqueue(reply)
            return session.conclude(tag, .ok, "STATUS completed", &output)
        }
    }

    /// RFC 2342.
    mutating func namespace(_ tag: String, _ output: inout SessionOutput) -> Step {
        var reply = OutputBuffer()
        reply.append(namespaces: [""], others: [Namespaces.otherUsers], shared: [Namespaces.shared], .modifiedUTF7)
        enqueue(reply)
        return conclude(tag, .ok, "NAMESPACE completed", &output)
    }
}

extension Mailbox {
    /// What STATUS tells of it.
    func values(_ items: [StatusItem], appendLimit: UInt64) -> [(item: StatusItem, value: StatusValue)] {
        items.map { item in
            switch item {
            case .messages: (item, .number(UInt64(messageCount)))
            case .recent: (item, .number(UInt64(recentCount)))
            case .uidNext: (item, .number(min(uidNext, UInt64(UInt32.max))))
            case .uidValidity: (item, .number(UInt64(uidValidity.value)))
            case .unseen: (item, .number(UInt64(unseenCount)))
            case .deleted: (item, .number(UInt64(deletedCount)))
            case .size: (item, .number(size))
            case .highestModSeq: (item, .number(highestModSeq.value))
            case .deletedStorage: (item, .number(deletedSize))
            case .mailboxID: (item, .objectID(MailboxObjectID(id).text))
            case .appendLimit: (item, .number(appendLimit))
            }
        }
    }
}
