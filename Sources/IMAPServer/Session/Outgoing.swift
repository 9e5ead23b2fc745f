import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// A response can be longer than memory should hold: what is to be written waits as a list of producers, and `pump`
// writes some 32 KiB of it each time the socket has drained.

/// Something that is still to be written.
enum Outgoing: Sendable {
    case bytes([UInt8], written: Int)
    case expunges(ExpungeList)
    case flags(FlagsList)
    case numbers(NumberListWriter)
    case fetch(FetchStream)
    /// Goes on with a search, when all before is written.
    case search(SearchInProgress)
    /// Tells what changed in the selected mailbox.
    case updates(UpdateRules)
}

/// `* n EXPUNGE` for positions of the old view: from the last to the first, so that no number changes another.
struct ExpungeList: Sendable {
    /// Ascending.
    var positions: [Range<Int>]

    /// True when all are written.
    mutating func write(_ output: inout OutputBuffer) -> Bool {
        while let range = positions.popLast() {
            var position = range.upperBound
            while position > range.lowerBound {
                guard output.count < productionChunk else {
                    positions.append(range.lowerBound..<position)
                    return false
                }
                output.append("* ")
                output.append(decimal: position)
                output.append(" EXPUNGE\r\n")
                position -= 1
            }
        }
        return true
    }
}

/// `* n FETCH (FLAGS (…))` for some messages.
struct FlagsList: Sendable {
    var writer: FetchWriter
    /// Ascending.
    var positions: [Range<Int>]
    var next = 0

    init(writer: FetchWriter, positions: [Range<Int>]) {
        self.writer = writer
        self.positions = positions
    }

    mutating func write(_ output: inout OutputBuffer) -> Bool {
        if next < positions.count { output.reserveCapacity(productionChunk * 3 / 2) }
        while next < positions.count {
            guard output.count < productionChunk else { return false }
            let range = positions[next]
            let piece = range.prefix(writer.rowsPerPiece)
            writer.write(range.lowerBound..<range.lowerBound + piece.count, &output)
            positions[next] = range.dropFirst(piece.count)
            if positions[next].isEmpty { next += 1 }
        }
        return true
    }
}
