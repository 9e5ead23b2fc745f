package import TLSPolicy
package import WireFraming

/// Drives a session without sockets: bytes in, what the peer would see out. It does what `SessionRuntime` does on a
/// connection, in the same order, so that a test is a dialogue.
package struct SessionDriver<Session: ProtocolSession & ~Copyable, Service: SessionService>: ~Copyable
where Session.Work == Service.Work, Session.Outcome == Service.Outcome {
    package var session: Session
    package let service: Service
    /// Bytes given and not yet consumed.
    package private(set) var pending: [UInt8] = []
    package private(set) var events: [SessionEvent] = []
    package private(set) var isClosed = false
    /// True after `.startTLS`, until `handshake` is called; no input is given meanwhile.
    package private(set) var awaitsHandshake = false
    /// Between `.startCompression` and `.stopCompression`. What is said stays readable all the same.
    package private(set) var isCompressed = false
    private var notifications: NotificationCounter

    package init(_ session: consuming Session, service: Service) {
        self.session = session
        self.service = service
        notifications = NotificationCounter()
    }

    /// The greeting.
    package mutating func connect() async -> [UInt8] {
        var output = SessionOutput()
        let step = session.connected(&output)
        return await run(step, output)
    }

    /// Sends bytes; returns everything the session wrote before it waits again.
    package mutating func send(_ bytes: some Collection<UInt8>) async -> [UInt8] {
        pending.append(contentsOf: bytes)
        guard !isClosed, !awaitsHandshake else { return [] }
        return await run(.ready, SessionOutput())
    }

    package mutating func send(_ text: String) async -> String {
        String(decoding: await send(Array(text.utf8)), as: UTF8.self)
    }

    /// Sends one byte at a time, as a slow or hostile peer does.
    package mutating func drip(_ text: String) async -> String {
        var answer = ""
        for byte in text.utf8 { answer += String(decoding: await send([byte]), as: UTF8.self) }
        return answer
    }

    /// Completes STARTTLS. Bytes that came in plaintext behind the command are the handshake's, never the session's.
    package mutating func handshake(
        _ tls: TLSDescription = TLSDescription(
            version: .tls13, cipherSuite: CipherSuite(0x1302), group: NamedGroup(0x001D))
    ) async -> [UInt8] {
        precondition(awaitsHandshake, "the session did not ask for a handshake")
        awaitsHandshake = false
        pending = []
        var output = SessionOutput()
        let step = session.secured(tls, &output)
        return await run(step, output)
    }

    /// Delivers a change notification if an observation fired since the last call; returns what the session wrote.
    package mutating func deliverChanges() async -> [UInt8] {
        guard !isClosed, notifications.take() else { return [] }
        var output = SessionOutput()
        let step = session.changed(&output)
        return await run(step, output)
    }

    package mutating func timeOut() -> [UInt8] {
        var output = SessionOutput()
        session.timedOut(&output)
        isClosed = true
        return output.bytes.take()
    }

    private mutating func run(_ first: SessionStep<Session.Work>, _ firstOutput: SessionOutput) async -> [UInt8] {
        var output = firstOutput
        var written: [UInt8] = []
        var step = first
        while true {
            written += output.bytes.take()
            events += output.events
            output.events = []
            switch step {
            case .ready:
                // As on a connection: nothing is called for without input.
                guard !pending.isEmpty else { return written }
                let input = pending
                var consumed = 0
                step = session.received(input.span, consumed: &consumed, &output)
                precondition(consumed <= input.count, "consumed more than there was")
                pending.removeFirst(consumed)
            case .needInput:
                return written
            case .perform(let work):
                let counter = notifications
                let outcome = await service.perform(work, notify: { counter.add() })
                step = session.completed(outcome, &output)
            case .produce:
                step = session.produce(&output)
            case .startTLS:
                awaitsHandshake = true
                return written
            case .startCompression, .stopCompression:
                if case .startCompression = step { isCompressed = true } else { isCompressed = false }
                step = .ready
            case .close:
                isClosed = true
                return written
            }
        }
    }
}
