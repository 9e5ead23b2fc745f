import MailStore
import Synchronization
import WireFraming

@testable import IMAPServer

/// A session that is driven one step at a time, so that others can come in between anywhere it waits for the store.
final class SteppedClient {
    private var session: IMAPSession
    private let service: IMAPService
    private var pending: [UInt8] = []
    /// Nil: it waits for its client.
    private var step: SessionStep<IMAPWork>?
    private let hasNews = News()
    /// What was written since it was last taken.
    private(set) var output = OutputBuffer()
    private(set) var isClosed = false

    private final class News: Sendable {
        let flag = Mutex(false)
    }

    init(_ store: any MailStore, _ service: IMAPService, _ settings: IMAPSettings = IMAPSettings()) {
        let context = SessionContext(hostname: "mail.example.org", tls: Fixture.tls)
        session = IMAPSession(context: context, settings: settings, store: store, authenticator: service.authenticator)
        self.service = service
        var greeting = SessionOutput()
        _ = session.connected(&greeting)
    }

    var isWaiting: Bool { step == nil }

    func send(_ text: String) {
        pending += Array(text.utf8)
        step = step ?? .ready
    }

    /// Lets an idling session hear of what others did; false when there is nothing.
    func deliverNews() -> Bool {
        let news = hasNews.flag.withLock { flag in
            defer { flag = false }
            return flag
        }
        guard news, step == nil, !isClosed else { return false }
        var written = SessionOutput()
        step = session.changed(&written)
        output.append(written.bytes.take())
        return true
    }

    func advance() async {
        guard let current = step else { return }
        var written = SessionOutput()
        switch current {
        case .ready:
            let input = pending
            var consumed = 0
            step = session.received(input.span, consumed: &consumed, &written)
            pending.removeFirst(consumed)
        case .perform(let work):
            let news = hasNews
            let outcome = await service.perform(work, notify: { news.flag.withLock { $0 = true } })
            step = session.completed(outcome, &written)
        case .produce: step = session.produce(&written)
        case .needInput: step = nil
        case .startTLS, .startCompression, .stopCompression, .close:
            isClosed = true
            step = nil
        }
        output.append(written.bytes.take())
    }

    func takeOutput() -> String { String(decoding: output.take(), as: UTF8.self) }

    /// Sends, and lets nobody come in between.
    func run(_ text: String) async -> String {
        send(text)
        while !isWaiting { await advance() }
        return takeOutput()
    }
}
