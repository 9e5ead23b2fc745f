package import MailVocabulary

/// Mail as another program keeps it: the mailboxes of one account.
package protocol MailSource: Sendable {
    /// In the order of their names. Throws `TransferError`.
    func mailboxes() throws -> [SourceMailbox]
    /// In the order they are to be added: ascending by UID where UIDs are known. Throws `TransferError`.
    func messages(of mailbox: SourceMailbox) throws -> [SourceMessage]
}

/// A mailbox before its messages are looked at.
package struct SourceMailbox: Sendable, Equatable {
    package var name: MailboxName
    /// The directory or file it was found at.
    package var path: String
    /// Nil when the program keeps none.
    package var uidValidity: UIDValidity?
    /// Nil when the program keeps no subscriptions.
    package var isSubscribed: Bool?
}

/// A message before it is read.
package struct SourceMessage: Sendable, Equatable {
    /// The octets that are the message.
    package var place: FileRange
    package var flags: [Flag] = []
    package var internalDate: Timestamp?
    package var uid: UID?
    /// How its octets became the file's.
    package var encoding = Encoding.verbatim

    package enum Encoding: Sendable, Equatable {
        case verbatim
        /// `>From ` stands for `From `, and fields of the mbox's own stand in the header.
        case mbox
    }

    package init(place: FileRange) { self.place = place }
}

/// Some octets of a file.
package struct FileRange: Sendable, Equatable, CustomStringConvertible {
    package var path: String
    package var range: Range<Int>

    package init(path: String, range: Range<Int>) {
        self.path = path
        self.range = range
    }

    package var description: String { range.lowerBound == 0 ? path : "\(path), octet \(range.lowerBound)" }
}

/// What stands against moving mail, for the person who asked.
package struct TransferError: Error, Sendable, Equatable, CustomStringConvertible {
    package var description: String

    package init(_ description: String) { self.description = description }
}

/// The forms in which mail moves.
package enum TransferFormat: String, Sendable, CaseIterable, Codable {
    /// One file for each message, a directory for each mailbox: Maildir++ (Dovecot, Courier) or nested directories.
    case maildir
    /// One file for each mailbox.
    case mbox
    /// One `.eml` file for each message, a plain directory for each mailbox.
    case eml
}
