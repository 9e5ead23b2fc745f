import MailVocabulary
import WireFraming

extension CommandParser {
    // notify      = "NOTIFY" SP (notify-set / notify-none)
    // notify-set  = "SET" [SP "STATUS"] SP event-groups
    // notify-none = "NONE"          RFC 5465 §8
    mutating func notify() throws(SyntaxError) -> IMAPRequest {
        switch try word("SET or NONE") {
        case "NONE": return .notify(.none)
        case "SET":
            try space()
            let status = takeKeyword("STATUS")
            return .notify(.set(status: status, try eventGroups()))
        case _: throw SyntaxError("Expected SET or NONE")
        }
    }

    // event-groups = event-group *(SP event-group)
    private mutating func eventGroups() throws(SyntaxError) -> [EventGroup] {
        var groups: [EventGroup] = []
        repeat {
            guard groups.count < IMAPLimits.eventGroups else { throw SyntaxError("Too many groups", code: .limit) }
            groups.append(try eventGroup())
        } while cursor.take(UInt8(ascii: " "))
        // The answer to an event that is not supported is another, whatever else is wrong.
        guard !groups.contains(where: { $0.events.contains(.unsupported) }) else { return groups }
        for group in groups { try check(group) }
        guard groups.filter({ $0.mailboxes.isSelected }).count <= 1 else {
            throw SyntaxError("SELECTED and SELECTED-DELAYED may stand once")
        }
        return groups
    }

    // event-group = "(" filter-mailboxes SP events ")"
    // events      = ( "(" event *(SP event) ")" ) / "NONE"
    /// Events without parentheses of their own are in the RFC's example (§3.1), and in clients that were made from it.
    private mutating func eventGroup() throws(SyntaxError) -> EventGroup {
        try expect(UInt8(ascii: "("))
        let filter = try mailboxFilter()
        guard filter.isOfNotify else { throw SyntaxError("There is no such choice of mailboxes") }
        try space()
        var group = EventGroup(filter, [])
        if cursor.peek == UInt8(ascii: "(") {
            _ = try list("events", limit: IMAPLimits.shortList) { parser throws(SyntaxError) in
                try parser.event(of: &group)
            }
        } else if !cursor.take(word: "NONE") {
            var count = 0
            repeat {
                count += 1
                guard count <= IMAPLimits.shortList else { throw SyntaxError("Too many events", code: .limit) }
                try event(of: &group)
            } while cursor.take(UInt8(ascii: " "))
        }
        try expect(UInt8(ascii: ")"))
        return group
    }

    // event         = message-event / mailbox-event / user-event / event-ext
    // message-event = ("MessageNew" [SP "(" fetch-att *(SP fetch-att) ")"]) / "MessageExpunge" / "FlagChange" / …
    // event-ext     = atom
    private mutating func event(of group: inout EventGroup) throws(SyntaxError) {
        let name = try word("an event")
        guard let event = NotifyEvents.names.first(where: { $0.name.uppercased() == name })?.event else {
            return group.events.formUnion(.unsupported)
        }
        group.events.formUnion(event)
        guard event == .messageNew, let items = try fetchItemsInParentheses() else { return }
        group.newMessageItems = items
    }

    // SP "(" fetch-att *(SP fetch-att) ")"
    /// Nil, and nothing read, when something else follows.
    mutating func fetchItemsInParentheses() throws(SyntaxError) -> [FetchItem]? {
        let start = cursor.position
        guard cursor.take(UInt8(ascii: " ")), cursor.peek == UInt8(ascii: "(") else {
            cursor.position = start
            return nil
        }
        return try list("items", limit: IMAPLimits.fetchItems) { parser throws(SyntaxError) in
            try parser.fetchItem(try parser.word("an item"))
        }
    }

    /// RFC 5465 §5, §6.1, and the comments of its grammar.
    private func check(_ group: EventGroup) throws(SyntaxError) {
        let events = group.events
        guard events.contains(.messageNew) == events.contains(.messageExpunge) else {
            throw SyntaxError("MessageNew and MessageExpunge stand together")
        }
        guard !events.contains(.flagChange) || events.contains(.messageNew) else {
            throw SyntaxError("FlagChange stands beside MessageNew and MessageExpunge")
        }
        guard !group.mailboxes.isSelected || events.isSubset(of: .ofMessages) else {
            throw SyntaxError("Of the selected mailbox, events of messages only can be told")
        }
        guard group.mailboxes.isSelected || group.newMessageItems.isEmpty else {
            throw SyntaxError("What is fetched is of the selected mailbox")
        }
    }
}

extension MailboxFilter {
    /// `filter-mailboxes-selected` in the grammar.
    package var isSelected: Bool { self == .selected || self == .selectedDelayed }

    /// Whether NOTIFY knows it: RFC 7377 has brought another for ESEARCH.
    var isOfNotify: Bool {
        if case .subtreeOne = self { false } else { true }
    }
}
