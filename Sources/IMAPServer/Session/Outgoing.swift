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
    case vanished(VanishedList)
    case flags(FlagsList)
    case numbers(NumberListWriter)
    case fetch(FetchStream)
    /// Goes on with a search, when all before is written.
    case search(SearchInProgress)
    case multiSearch(MultiSearchInProgress)
    /// Tells what has changed in searches that are kept up to date.
    case contexts
    case urls(URLStream)
    case notices(NoticeList)
    /// Tells what has happened in other mailboxes.
    case notifications
    /// Tells what changed in the selected mailbox.
    case updates(UpdateRules)
    case tagged(TaggedReply)
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

/// `* VANISHED …` for UIDs, in lines that nobody finds too long.
struct VanishedList: Sendable {
    /// At most some six thousand octets.
    private static let rangesPerLine = 256

    private let ranges: [ClosedRange<UInt32>]
    private let isEarlier: Bool
    private var next = 0

    /// - Parameter isEarlier: whether these were gone before the client could know of them (RFC 7162 §3.2.10.1).
    init(_ uids: NumberSet, isEarlier: Bool) {
        ranges = uids.ranges
        self.isEarlier = isEarlier
    }

    mutating func write(_ output: inout OutputBuffer) -> Bool {
        while next < ranges.count {
            guard output.count < productionChunk else { return false }
            let end = min(next + Self.rangesPerLine, ranges.count)
            output.append(vanished: NumberSet(ranges[next..<end]), earlier: isEarlier)
            next = end
        }
        return true
    }
}

/// What ends a command. It waits until all else is written: what was told decides whether HIGHESTMODSEQ goes with it.
struct TaggedReply: Sendable {
    var tag: String
    var status: StatusKind
    var code: ResponseCode?
    var text: String
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
