import IMAPSyntax
import MailStore
import MailVocabulary

/// A search in a mailbox as a session knows it.
package struct SearchTask: Sendable {
    let request: SearchRequest
    let mailbox: SelectedMailbox

    /// Of what was found, the messages whose highest MODSEQ is told: those that MIN and MAX tell, if nothing else is
    /// told; else all (RFC 4731 §3.2).
    func messagesOfModSeq(_ found: NumberSet) -> NumberSet {
        guard let returns = request.returns else { return found }
        let ends = returns.intersection([.min, .max])
        guard !ends.isEmpty, returns.isDisjoint(with: [.all, .count]) else { return found }
        let told = [ends.contains(.min) ? found.min : nil, ends.contains(.max) ? found.max : nil]
        return NumberSet(numbers: told.compactMap { $0 })
    }
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
        case .not(let key): key.contains(predicate)
        case .or(let a, let b): a.contains(predicate) || b.contains(predicate)
        case .and(let keys): keys.contains { $0.contains(predicate) }
        case .all, .has, .lacks, .recent, .new, .old, .envelope, .header, .body, .text, .internalDate, .sentDate,
            .savedDate, .emailID, .threadID, .larger, .smaller, .uid, .sequenceNumbers, .modSeq:
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
