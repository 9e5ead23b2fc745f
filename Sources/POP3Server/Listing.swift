import MailStore
import MailVocabulary
import POP3Syntax
import WireFraming

/// A LIST or UIDL of the whole maildrop on its way to the client: a hundred thousand messages make a megabyte, so it
/// is written as the socket takes it.
struct Listing: Sendable {
    enum Kind: Sendable { case sizes, uniqueIDs }

    /// Rows written at a time. A line has 40 octets at most: a message number, a space, two numbers and a dot, CRLF.
    private static let batch = 256
    private static let longestBatch = batch * 40

    let kind: Kind
    private var position = 0

    init(_ kind: Kind) { self.kind = kind }

    /// Appends at most `productionChunk` octets. True when the reply is complete.
    mutating func write(_ maildrop: Maildrop, _ output: inout OutputBuffer) -> Bool {
        let limit = output.count + productionChunk - Self.longestBatch - 3
        while position < maildrop.messages.count, output.count <= limit {
            let end = min(maildrop.messages.count, position + Self.batch)
            maildrop.messages.forEach(in: position..<end) { position, row in
                guard !maildrop.isDeleted(row.uid) else { return }
                output.append(decimal: position + 1)
                output.append(0x20)
                write(row, maildrop, &output)
                output.appendLineEnd()
            }
            position = end
        }
        guard position == maildrop.messages.count else { return false }
        output.appendTerminator()
        return true
    }

    private func write(_ row: MessageRow, _ maildrop: Maildrop, _ output: inout OutputBuffer) {
        switch kind {
        case .sizes: output.append(decimal: row.size)
        case .uniqueIDs: output.append(uniqueID: row, in: maildrop.messages)
        }
    }
}

extension OutputBuffer {
    // unique-id: 1 to 70 characters of 0x21 to 0x7E, never used twice in a maildrop          RFC 1939 §7
    /// `1700000000.42`: UIDVALIDITY and UID persist and are never used twice, by IMAP's rules for them.
    mutating func append(uniqueID row: MessageRow, in messages: MailboxSnapshot) {
        append(decimal: messages.uidValidity.value)
        append(0x2E)
        append(decimal: row.uid.value)
    }
}
