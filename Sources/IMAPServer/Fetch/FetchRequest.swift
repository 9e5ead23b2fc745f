import MailVocabulary

/// A part of a FETCH that needs more than the index: from `cursor` on, as much as one piece holds.
package struct FetchRequest: Sendable {
    var writer: FetchWriter
    /// Of the view; ascending.
    var positions: [Range<Int>]
    var cursor: FetchCursor
    /// Whether messages that are gone are left out of the answer (UID FETCH; RFC 3501 §6.4.8), or told with NIL.
    var passesOverGone = false
}

/// Where a FETCH stands.
package struct FetchCursor: Sendable, Equatable {
    /// Index into the positions' ranges, and the next message in that range.
    var range = 0
    var offset = 0
    /// Within a message that is too large for one piece: the item being written, and how many octets of its value
    /// are.
    var item = 0
    var written = 0
    /// Of a value that is decoded as it is written.
    var decoding: DecodingProgress?
}

/// A run of the response.
package struct FetchPiece: Sendable {
    package var octets: [ArraySlice<UInt8>]
    /// Nil at the end.
    package var next: FetchCursor?
    package var problem: FetchProblem?
}

/// What went wrong with some messages; the worst counts.
package enum FetchProblem: Int, Error, Comparable {
    /// A message that is gone: NIL stands for its octets.
    case gone
    /// A part in a transfer encoding that is not known: its message is left out (RFC 3516 §4.3).
    case unknownEncoding
    /// A message that is there and cannot be read: it is left out.
    case unreadable
    /// A message that could not be read on when its answer had begun: the connection cannot go on.
    case brokenOff

    package static func < (a: FetchProblem, b: FetchProblem) -> Bool { a.rawValue < b.rawValue }
}

/// A FETCH under way in a session.
struct FetchStream: Sendable {
    /// Nil for what is told unasked.
    let tag: String?
    let updates: UpdateRules
    var request: FetchRequest
    /// A piece that is not all written.
    var octets: ArraySlice<ArraySlice<UInt8>> = []
    var isComplete = false
    /// The lowest UID, when a limit leaves lower ones out (RFC 9738).
    var lowest: UInt32?
    var problem: FetchProblem?
}
