package import SMTPSyntax

/// What a filter decides.
package enum MilterAnswer: Sendable, Hashable {
    /// Go on.
    case proceed
    /// It has seen enough, and has nothing against the message (or against anything from this client).
    case accept
    /// Take it and drop it.
    case discard
    /// Enough of this kind of step; the next kind is wanted.
    case skip
    case refuse(SMTPReply)
}

/// What a filter asks for at a message's end.
package enum MilterModification: Sendable, Hashable {
    /// At the header's end. Values are as they came: lines may end in any way.
    case addField(name: [UInt8], value: [UInt8])
    /// At a place among all fields, counted from 0.
    case insertField(index: UInt32, name: [UInt8], value: [UInt8])
    /// The field of this name with this number, counted from 1; an empty value removes it.
    case changeField(index: UInt32, name: [UInt8], value: [UInt8])
    /// With the parameters that the filter gave, as in MAIL.
    case changeSender(MailCommand)
    case addRecipient(SMTPRecipient)
    case removeRecipient(SMTPMailbox)
    /// The body's next piece.
    case body(ArraySlice<UInt8>)
    case quarantine(reason: String)
}

/// What a packet from a filter says.
package enum MilterNews: Sendable, Hashable {
    case negotiated
    /// Still at it: the time starts anew.
    case progress
    case modification(MilterModification)
    case answer(MilterAnswer)
}

extension MilterAnswer {
    static let rejected = MilterAnswer.refuse(SMTPReply(550, EnhancedStatus(7, 1), "Refused by a content filter"))
    static let deferred = MilterAnswer.refuse(
        SMTPReply(451, EnhancedStatus(7, 1), "Service unavailable, try again later"))

    /// Nil when the packet is no answer.
    init?(_ packet: MilterPacket) throws(MilterError) {
        switch packet.code {
        case UInt8(ascii: "c"): self = .proceed
        case UInt8(ascii: "a"): self = .accept
        case UInt8(ascii: "d"): self = .discard
        case UInt8(ascii: "s"): self = .skip
        case UInt8(ascii: "r"): self = .rejected
        // Also the two by which a filter asks for the end of the client's connection.
        case UInt8(ascii: "t"), UInt8(ascii: "4"), UInt8(ascii: "f"): self = .deferred
        case UInt8(ascii: "y"):
            self = .refuse(try SMTPReply(filterText: packet.data))
            return
        case _: return nil
        }
        guard packet.data.isEmpty else { throw .violation("data behind an answer that has none") }
    }
}

extension MilterModification {
    /// Nil when the packet is none.
    /// - Parameter allowed: what the filter said it would do.
    init?(_ packet: MilterPacket, allowed: MilterActions) throws(MilterError) {
        guard let action = Self.action(packet.code) else { return nil }
        guard !allowed.isDisjoint(with: action) else { throw .violation("a change that it had not announced") }
        var reader = MilterDataReader(packet.data)
        switch packet.code {
        case UInt8(ascii: "h"):
            self = .addField(name: try reader.fieldName(), value: try reader.string())
        case UInt8(ascii: "i"):
            self = .insertField(
                index: try reader.number(), name: try reader.fieldName(), value: try reader.string())
        case UInt8(ascii: "m"):
            self = .changeField(
                index: try reader.number(), name: try reader.fieldName(), value: try reader.string())
        case UInt8(ascii: "e"): self = .changeSender(try reader.sender())
        case UInt8(ascii: "+"): self = .addRecipient(try reader.recipient(hasParameters: false))
        case UInt8(ascii: "2"): self = .addRecipient(try reader.recipient(hasParameters: true))
        case UInt8(ascii: "-"): self = .removeRecipient(try reader.recipient(hasParameters: false).mailbox)
        case UInt8(ascii: "q"):
            self = .quarantine(reason: printable(try reader.string(), limit: 500))
        case _:
            self = .body(packet.data)
            return
        }
        try reader.finish()
    }

    private static func action(_ code: UInt8) -> MilterActions? {
        switch code {
        case UInt8(ascii: "h"): .addFields
        // Sendmail lets a filter that may do either insert.
        case UInt8(ascii: "i"): [.addFields, .changeFields]
        case UInt8(ascii: "m"): .changeFields
        case UInt8(ascii: "e"): .changeSender
        case UInt8(ascii: "+"): .addRecipients
        case UInt8(ascii: "2"): .addRecipientsWithParameters
        case UInt8(ascii: "-"): .removeRecipients
        case UInt8(ascii: "b"): .replaceBody
        case UInt8(ascii: "q"): .quarantine
        case _: nil
        }
    }
}
