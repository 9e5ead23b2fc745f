import IMAPSyntax
import MailStore
import MailVocabulary

/// A search in a mailbox as a session knows it.
package struct SearchTask: Sendable {
    let key: SearchKey
    let mailbox: SelectedMailbox
    var order = SearchOrder.mailbox
    /// Whether UIDs are answered.
    var usesUIDs = false
    var wantsScores = false
}

/// In what form the results are wanted.
enum SearchOrder: Sendable {
    case mailbox
    case sorted([SortCriterion])
    case threads(ThreadAlgorithm)

    var columns: ColumnKinds {
        switch self {
        case .mailbox: []
        case .sorted(let criteria):
            criteria.reduce(into: []) { kinds, criterion in
                if let column = criterion.key.column { kinds.insert(column) }
            }
        case .threads(let algorithm): algorithm.columns
        }
    }

    var needsScores: Bool {
        guard case .sorted(let criteria) = self else { return false }
        return criteria.contains { $0.key == .relevancy }
    }
}

/// What a search found.
package struct SearchFindings: Sendable {
    /// In the mailbox's order.
    var uids = NumberSet()
    /// Sequence numbers, or UIDs, in the order asked for. Empty for threads.
    var numbers = ResultList(NumberSet())
    /// UIDs in the order asked for; nil in the mailbox's order.
    var sortedUIDs: [UInt32]?
    /// 1...100, in the order of `numbers`, if they were asked for.
    var scores: [UInt8]?
    /// The answer to THREAD, without its beginning and end.
    var threads: [UInt8] = []
    /// How many messages could not be read, and were left out.
    var unreadable = 0
}

/// What cannot be searched for.
package enum SearchProblem: Error {
    /// A sequence number that no message has.
    case noSuchMessage
    /// A string that is not in the request's character set.
    case malformedText
    case notOffered
}
