import Foundation
import MailRelay
import MailStore
import MailVocabulary

extension Administration {
    /// Messages in one answer, and in one commit: neither memory nor others' waiting grows with the queue.
    private static let messagesAtOnce = 200

    func perform(_ request: QueueRequest, _ reply: @escaping @Sendable (ControlReply) -> Void) async throws {
        switch request {
        case .status:
            let snapshot = try await queue?.snapshot()
            let counts = if let snapshot { snapshot.counts } else { try await store.queueCounts() }
            reply(.queue(.status(QueueStatusRecord(counts, snapshot))))
        case .list(let selection):
            try await forEachPart(of: selection) { part in
                reply(.queue(.messages(part.map { QueuedMessageRecord($0) })))
            }
        case .change(let selection, let action):
            var changed = 0
            try await forEachPart(of: selection) { part in
                changed += try await change(part.map(\.message.id), action)
            }
            reply(.queue(.changed(changed)))
        }
    }

    private func change(_ ids: [QueueID], _ action: QueueAction) async throws -> Int {
        let now = Int64(Date().timeIntervalSince1970)
        switch action {
        case .retry: return try await store.changeQueue(ids, .retry(now: now))
        case .hold(let reason): return try await store.changeQueue(ids, .hold(reason: reason))
        case .release: return try await store.changeQueue(ids, .release(now: now))
        case .drop: return try await store.changeQueue(ids, .drop)
        case .giveBack(let reason):
            let giveBack = MessageReturning(store: store, now: now)
            var count = 0
            for id in ids where try await giveBack(id, reason: reason) { count += 1 }
            return count
        }
    }

    private func forEachPart(
        of selection: QueueSelection, _ body: ([QueuedMessageDetail]) async throws -> Void
    ) async throws {
        var filter = QueueFilter(
            isHeld: selection.isHeld, destination: try selection.destination.map(destination),
            sender: selection.sender)
        guard selection.messages.isEmpty else {
            for name in selection.messages {
                let number = Int64(name).map { QueueID($0) }
                filter.identifier = number == nil ? name : nil
                // By number: the one behind its predecessor.
                let after = number.map { QueueID($0.value &- 1) }
                let found = try await store.queuedMessages(filter, after: after, limit: 1)
                    .filter { number == nil || $0.message.id == number }
                guard !found.isEmpty else {
                    throw OperatorError(
                        .dataError, "there is no message \(name) in the queue; “latchmaild queue list” shows all")
                }
                try await body(found)
            }
            return
        }
        var last: QueueID?
        // What comes meanwhile is not meant: the end moves no further than it was.
        while let part = try await nextPart(filter, after: last), let end = part.last {
            try Task.checkCancellation()
            try await body(part)
            last = end.message.id
        }
    }

    private func nextPart(_ filter: QueueFilter, after: QueueID?) async throws -> [QueuedMessageDetail]? {
        let part = try await store.queuedMessages(filter, after: after, limit: Self.messagesAtOnce)
        return part.isEmpty ? nil : part
    }

    private func destination(_ text: String) throws -> String {
        if text.hasPrefix("["), text.hasSuffix("]") { return text }
        guard let domain = Domain(text) else {
            throw OperatorError(.dataError, "“\(text)” is not a domain name; write it like example.org")
        }
        return domain.name
    }
}
