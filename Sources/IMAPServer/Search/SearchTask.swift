import IMAPSyntax
import MailStore
import MailVocabulary

/// A search in a mailbox as a session knows it.
package struct SearchTask: Sendable {
    let request: SearchRequest
    let mailbox: SelectedMailbox
    var order = SearchOrder.mailbox
    /// Whether sequence numbers may be beyond the mailbox (RFC 7377 §2).
    var allowsAnyNumbers = false
    /// Whether UIDs are answered.
    var usesUIDs = false
    /// Of the messages searched (RFC 9738).
    var limit: UInt32?

    var wantsScores: Bool { request.returns?.contains(.relevancy) ?? false }

    /// Of what was found, the messages whose highest MODSEQ is told: those that MIN and MAX tell, if nothing else is
    /// told; else all (RFC 4731 §3.2).
    func messagesOfModSeq(_ found: ResultList) -> NumberSet {
        let all = NumberSet(found.ranges)
        guard let returns = request.returns, request.partial == nil else { return all }
        let ends = returns.intersection([.min, .max])
        guard !ends.isEmpty, returns.isDisjoint(with: [.all, .count]) else { return all }
        let told = [ends.contains(.min) ? found.first : nil, ends.contains(.max) ? found.last : nil]
        return NumberSet(numbers: told.compactMap { $0 })
    }
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
    /// The lowest UID that was looked at, when a limit left lower ones out.
    var lowest: UInt32?
    /// The highest MODSEQ of those told, if MODSEQ was searched for.
    var modSeq: ModSeq?
}

/// What cannot be searched for.
package enum SearchProblem: Error {
    /// A sequence number that no message has.
    case noSuchMessage
    /// A string that is not in the request's character set.
    case malformedText
}

extension SearchKey {
    /// Whether MODSEQ is searched for: the answer then tells the highest (RFC 7162 §3.1.5).
    var namesModSeq: Bool {
        contains { if case .modSeq = $0 { true } else { false } }
    }

    /// Whether messages are named by sequence number: no EXPUNGE may be told before the answer is complete (RFC 7162
    /// §3.2.10.2), and a client that works with UIDs alone does not do that (RFC 9586 §3).
    var namesSequenceNumbers: Bool {
        contains { if case .sequenceNumbers(.ranges) = $0 { true } else { false } }
    }

    /// Whether a simple key in it satisfies the predicate.
    private func contains(_ predicate: (SearchKey) -> Bool) -> Bool {
        switch self {
        case .not(let key), .fuzzy(let key): key.contains(predicate)
        case .or(let a, let b): a.contains(predicate) || b.contains(predicate)
        case .and(let keys): keys.contains { $0.contains(predicate) }
        case .all, .has, .lacks, .recent, .new, .old, .envelope, .header, .body, .text, .internalDate, .sentDate,
            .savedDate, .emailID, .threadID, .older, .younger, .larger, .smaller, .uid, .uidAfter, .uidBefore,
            .sequenceNumbers, .modSeq:
            predicate(self)
        }
    }
}

extension MailboxSnapshot {
    /// The highest MODSEQ among messages; nil without any.
    func highestModSeq(of uids: NumberSet) -> ModSeq? {
        var highest: ModSeq?
        for range in positions(ofUIDs: uids) {
            forEach(in: range) { _, row in highest = max(highest ?? row.modSeq, row.modSeq) }
        }
        return highest
    }
}
