import MailVocabulary
import WireFraming

/// How a search's results changed (RFC 5267 §4.3): pairs of a context position, from 1, and what is taken out or put in
/// there, one after the other. Position 0 stands for wherever mailbox order has them.
package struct ContextUpdate: Sendable, Hashable {
    package var removed: [(position: Int, numbers: ResultList)] = []
    package var added: [(position: Int, numbers: ResultList)] = []

    package init() {}

    package var isEmpty: Bool { removed.isEmpty && added.isEmpty }

    package static func == (a: ContextUpdate, b: ContextUpdate) -> Bool {
        a.removed.elementsEqual(b.removed, by: ==) && a.added.elementsEqual(b.added, by: ==)
    }

    package func hash(into hasher: inout Hasher) {
        for (position, numbers) in removed + added {
            hasher.combine(position)
            hasher.combine(numbers)
        }
    }
}

extension ResponsePieces {
    // ret-data-removefrom = "REMOVEFROM" SP "(" context-position SP sequence-set
    //                       *(SP context-position SP sequence-set) ")"
    // ret-data-addto      = "ADDTO" SP "(" … ")"          RFC 5267 §5
    package static func update(_ update: ContextUpdate, tag: String, uid: Bool) -> [ResponsePiece] {
        var response = ResponsePieces()
        response.begin(tag: tag, uid: uid)
        if !update.removed.isEmpty { response.append(" REMOVEFROM (", pairs: update.removed) }
        if !update.added.isEmpty { response.append(" ADDTO (", pairs: update.added) }
        response.end()
        return response.pieces
    }

    private mutating func append(_ opening: StaticString, pairs: [(position: Int, numbers: ResultList)]) {
        append(opening)
        for (index, pair) in pairs.enumerated() {
            append(index > 0 ? " " : "", UInt64(pair.position))
            append(" " as StaticString)
            append(NumberListWriter(pair.numbers, .set))
        }
        append(")" as StaticString)
    }
}
