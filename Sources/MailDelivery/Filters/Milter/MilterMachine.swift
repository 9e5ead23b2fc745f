/// The dialogue with one filter, the MTA's side, without I/O: what is to be written, and what was said.
///
///     fresh ─► negotiating ─► idle ─► open ⇄ awaiting(step)
///                              ▲        │
///                              └────────┘ nextClient
///
/// Not in any specification's picture: after a message's last answer, and after an abort, the filter waits for the
/// next sender; a connection is used for another client only after it was told so.
package struct MilterMachine: Sendable {
    private enum State: Sendable, Hashable {
        case fresh
        case negotiating
        /// Nothing was said of a client yet.
        case idle
        /// A client is known; nothing is awaited.
        case open
        case awaiting(MilterStep)
    }

    private var state = State.fresh
    private var received = MilterPacketBuffer()
    /// What the filter has seen enough of, of this message.
    private var skipped: Set<MilterStep> = []
    package private(set) var agreement: MilterAgreement?

    package init() {}

    package mutating func negotiate() -> [UInt8] {
        state = .negotiating
        return MilterAgreement.offer()
    }

    /// What to write to tell the filter of it; empty when it does not want to be told.
    package mutating func tell(_ event: MilterEvent, _ macros: MilterMacros) throws(MilterError) -> [UInt8] {
        guard let agreement, !isAwaiting, received.isEmpty else {
            throw .violation("it speaks without being asked")
        }
        let step = event.step
        state = .open
        if step == .sender { skipped = [] }
        // Macros also when the step is not told: later stages refer to them.
        let announced = macros.packet(ahead: step, wanted: agreement.macros)
        guard agreement.options.isDisjoint(with: step.unwanted), !skipped.contains(step) else { return announced }
        let payload = event.payload(keepsLeadingSpace: agreement.options.contains(.leadingSpace))
        guard payload.count <= agreement.maximumData else { throw .fieldTooLarge }
        if agreement.options.isDisjoint(with: step.unanswered) { state = .awaiting(step) }
        return announced + MilterPacket.encode(step.rawValue, payload)
    }

    /// Ends the message that is under way: the next sender may come.
    package mutating func abort() -> [UInt8] {
        skipped = []
        if agreement != nil { state = .open }
        return MilterPacket.encode(MilterPacket.abort)
    }

    /// Ends the client's connection; another client may come.
    package mutating func nextClient() -> [UInt8] {
        skipped = []
        state = .idle
        return MilterPacket.encode(MilterPacket.nextClient)
    }

    package static var quit: [UInt8] { MilterPacket.encode(MilterPacket.quit) }

    package var isAwaiting: Bool {
        switch state {
        case .negotiating, .awaiting: true
        case .fresh, .idle, .open: false
        }
    }

    /// Whether another client may be served on this connection.
    package var canBeReused: Bool { !isAwaiting && received.isEmpty && agreement?.allowsReuse == true }

    package mutating func receive(_ bytes: [UInt8]) { received.append(bytes) }

    /// What the filter says; nil when more must be read.
    package mutating func next() throws(MilterError) -> MilterNews? {
        let maximum = agreement?.maximumData ?? 1 << 16 - 1
        guard let packet = try received.next(maximumData: maximum) else { return nil }
        switch state {
        case .fresh, .idle, .open:
            throw .violation("it speaks without being asked")
        case .negotiating:
            return try negotiated(packet)
        case .awaiting(let step):
            return try news(packet, of: step)
        }
    }

    private mutating func negotiated(_ packet: MilterPacket) throws(MilterError) -> MilterNews {
        guard packet.code == MilterPacket.negotiation else { throw .violation("it does not negotiate") }
        agreement = try MilterAgreement(parsing: packet.data)
        state = .idle
        return .negotiated
    }

    private mutating func news(_ packet: MilterPacket, of step: MilterStep) throws(MilterError) -> MilterNews {
        if packet.code == UInt8(ascii: "p") {
            guard packet.data.isEmpty else { throw .violation("data behind an answer that has none") }
            return .progress
        }
        if let answer = try MilterAnswer(packet) {
            try take(answer, of: step)
            state = .open
            return .answer(answer)
        }
        guard step == .endOfMessage, let agreement,
            let modification = try MilterModification(packet, allowed: agreement.actions)
        else { throw .violation("an answer that does not belong to \(step)") }
        return .modification(modification)
    }

    private mutating func take(_ answer: MilterAnswer, of step: MilterStep) throws(MilterError) {
        switch answer {
        case .skip:
            guard step.mayBeSkipped else { throw .violation("it skips what cannot be skipped") }
            skipped.insert(step)
        case .discard:
            // There is no message yet.
            guard !step.isOfConnection else { throw .violation("it discards a connection") }
        case .proceed, .accept, .refuse:
            break
        }
    }
}
