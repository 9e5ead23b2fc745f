import MailStore

// Object identifiers (RFC 8474): the store's numbers behind a letter, so that no two kinds share a name and none looks
// like a number.

/// MAILBOXID: mailboxes' numbers are never given twice, and a rename keeps them.
struct MailboxObjectID {
    let text: String
    init(_ mailbox: MailboxID) { text = "F\(mailbox.value)" }
}

/// EMAILID: a message's octets, which copies share, and its thread. What is delivered to two accounts is stored once, but
/// is in a thread of each; messages with one EMAILID must be in one.
struct EmailObjectID: Equatable {
    var body: BodyID
    var thread: ThreadID

    init(_ row: MessageRow) {
        body = row.body
        thread = row.thread
    }

    /// Nil for what is none that was ever given.
    init?(_ text: String) {
        let numbers = text.dropFirst().split(separator: "-", omittingEmptySubsequences: false)
        guard numbers.count == 2, let body = Int64(numbers[0]), let thread = Int64(numbers[1]) else { return nil }
        (self.body, self.thread) = (BodyID(body), ThreadID(thread))
        guard self.text == text else { return nil }
    }

    var text: String { "M\(body.value)-\(thread.value)" }
}

/// THREADID.
struct ThreadObjectID: Equatable {
    var thread: ThreadID

    init(_ row: MessageRow) { thread = row.thread }

    /// Nil for what is none that was ever given.
    init?(_ text: String) {
        guard let thread = Int64(text.dropFirst()) else { return nil }
        self.thread = ThreadID(thread)
        guard self.text == text else { return nil }
    }

    var text: String { "T\(thread.value)" }
}
