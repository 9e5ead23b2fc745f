// A packet: uint32 length of what follows; char code; char data[length - 1]. Numbers are in network order, strings end
// with NUL.

/// Why a filter could not be asked.
package enum MilterError: Error, Sendable, Hashable {
    case unreachable(String)
    /// It has ended the connection.
    case closed
    case timeout
    /// It breaks the protocol's rules.
    case violation(String)
    /// A field of the header is larger than it can be told.
    case fieldTooLarge
    /// The message, or what it is to become, cannot be read or kept.
    case storage(String)
}

package struct MilterPacket: Sendable, Hashable {
    package static let negotiation = UInt8(ascii: "O")
    static let macros = UInt8(ascii: "D")
    static let abort = UInt8(ascii: "A")
    static let quit = UInt8(ascii: "Q")
    /// The client has gone, another will come on the same connection.
    static let nextClient = UInt8(ascii: "K")

    package var code: UInt8
    package var data: ArraySlice<UInt8>

    package init(_ code: UInt8, _ data: ArraySlice<UInt8> = []) { (self.code, self.data) = (code, data) }

    package static func encode(_ code: UInt8, _ data: [UInt8] = []) -> [UInt8] {
        var packet: [UInt8] = []
        packet.reserveCapacity(data.count + 5)
        packet.append(number: UInt32(truncatingIfNeeded: data.count + 1))
        packet.append(code)
        packet += data
        return packet
    }
}

/// Gathers what comes until there is a whole packet. Holds one packet at most, and what was read with it.
struct MilterPacketBuffer: Sendable {
    private var bytes: [UInt8] = []

    var isEmpty: Bool { bytes.isEmpty }

    mutating func append(_ more: [UInt8]) { bytes += more }

    /// Nil while it is incomplete.
    /// - Parameter maximumData: octets; a longer packet is not waited for.
    mutating func next(maximumData: Int) throws(MilterError) -> MilterPacket? {
        guard bytes.count >= 4 else { return nil }
        let length = bytes[..<4].reduce(0) { $0 << 8 | Int($1) }
        guard length >= 1 else { throw .violation("an empty packet") }
        guard length <= maximumData + 1 else { throw .violation("a packet of \(length) octets") }
        guard bytes.count >= 4 + length else { return nil }
        defer { bytes.removeFirst(4 + length) }
        return MilterPacket(bytes[4], ArraySlice(Array(bytes[5..<4 + length])))
    }
}

/// Takes a packet's data apart.
struct MilterDataReader {
    private var rest: ArraySlice<UInt8>

    init(_ data: ArraySlice<UInt8>) { rest = data }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func number() throws(MilterError) -> UInt32 {
        guard rest.count >= 4 else { throw .violation("a packet that is too short") }
        defer { rest = rest.dropFirst(4) }
        return rest.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// Without its NUL.
    mutating func string() throws(MilterError) -> [UInt8] {
        guard let end = rest.firstIndex(of: 0) else { throw .violation("a string without end") }
        defer { rest = rest[(end + 1)...] }
        return Array(rest[..<end])
    }

    func finish() throws(MilterError) {
        guard isAtEnd else { throw .violation("octets behind a packet's data") }
    }
}

extension [UInt8] {
    mutating func append(number: UInt32) {
        self += [UInt8(number >> 24), UInt8(number >> 16 & 0xFF), UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)]
    }

    /// With its NUL; none inside, which would begin another string.
    mutating func append(string: some Sequence<UInt8>) {
        for byte in string where byte != 0 { append(byte) }
        append(0)
    }

    mutating func append(string: String) { append(string: string.utf8) }
}
