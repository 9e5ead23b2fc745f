import MailStore
import POP3Syntax
import WireFraming

// What is in the maildrop: STAT, LIST (RFC 1939 §5), UIDL (§7). Deleted messages are not in it.
extension POP3Session {
    // "STAT"
    mutating func status(_ output: inout SessionOutput) -> Step {
        withMaildrop { maildrop in
            output.bytes.ok(maildrop.count, maildrop.octets)
            return .ready
        }
    }

    // "LIST" [SP msg]
    mutating func list(_ number: UInt32?, _ output: inout SessionOutput) -> Step {
        guard let number else { return list(all: .sizes, &output) }
        return withMessage(number, &output) { _, row, output in output.bytes.ok(Int(number), Int(row.size)) }
    }

    // "UIDL" [SP msg]
    mutating func listUniqueIDs(_ number: UInt32?, _ output: inout SessionOutput) -> Step {
        guard let number else { return list(all: .uniqueIDs, &output) }
        return withMessage(number, &output) { maildrop, row, output in
            output.bytes.append("+OK ")
            output.bytes.append(decimal: number)
            output.bytes.append(0x20)
            output.bytes.append(uniqueID: row, in: maildrop.messages)
            output.bytes.appendLineEnd()
        }
    }

    private mutating func list(all kind: Listing.Kind, _ output: inout SessionOutput) -> Step {
        guard case .transaction(let maildrop) = takeState() else { return .close }
        output.bytes.okMaildrop(count: maildrop.count, octets: maildrop.octets)
        return send(Listing(kind), maildrop, &output)
    }

    /// Writes as much of a listing as may be written at once.
    mutating func send(_ listing: Listing, _ maildrop: Maildrop, _ output: inout SessionOutput) -> Step {
        var listing = listing
        guard listing.write(maildrop, &output.bytes) else {
            state = .sending(.listing(listing), maildrop)
            return .produce
        }
        state = .transaction(maildrop)
        return .ready
    }

    /// Lends a message to a command, or answers that there is none.
    mutating func withMessage(
        _ number: UInt32, _ output: inout SessionOutput,
        _ body: (inout Maildrop, MessageRow, inout SessionOutput) -> Void
    ) -> Step {
        withMaildrop { maildrop in
            if let row = maildrop.message(number) {
                body(&maildrop, row, &output)
            } else {
                output.bytes.error("no such message")
            }
            return .ready
        }
    }
}
