// What is negotiated when a filter is connected to: bit masks, as libmilter's mfdef.h numbers them.

/// What a filter may ask for at the end of a message.
package struct MilterActions: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let addFields = MilterActions(rawValue: 0x01)
    package static let replaceBody = MilterActions(rawValue: 0x02)
    package static let addRecipients = MilterActions(rawValue: 0x04)
    package static let removeRecipients = MilterActions(rawValue: 0x08)
    package static let changeFields = MilterActions(rawValue: 0x10)
    package static let quarantine = MilterActions(rawValue: 0x20)
    package static let changeSender = MilterActions(rawValue: 0x40)
    /// Recipients with ESMTP parameters.
    package static let addRecipientsWithParameters = MilterActions(rawValue: 0x80)
    /// It says which macros it wants, when options are negotiated.
    package static let chooseMacros = MilterActions(rawValue: 0x100)

    /// All of them.
    package static let offered = MilterActions(rawValue: 0x1FF)
}

/// How the dialogue goes: what the filter is not told, what it does not answer, and sizes.
package struct MilterProtocolOptions: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let noConnect = MilterProtocolOptions(rawValue: 0x01)
    package static let noHello = MilterProtocolOptions(rawValue: 0x02)
    package static let noSender = MilterProtocolOptions(rawValue: 0x04)
    package static let noRecipient = MilterProtocolOptions(rawValue: 0x08)
    package static let noBody = MilterProtocolOptions(rawValue: 0x10)
    package static let noHeader = MilterProtocolOptions(rawValue: 0x20)
    package static let noEndOfHeader = MilterProtocolOptions(rawValue: 0x40)
    package static let noReplyToHeader = MilterProtocolOptions(rawValue: 0x80)
    /// Unknown SMTP commands; this server tells nobody of them.
    package static let noUnknown = MilterProtocolOptions(rawValue: 0x100)
    package static let noData = MilterProtocolOptions(rawValue: 0x200)
    package static let skip = MilterProtocolOptions(rawValue: 0x400)
    package static let noReplyToConnect = MilterProtocolOptions(rawValue: 0x1000)
    package static let noReplyToHello = MilterProtocolOptions(rawValue: 0x2000)
    package static let noReplyToSender = MilterProtocolOptions(rawValue: 0x4000)
    package static let noReplyToRecipient = MilterProtocolOptions(rawValue: 0x8000)
    package static let noReplyToData = MilterProtocolOptions(rawValue: 0x1_0000)
    package static let noReplyToUnknown = MilterProtocolOptions(rawValue: 0x2_0000)
    package static let noReplyToEndOfHeader = MilterProtocolOptions(rawValue: 0x4_0000)
    package static let noReplyToBody = MilterProtocolOptions(rawValue: 0x8_0000)
    /// Header values with the space behind the colon, in both directions.
    package static let leadingSpace = MilterProtocolOptions(rawValue: 0x10_0000)
    /// Packets of up to 256 KiB, and 1 MiB, instead of 64 KiB.
    package static let packets256KiB = MilterProtocolOptions(rawValue: 0x1000_0000)
    package static let packets1MiB = MilterProtocolOptions(rawValue: 0x2000_0000)

    /// All but 0x800, to be told of refused recipients: their refusals are this server's own matter.
    package static let offered = MilterProtocolOptions(rawValue: 0x301F_F7FF)
}

/// When a macro's value is handed over, by the number that a filter asks with.
package enum MilterMacroStage: UInt32, Sendable, CaseIterable {
    case connect = 0
    case hello = 1
    case sender = 2
    case recipient = 3
    case data = 4
    case endOfMessage = 5
    case endOfHeader = 6

    /// Nil where macros are not handed over.
    init?(_ step: MilterStep) {
        switch step {
        case .connect: self = .connect
        case .hello: self = .hello
        case .sender: self = .sender
        case .recipient: self = .recipient
        case .data: self = .data
        case .endOfHeader: self = .endOfHeader
        case .endOfMessage: self = .endOfMessage
        case .header, .body: return nil
        }
    }
}

/// What was agreed with a filter.
package struct MilterAgreement: Sendable, Hashable {
    /// The version spoken by libmilter of Sendmail 8.14 and later.
    package static let version: UInt32 = 6
    /// Version 2 is the first with all the steps and actions that this client relies on.
    static let oldestVersion: UInt32 = 2

    package var version: UInt32
    package var actions: MilterActions
    package var options: MilterProtocolOptions
    /// The names of the macros that it wants, for the stages that it said something of.
    package var macros: [MilterMacroStage: [String]] = [:]

    /// Octets of a packet's data.
    var maximumData: Int {
        if options.contains(.packets1MiB) { return 1 << 20 - 1 }
        return options.contains(.packets256KiB) ? 1 << 18 - 1 : 1 << 16 - 1
    }

    /// Whether the filter can be told of another client on the same connection (`K`), and the first thing that it is
    /// told is answered: a connection that has died meanwhile is noticed before it matters.
    var allowsReuse: Bool {
        version >= 6 && options.isDisjoint(with: [.noConnect, .noReplyToConnect])
    }

    static func offer() -> [UInt8] {
        var payload: [UInt8] = []
        payload.append(number: version)
        payload.append(number: MilterActions.offered.rawValue)
        payload.append(number: MilterProtocolOptions.offered.rawValue)
        return MilterPacket.encode(MilterPacket.negotiation, payload)
    }

    // uint32 version; uint32 actions; uint32 protocol; then, any number of times: uint32 stage; char macros[]
    init(parsing data: ArraySlice<UInt8>) throws(MilterError) {
        var reader = MilterDataReader(data)
        version = try reader.number()
        let asked = MilterActions(rawValue: try reader.number())
        let wishes = MilterProtocolOptions(rawValue: try reader.number())
        guard (Self.oldestVersion...Self.version).contains(version) else {
            throw .violation("it speaks version \(version)")
        }
        guard asked.isSubset(of: .offered) else { throw .violation("it wants actions that were not offered") }
        // Bits that nobody defined mean nothing; filters have been seen to set them.
        (actions, options) = (asked, wishes.intersection(.offered))
        while !reader.isAtEnd {
            let stage = try reader.number()
            let names = String(decoding: try reader.string(), as: UTF8.self)
            guard let stage = MilterMacroStage(rawValue: stage) else { continue }
            macros[stage] = names.split { $0 == " " || $0 == "," }.map(String.init)
        }
    }
}
