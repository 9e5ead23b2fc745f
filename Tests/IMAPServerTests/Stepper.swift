import MailStore
import MailVocabulary
import WireFraming

@testable import IMAPServer

/// Drives a session step by step, to see how much each step writes.
struct Stepper: ~Copyable {
    var session: IMAPSession
    let service: IMAPService

    /// Gives bytes; the number of octets that each step wrote.
    mutating func outputs(_ text: String) async -> [Int] {
        var pending = Array(text.utf8)
        var sizes: [Int] = []
        var step = SessionStep<IMAPWork>.ready
        while true {
            var output = SessionOutput()
            switch step {
            case .ready:
                var consumed = 0
                step = session.received(pending.span, consumed: &consumed, &output)
                pending.removeFirst(consumed)
            case .perform(let work):
                step = session.completed(await service.perform(work, notify: {}), &output)
            case .produce: step = session.produce(&output)
            case .startCompression, .stopCompression: step = .ready
            case .needInput, .startTLS, .close: return sizes
            }
            sizes.append(output.bytes.count)
        }
    }
}

extension Fixture {
    func stepper(selecting mailbox: String) async throws -> Stepper {
        let context = SessionContext(hostname: "mail.example.org", tls: Fixture.tls)
        var stepper = Stepper(
            session: IMAPSession(context: context, store: served, authenticator: service.authenticator),
            service: service)
        _ = await stepper.outputs("l LOGIN fred secret\r\ns SELECT \(mailbox)\r\n")
        return stepper
    }
}
