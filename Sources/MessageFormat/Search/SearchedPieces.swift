/// A range of a message that is searched.
package struct SearchedPiece: Sendable {
    package enum Kind: Sendable {
        case header
        case text(TransferEncoding, Charset?)
    }

    package var range: Range<Int>
    package var kind: Kind
}

/// How much of a message is searched, by a scan or through an index.
package enum SearchLimits {
    /// Octets of one message's text that are searched; what is beyond is not.
    package static let textOctets = 32 << 20
    /// A body up to this size is read whole, of a larger one only its header and text: attachments are not searched.
    package static let wholeBody = 128 * 1024
}

extension BodyPart {
    /// The message's header and text, and those of its parts. What is no text, a picture, an archive, is left out.
    /// Together not more than `SearchLimits.textOctets`.
    package var searchedPieces: [SearchedPiece] {
        var octetsLeft = SearchLimits.textOctets
        return allPieces.compactMap { piece in
            let range = piece.range.prefix(octetsLeft)
            octetsLeft -= range.count
            return range.isEmpty ? nil : SearchedPiece(range: range, kind: piece.kind)
        }
    }

    private var allPieces: [SearchedPiece] {
        let header = headerRange.isEmpty ? [] : [SearchedPiece(range: headerRange, kind: .header)]
        switch kind {
        // A delivery report (RFC 3464) and its kin are to be read, whatever their type is called.
        case .single: return type == Array("MESSAGE".utf8) ? header + [text] : header
        case .text: return header + [text]
        case .message(_, let inner): return header + inner.allPieces
        case .multipart(let children): return header + children.flatMap(\.allPieces)
        }
    }

    private var text: SearchedPiece {
        let charset = parameters.first { $0.name == Array("CHARSET".utf8) }.flatMap { Charset($0.value) }
        return SearchedPiece(range: bodyRange, kind: .text(TransferEncoding(encoding) ?? .identity, charset))
    }
}
