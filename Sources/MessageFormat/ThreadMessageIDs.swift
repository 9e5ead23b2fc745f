/// What a message is called and what it answers, for finding its thread: its Message-ID, then those of References, the
/// last (its parent) first; without References, the first of In-Reply-To (RFC 5256 §3). Without angle brackets.
///
/// Of many References, the nearest and the one that began it.
package func threadMessageIDs(of message: Span<UInt8>) -> [[UInt8]] {
    var fields = HeaderFields(message)
    var (own, references, inReplyTo): (Range<Int>?, Range<Int>?, Range<Int>?)
    while let field = fields.next() {
        switch field.nameRange.count {
        case 10:
            if own == nil, message.isWord("MESSAGE-ID", in: field.nameRange) { own = field.valueRange }
            if references == nil, message.isWord("REFERENCES", in: field.nameRange) { references = field.valueRange }
        case 11:
            if inReplyTo == nil, message.isWord("IN-REPLY-TO", in: field.nameRange) { inReplyTo = field.valueRange }
        case _: continue
        }
    }
    var found = own.flatMap { messageIDs(message, $0).first.map { [$0] } } ?? []
    let ancestors = references.map { messageIDs(message, $0) } ?? []
    if ancestors.isEmpty {
        found += inReplyTo.map { messageIDs(message, $0) }?.prefix(1) ?? []
    } else {
        found += ancestors.suffix(nearestReferences).reversed()
        if ancestors.count > nearestReferences { found.append(ancestors[0]) }
    }
    return found
}

/// A thread's branches rarely lose more of their messages in a row.
private let nearestReferences = 8
/// Octets between the brackets: what a line can hold (RFC 5322 §2.1.1).
private let longestMessageID = 998
/// A References field has some dozens; what is beyond is made to cost time.
private let mostMessageIDs = 1000

// msg-id = [CFWS] "<" id-left "@" id-right ">" [CFWS]          RFC 5322 §3.6.4
/// Whatever stands between angle brackets; blanks in it, which folding may leave, do not count.
private func messageIDs(_ bytes: Span<UInt8>, _ value: Range<Int>) -> [[UInt8]] {
    var found: [[UInt8]] = []
    var id: [UInt8]?
    for index in value.prefix(MessageLimits.fieldOctets) {
        let byte = bytes[index]
        switch byte {
        case UInt8(ascii: "<"): id = []
        case UInt8(ascii: ">"):
            if let id, !id.isEmpty, id.count <= longestMessageID { found.append(id) }
            id = nil
            guard found.count < mostMessageIDs else { return found }
        case _: if !isFoldingSpace(byte) { id?.append(byte) }
        }
    }
    return found
}
