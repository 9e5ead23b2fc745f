/// What a client says of channel binding (RFC 5802 §7, `gs2-cbind-flag`).
package enum ChannelBindingFlag: Sendable, Hashable {
    /// `n`: the client has none.
    case unsupported
    /// `y`: the client has it, and was not offered it.
    case notOffered
    /// `p=`: the name of the binding that is used.
    case used(String)
}

/// The client's first message (RFC 5802 §7).
package struct SCRAMClientFirst: Sendable, Hashable {
    /// Octets of a nonce: clients send 18 to 48.
    package static let maximumNonce = 256

    package var flag: ChannelBindingFlag
    package var authorizationIdentity: String?
    package var user: String
    package var nonce: [UInt8]
    /// `gs2-header`, as sent.
    package var header: [UInt8]
    /// `client-first-message-bare`, as sent.
    package var bare: [UInt8]

    // client-first-message      = gs2-header client-first-message-bare
    // client-first-message-bare = [reserved-mext ","] username "," nonce ["," extensions]
    package init(parsing message: Span<UInt8>) throws(SCRAMError) {
        var reader = SCRAMReader(message)
        let header = try GS2Header(&reader)
        (flag, authorizationIdentity) = (header.flag, header.authorizationIdentity)
        self.header = reader.octets(0..<reader.position)
        bare = reader.octets(reader.position..<message.count)
        try reader.refuseMandatoryExtension()
        user = try reader.name("n")
        try reader.comma()
        nonce = try reader.nonce()
        try reader.extensions()
    }
}

// gs2-header     = gs2-cbind-flag "," [ authzid ] ","
// gs2-cbind-flag = ("p=" cb-name) / "n" / "y"          RFC 5802 §7
/// How a message of the family of RFC 5801 begins.
package struct GS2Header: Sendable, Hashable {
    package var flag: ChannelBindingFlag
    package var authorizationIdentity: String?

    init(_ reader: inout SCRAMReader) throws(SCRAMError) {
        switch reader.next() {
        case UInt8(ascii: "n"): flag = .unsupported
        case UInt8(ascii: "y"): flag = .notOffered
        case UInt8(ascii: "p"): flag = .used(try reader.bindingName())
        case _: throw .invalidEncoding
        }
        try reader.comma()
        if reader.peek != UInt8(ascii: ",") { authorizationIdentity = try reader.name("a") }
        try reader.comma()
    }
}

/// The client's final message (RFC 5802 §7).
package struct SCRAMClientFinal: Sendable, Hashable {
    /// `cbind-input`: the first message's header and the binding's octets.
    package var channelBinding: [UInt8]
    /// Both sides' together.
    package var nonce: [UInt8]
    package var proof: [UInt8]
    /// `client-final-message-without-proof`, as sent.
    package var withoutProof: [UInt8]

    // client-final-message = channel-binding "," nonce ["," extensions] "," proof
    package init(parsing message: Span<UInt8>) throws(SCRAMError) {
        var reader = SCRAMReader(message)
        try reader.refuseMandatoryExtension()
        channelBinding = try reader.base64("c", isLast: false)
        try reader.comma()
        nonce = try reader.nonce()
        while reader.hasExtension(before: "p") { try reader.skipExtension() }
        withoutProof = reader.octets(0..<reader.position)
        try reader.comma()
        proof = try reader.base64("p", isLast: true)
    }
}

/// What the server says (RFC 5802 §7).
package enum SCRAMServerMessage {
    // server-first-message = nonce "," salt "," iteration-count
    package static func first(nonce: [UInt8], salt: [UInt8], iterations: Int) -> [UInt8] {
        Array("r=".utf8) + nonce + Array(",s=".utf8) + Base64.encode(salt) + Array(",i=\(iterations)".utf8)
    }

    // verifier = "v=" base64
    package static func final(signature: [UInt8]) -> [UInt8] { Array("v=".utf8) + Base64.encode(signature) }
}
