/// What a filter is told of, by its command code. Each may be answered; what is behind `connect` comes in this order,
/// `recipient`, `header` and `body` any number of times.
package enum MilterStep: UInt8, Sendable, CaseIterable {
    /// `C`: a client has connected.
    case connect = 0x43
    /// `H`: its HELO or EHLO.
    case hello = 0x48
    /// `M`: MAIL.
    case sender = 0x4D
    /// `R`: RCPT.
    case recipient = 0x52
    /// `T`: DATA.
    case data = 0x54
    /// `L`: a field of the header.
    case header = 0x4C
    /// `N`: the header's end.
    case endOfHeader = 0x4E
    /// `B`: a piece of the body.
    case body = 0x42
    /// `E`: the message's end; only now may a filter ask for changes.
    case endOfMessage = 0x45

    /// Set by a filter that does not want to be told.
    var unwanted: MilterProtocolOptions {
        switch self {
        case .connect: .noConnect
        case .hello: .noHello
        case .sender: .noSender
        case .recipient: .noRecipient
        case .data: .noData
        case .header: .noHeader
        case .endOfHeader: .noEndOfHeader
        case .body: .noBody
        case .endOfMessage: []
        }
    }

    /// Set by a filter that will not answer.
    var unanswered: MilterProtocolOptions {
        switch self {
        case .connect: .noReplyToConnect
        case .hello: .noReplyToHello
        case .sender: .noReplyToSender
        case .recipient: .noReplyToRecipient
        case .data: .noReplyToData
        case .header: .noReplyToHeader
        case .endOfHeader: .noReplyToEndOfHeader
        case .body: .noReplyToBody
        case .endOfMessage: []
        }
    }

    /// Whether a filter may say that it has seen enough of these.
    var mayBeSkipped: Bool {
        switch self {
        case .recipient, .header, .body: true
        case .connect, .hello, .sender, .data, .endOfHeader, .endOfMessage: false
        }
    }

    /// Whether it is about the connection, not about one message.
    var isOfConnection: Bool { self == .connect || self == .hello }
}

/// A step with what is told.
package enum MilterEvent: Sendable, Hashable {
    /// - `peer`: an address in text, empty for none.
    case connect(hostname: String, peer: String, port: Int)
    case hello(String)
    /// The path with brackets, then ESMTP parameters.
    case sender([String])
    case recipient([String])
    case data
    /// The value as it stands behind the colon, folded with CRLF.
    case header(name: [UInt8], value: [UInt8])
    case endOfHeader
    case body([UInt8])
    case endOfMessage

    package var step: MilterStep {
        switch self {
        case .connect: .connect
        case .hello: .hello
        case .sender: .sender
        case .recipient: .recipient
        case .data: .data
        case .header: .header
        case .endOfHeader: .endOfHeader
        case .body: .body
        case .endOfMessage: .endOfMessage
        }
    }

    /// - Parameter keepsLeadingSpace: whether the filter wants header values with the space behind the colon; else
    ///   one is taken off.
    func payload(keepsLeadingSpace: Bool) -> [UInt8] {
        var payload: [UInt8] = []
        switch self {
        case .connect(let hostname, let peer, let port):
            appendClient(hostname, peer, port, to: &payload)
        case .hello(let name):
            payload.append(string: name)
        case .sender(let words), .recipient(let words):
            for word in words { payload.append(string: word) }
        case .header(let name, let value):
            payload.append(string: name)
            let start = !keepsLeadingSpace && value.first == 0x20 ? 1 : 0
            // As the sendmail program gives it: lines of a folded field end with LF.
            payload.append(string: value[start...].filter { $0 != 0x0D })
        case .body(let piece):
            payload = piece
        case .data, .endOfHeader, .endOfMessage:
            break
        }
        return payload
    }

    // char hostname[]; char family; uint16 port; char address[]: the last two not for family U
    private func appendClient(_ hostname: String, _ peer: String, _ port: Int, to payload: inout [UInt8]) {
        payload.append(string: hostname)
        guard !peer.isEmpty else { return payload.append(UInt8(ascii: "U")) }
        payload.append(peer.utf8.contains(UInt8(ascii: ":")) ? UInt8(ascii: "6") : UInt8(ascii: "4"))
        let number = UInt16(exactly: port) ?? 0
        payload += [UInt8(number >> 8), UInt8(number & 0xFF)]
        payload.append(string: peer)
    }
}
