import MailStore
import MailVocabulary
import WireFraming

extension IMAPService {
    package func isBrief(_ work: IMAPWork) -> Bool { work.isBrief }
}

extension IMAPWork {
    /// Messages up to which looking each up, and telling of it, is brief.
    private static let fewMessages = 16

    /// What is not known to be brief is not.
    fileprivate var isBrief: Bool {
        switch self {
        case .authenticate, .logIn, .observe, .findMailbox, .setSubscribed, .rights, .quota, .quotaRoot, .spill, .read:
            true
        case .append(let job):
            job.messages.reduce(0) { $0 + $1.body.count } <= briefMessage && !job.messages.contains { $0.isBinary }
        case .copy(_, let uids, from: _, to: _, allOrNothing: _): uids.count <= Self.fewMessages
        case .move(_, let uids, from: _, to: _): uids.count <= Self.fewMessages
        case .expunge(_, let uids, limit: _): uids.count <= Self.fewMessages
        case .store(let task): task.positions.messageCount <= Self.fewMessages
        case .markSeen(let task): task.positions.messageCount <= Self.fewMessages
        case .fetch(let request): request.isBrief(messages: Self.fewMessages)
        case _: false
        }
    }
}

extension FetchRequest {
    /// Octets of a message up to which finding a part in it is brief.
    private static let smallMessage: UInt32 = 128 * 1024

    fileprivate func isBrief(messages: Int) -> Bool {
        guard positions.messageCount <= messages, !writer.plan.items.contains(where: \.isDecoded) else { return false }
        return positions.allSatisfy { $0.allSatisfy { writer.view[$0].size <= Self.smallMessage } }
    }
}

extension [Range<Int>] {
    fileprivate var messageCount: Int { reduce(0) { $0 + $1.count } }
}
