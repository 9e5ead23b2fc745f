import IMAPSyntax
import MailStore
import WireFraming

// NOTIFY (RFC 5465): what the client is told of whenever it happens, in the selected mailbox and in others.

extension IMAPSession {
    mutating func notify(_ tag: String, _ request: NotifyRequest, _ output: inout SessionOutput) -> Step {
        guard let account = state.account else { return .ready }
        guard case .set(let status, let groups) = request else {
            notifications = Notifications()
            return conclude(tag, .ok, "NOTIFY completed", &output)
        }
        guard !groups.contains(where: { $0.events.contains(.unsupported) }) else {
            let code = ResponseCode.badEvent(NotifyEvents.names.map(\.name))
            return conclude(tag, .no, code, "Of such an event nothing can be told", &output)
        }
        let new = Notifications(groups)
        let matcher = EventMatcher(groups)
        guard !matcher.events.isEmpty else { return adopt(new, tag, &output) }
        let task = WatchTask(user: account, matcher: matcher, tellsStatus: status, selected: state.mailbox?.id)
        return perform(.watch(task)) { session, outcome, output in
            guard case .watching(let watched, let notices) = outcome else {
                return session.concludeFailed(tag, outcome, &output)
            }
            var new = new
            new.watched = watched
            session.outgoing.append(.notices(NoticeList(notices, session.enabled.mailboxEncoding)))
            return session.adopt(new, tag, &output)
        }
    }

    /// Replaces what was asked for before. What happened meanwhile is not lost.
    private mutating func adopt(_ new: Notifications, _ tag: String, _ output: inout SessionOutput) -> Step {
        var new = new
        if let old = notifications, new.watched != nil {
            new.leftover = old.watched?.watch.takeChanges() ?? WatchedChanges()
            if new.leftover.isIncomplete { new.leftover = WatchedChanges() }
        }
        new.observation = notifications?.observation
        notifications = new
        if new.newMessageItems.contains(.modSeq) { enableCondstore() }
        return conclude(tag, .ok, "NOTIFY completed", &output)
    }

    // Telling

    /// Begins to observe the selected mailbox, if its changes are to be told at once. Nil when there is nothing to be
    /// waited for.
    mutating func observeSelected(_ rules: UpdateRules) -> Step? {
        guard let wanted = notifications?.selected else { return nil }
        guard let mailbox = state.mailbox, wanted != .nothing else {
            notifications?.observation = nil
            return nil
        }
        guard notifications?.observation?.mailbox != mailbox.id else { return nil }
        return perform(.observe(mailbox.id)) { session, outcome, output in
            if case .observing(let observation) = outcome {
                session.notifications?.observation = (mailbox.id, observation)
            } else {
                session.overflow()
            }
            session.outgoing.insert(.updates(rules), at: 0)
            return session.pump(&output)
        }
    }

    /// Tells what has happened in other mailboxes. Nil when nothing has.
    mutating func tellNotifications(_ output: inout SessionOutput) -> Step? {
        guard let account = state.account, let watched = notifications?.watched else { return nil }
        guard let changes = notifications?.takeChanges(selected: state.mailbox?.id) else { return nil }
        guard !changes.isIncomplete else {
            overflow()
            return nil
        }
        guard !changes.changes.isEmpty else { return nil }
        let task = NotificationTask(user: account, watched: watched, changes: changes.changes, enabled: enabled)
        return perform(.tell(task)) { session, outcome, output in
            if case .told(let foreign, let notices) = outcome {
                session.notifications?.watched?.foreign = foreign
                session.outgoing.insert(.notices(NoticeList(notices, session.enabled.mailboxEncoding)), at: 0)
            } else {
                // What happened cannot be found out any more.
                output.events.append(.notice("notifications ended: \(Refusal(outcome).text)"))
                session.overflow()
            }
            return session.pump(&output)
        }
    }

    /// RFC 5465 §5.8: as if NOTIFY NONE had come.
    private mutating func overflow() {
        notifications = Notifications()
        var line = OutputBuffer()
        line.append(status: .ok, tag: nil, code: .notificationOverflow, "More has happened than can be told")
        outgoing.insert(.bytes(line.take(), written: 0), at: 0)
    }

    /// Something has changed, and no command is in progress.
    mutating func tellUnasked(_ output: inout SessionOutput) -> Step {
        guard let notifications else { return .needInput }
        // RFC 5465 §6.1.2: EXPUNGE waits for a command, unless it need not.
        if notifications.selected != .nothing { outgoing.append(.updates(UpdateRules(mayAnnounceExpunge: false))) }
        outgoing.append(.notifications)
        return pump(&output)
    }
}
