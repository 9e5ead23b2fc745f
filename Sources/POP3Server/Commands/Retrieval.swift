import MailStore
import POP3Syntax
import WireFraming

// RETR (RFC 1939 §5) and TOP (§7). The +OK line is held back until the first octets are at hand, so that a message that
// cannot be read gets a clean -ERR; behind it, only closing tells the client that what it has is not all.
extension POP3Session {
    // "RETR" SP msg          "TOP" SP msg SP n
    mutating func retrieve(_ number: UInt32, top: TopLimit?, _ output: inout SessionOutput) -> Step {
        guard case .transaction(var maildrop) = takeState() else { return .close }
        guard let row = maildrop.message(number) else {
            state = .transaction(maildrop)
            output.bytes.error("no such message")
            return .ready
        }
        var transfer = MessageTransfer(row, top: top)
        let isSequential = top == nil && maildrop.noteRetrieval(of: number)
        if let bytes = maildrop.prefetched.take(row.body), transfer.acceptWhole(bytes) {
            return begin(transfer, maildrop, &output)
        }
        guard isSequential, row.size <= PrefetchedBodies.maximumBody else {
            return proceed(transfer, maildrop, &output)
        }
        let ahead = maildrop.bodiesToPrefetch(behind: number)
        state = .fetching(transfer, ahead: ahead, maildrop)
        return .perform(.readWhole([row.body] + ahead))
    }

    /// The answer to `POP3Work.read` and `readWhole`.
    mutating func fetched(
        _ outcome: POP3Outcome, _ transfer: MessageTransfer, _ ahead: [BodyID], _ maildrop: Maildrop,
        _ output: inout SessionOutput
    ) -> Step {
        var (transfer, maildrop) = (transfer, maildrop)
        switch outcome {
        case .bytes(let bytes):
            guard transfer.accept(bytes) else { return fail("body shorter than its size", transfer, maildrop, &output) }
            return begin(transfer, maildrop, &output)
        case .bodies(let bodies):
            guard case .some(.some(let bytes)) = bodies.first else { return gone(transfer, maildrop, &output) }
            guard transfer.acceptWhole(bytes) else {
                return fail("body not of its size", transfer, maildrop, &output)
            }
            maildrop.prefetched.replace(with: Array(zip(ahead, bodies.dropFirst())))
            return begin(transfer, maildrop, &output)
        case .bodyGone: return gone(transfer, maildrop, &output)
        case .readFailed(let reason): return fail(reason, transfer, maildrop, &output)
        case .opened, .answered, .unavailable, .inUse, .removed, .removalFailed: return .close
        }
    }

    /// Sends what was read; ahead of a message's first octets, the +OK line.
    private mutating func begin(
        _ transfer: MessageTransfer, _ maildrop: Maildrop, _ output: inout SessionOutput
    ) -> Step {
        var transfer = transfer
        if !transfer.hasBegun {
            guard maildrop.isUTF8 || !transfer.chunkIsInternationalised else {
                state = .transaction(maildrop)
                output.bytes.error("this message needs UTF-8 mode", code: .utf8)
                return .ready
            }
            transfer.hasBegun = true
            transfer.announce(&output.bytes)
        }
        guard transfer.write(&output.bytes) else {
            state = .sending(.message(transfer), maildrop)
            return .produce
        }
        state = .transaction(maildrop)
        return .ready
    }

    /// Reads on, or sends what was read.
    mutating func proceed(_ transfer: MessageTransfer, _ maildrop: Maildrop, _ output: inout SessionOutput) -> Step {
        guard transfer.needsRead, let range = transfer.nextRange else { return begin(transfer, maildrop, &output) }
        state = .fetching(transfer, ahead: [], maildrop)
        return .perform(.read(transfer.body, range))
    }

    /// Another session expunged it since this one logged in.
    private mutating func gone(
        _ transfer: MessageTransfer, _ maildrop: Maildrop, _ output: inout SessionOutput
    ) -> Step {
        guard !transfer.hasBegun else { return .close }
        state = .transaction(maildrop)
        output.bytes.error("the message is no longer there")
        return .ready
    }

    private mutating func fail(
        _ reason: String, _ transfer: MessageTransfer, _ maildrop: Maildrop, _ output: inout SessionOutput
    ) -> Step {
        output.events.append(.notice("message not sent: \(reason)"))
        guard !transfer.hasBegun else { return .close }
        state = .transaction(maildrop)
        output.bytes.error("the message cannot be read now", code: .temporary)
        return .ready
    }
}
