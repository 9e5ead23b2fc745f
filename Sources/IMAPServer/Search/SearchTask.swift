import IMAPSyntax
import MailStore

/// A search in a mailbox as a session knows it.
package struct SearchTask: Sendable {
    let key: SearchKey
    let mailbox: SelectedMailbox
}

/// What cannot be searched for.
package enum SearchProblem: Error {
    /// A sequence number that no message has.
    case noSuchMessage
    /// A string that is not in the request's character set.
    case malformedText
    case notOffered
}
