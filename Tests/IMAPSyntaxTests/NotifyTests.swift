import IMAPSyntax
import MailVocabulary
import Testing

@Suite("NOTIFY (RFC 5465)") struct NotifySyntaxTests {
    private func groups(_ text: String) throws -> (status: Bool, groups: [EventGroup])? {
        guard case .notify(.set(let status, let groups)) = try parse("a NOTIFY \(text)").request else { return nil }
        return (status, groups)
    }

    @Test func none() throws {
        guard case .notify(.none) = try parse("a notify None").request else { throw SyntaxError("no NOTIFY NONE") }
    }

    @Test("Each choice of mailboxes, each event; names are not by case") func groups() throws {
        let set = try #require(
            try groups(
                "SET STATUS (Selected-Delayed (MessageNew (uid body.peek[header.fields (from to)]) MESSAGEEXPUNGE))"
                    + " (inboxes (MailboxName)) (personal NONE) (subscribed (FlagChange messagenew MessageExpunge))"
                    + " (subtree (Lists \"a b\") (SubscriptionChange MailboxMetadataChange))"
                    + " (mailboxes inbox (ServerMetadataChange))"))
        #expect(set.status)
        let fields = FetchItem.section(peek: true, BodySection(.headerFields(["from", "to"])), partial: nil)
        let messages: NotifyEvents = [.messageNew, .messageExpunge]
        #expect(
            set.groups == [
                EventGroup(.selectedDelayed, messages, newMessageItems: [.uid, fields]),
                EventGroup(.inboxes, .mailboxName), EventGroup(.personal, []),
                EventGroup(.subscribed, messages.union(.flagChange)),
                EventGroup(
                    .subtree([name("Lists"), name("a b")]), [.subscriptionChange, .mailboxMetadataChange]),
                EventGroup(.mailboxes([.inbox]), .serverMetadataChange),
            ])
        #expect(try groups("SET (selected none)")?.groups == [EventGroup(.selected, [])])
        // As in §3.1.
        #expect(
            try groups("SET (subtree Lists MessageNew MessageExpunge)")?.groups
                == [EventGroup(.subtree([name("Lists")]), messages)])
    }

    @Test(
        "What the grammar and its comments do not allow",
        arguments: [
            "", " ", " SET", " SET ", " SET STATUS", " SET STATUS ", " SET ()", " SET (personal)", " SET (personal ())",
            " SET (personal (MailboxName)", " SET (personal (MailboxName)))", " SET (personal (MailboxName)) ",
            " SET  (personal NONE)", " SET (personal NONE)(personal NONE)", " NONE NONE", " ALL",
            " SET (everything (MailboxName))", " SET (subtree (MailboxName))", " SET (mailboxes () (MailboxName))",
            " SET (personal (MessageNew))", " SET (personal (MessageExpunge))", " SET (personal (FlagChange))",
            " SET (personal (FlagChange MessageNew))", " SET (personal (MessageNew (uid) MessageExpunge))",
            " SET (selected (MessageNew () MessageExpunge))", " SET (selected (MessageNew (nothing) MessageExpunge))",
            " SET (selected (MessageNew MessageExpunge MailboxName))", " SET (selected (ServerMetadataChange))",
            " SET (selected (MessageNew MessageExpunge)) (selected NONE)",
            " SET (selected (MessageNew MessageExpunge)) (selected-delayed NONE)",
            " SET (subtree-one Lists (MailboxName))", " SET STATUSES (personal NONE)", " SETSTATUS (personal NONE)",
        ])
    func refused(_ text: String) { #expect(error("NOTIFY\(text)")?.answer == .bad) }

    @Test("An event that is not known is the server's to refuse, whatever else is wrong") func unsupported() throws {
        for text in ["SET (personal (AnnotationChange))", "SET (selected (MessageNew)) (personal (Sunrise))"] {
            #expect(try groups(text)?.groups.contains { $0.events.contains(.unsupported) } == true)
        }
    }

    @Test func limits() {
        let many = String(repeating: " (personal NONE)", count: IMAPLimits.eventGroups + 1)
        #expect(error("NOTIFY SET\(many)")?.code == .limit)
        let names = String(repeating: " a", count: IMAPLimits.sourceMailboxes + 1).dropFirst()
        #expect(error("NOTIFY SET (mailboxes (\(names)) NONE)")?.code == .limit)
        let events = String(repeating: " MailboxName", count: IMAPLimits.shortList + 1)
        #expect(error("NOTIFY SET (personal\(events))")?.code == .limit)
        #expect(error("NOTIFY SET (personal (\(events.dropFirst())))")?.code == .limit)
    }

    @Test("RETURN (UPDATE (…)), in SEARCH and SORT (§7)") func update() throws {
        let text = "SEARCH RETURN (COUNT UPDATE (UID BODY[HEADER.FIELDS (TO)])) FROM \"boss\""
        guard case .search(let request, false) = try parse("a \(text)").request else { throw SyntaxError("no SEARCH") }
        #expect(request.returns == [.count, .update])
        #expect(
            request.updateItems
                == [.uid, .section(peek: false, BodySection(.headerFields(["TO"])), partial: nil)])
        guard case .sort(_, let sorted, true) = try parse("a UID SORT RETURN (UPDATE (FLAGS)) (DATE) UTF-8 ALL").request
        else { throw SyntaxError("no SORT") }
        #expect(sorted.updateItems == [.flags])
        for text in ["UPDATE ()", "UPDATE (", "UPDATE (X)", "UPDATE (UID)(UID)"] {
            #expect(error("SEARCH RETURN (\(text)) ALL")?.answer == .bad)
        }
        #expect(error("ESEARCH IN (selected-delayed) ALL")?.answer == .bad)
    }

    @Test func codes() {
        #expect(
            written { $0.append(status: .no, tag: "a", code: .badEvent(["MessageNew", "FlagChange"]), "no") }
                == "a NO [BADEVENT (MessageNew FlagChange)] no\r\n")
        #expect(
            written { $0.append(status: .ok, tag: nil, code: .notificationOverflow, "much") }
                == "* OK [NOTIFICATIONOVERFLOW] much\r\n")
        let names = ["/shared/comment", "/private/x"].compactMap { AnnotationName($0) }
        #expect(
            written { $0.append(changedMetadataOf: .mailbox(name("a b")), names, .utf8) }
                == "* METADATA \"a b\" /shared/comment /private/x\r\n")
        #expect(
            written { $0.append(changedMetadataOf: .server, Array(names.prefix(1)), .utf8) }
                == "* METADATA \"\" /shared/comment\r\n")
    }
}
