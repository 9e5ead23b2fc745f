import MailStore
import SMTPSyntax
import Synchronization

@testable import MailRelay

/// Says what a test wants it to say, and remembers what it was asked.
final class ScriptedAgent: DeliveryAgent {
    struct Call: Sendable, Equatable {
        var message: String
        var destination: String
        var time: Int64
    }

    typealias Script = @Sendable (OutgoingMessage, String) async -> [RecipientOutcome]

    let calls = Mutex<[Call]>([])
    let mostAtOnce = Mutex((now: 0, most: 0))
    private let clock: any QueueClock
    private let script: Script

    init(_ clock: any QueueClock, _ script: @escaping Script) {
        self.clock = clock
        self.script = script
    }

    func deliver(_ message: OutgoingMessage, to destination: String) async -> [RecipientOutcome] {
        calls.withLock {
            $0.append(Call(message: message.identifier, destination: destination, time: clock.now()))
        }
        mostAtOnce.withLock {
            $0.now += 1
            $0.most = max($0.most, $0.now)
        }
        defer { mostAtOnce.withLock { $0.now -= 1 } }
        return await script(message, destination)
    }
}

extension RecipientOutcome {
    static let relayed = RecipientOutcome(
        .relayed(keepsPromises: true), status: "2.0.0", diagnostic: "250 2.0.0 queued as 1",
        remoteHost: "mx.example.net")
    static let relayedWithoutPromises = RecipientOutcome(
        .relayed(keepsPromises: false), status: "2.0.0", diagnostic: "250 ok", remoteHost: "mx.example.net")
    static let delivered = RecipientOutcome(
        .delivered, status: "2.1.5", diagnostic: "250 2.1.5 stored", remoteHost: "lmtp.example.net")
    static let busy = RecipientOutcome(
        .deferred, status: "4.2.1", diagnostic: "450 4.2.1 try again later", remoteHost: "mx.example.net")
    static let refused = RecipientOutcome(
        .failed, status: "5.1.1", diagnostic: "550 5.1.1 no such user", remoteHost: "mx.example.net")
    static let unreachable = RecipientOutcome(
        .deferred, status: "4.4.1", diagnostic: "no host could be reached", concernsDestination: true)
}
