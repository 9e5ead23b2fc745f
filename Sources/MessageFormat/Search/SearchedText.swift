/// The parts of a message that have text, as they were read.
package struct SearchedText: Sendable {
    /// The message's header, then those of parts and of messages inside.
    package private(set) var headers: [ArraySlice<UInt8>] = []
    package private(set) var parts: [Part] = []

    package struct Part: Sendable {
        /// With their transfer encoding.
        package var octets: ArraySlice<UInt8>
        package var encoding: TransferEncoding
        /// Nil when it is none that is known.
        package var charset: Charset?

        /// What a reader sees.
        package var decoded: String { (charset ?? .utf8).decode(encoding.decode(octets.span).span) }
    }

    package init() {}

    /// Takes in what was read of a piece.
    package mutating func append(_ octets: ArraySlice<UInt8>, _ kind: SearchedPiece.Kind) {
        switch kind {
        case .header: headers.append(octets)
        case .text(let encoding, let charset):
            parts.append(Part(octets: octets, encoding: encoding, charset: charset))
        }
    }

    /// All of a message that is at hand whole.
    package init(of root: BodyPart, in message: [UInt8]) {
        for piece in root.searchedPieces { append(message[piece.range.clamped(to: 0..<message.count)], piece.kind) }
    }
}

extension EncodedEnvelope {
    /// A list as it is searched: `Name <local@domain>`, encoded-words not decoded. A NUL, which is in no search, stands
    /// between two, so that what is found is within one address.
    package func searchedText(of list: EncodedAddressList) -> [UInt8] {
        var text: [UInt8] = []
        var members = members(list)
        while let address = members.next() {
            if let name = address.name { text.append(bytes, name) }
            guard let mailbox = address.mailbox else { continue }
            text += " <".utf8
            text.append(bytes, mailbox)
            if let host = address.host {
                text.append(UInt8(ascii: "@"))
                text.append(bytes, host)
            }
            text += [UInt8(ascii: ">"), 0]
        }
        return text
    }
}
