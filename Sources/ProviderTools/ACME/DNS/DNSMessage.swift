/// DNS messages (RFC 1035 §4) as far as a server needs them that changes records of its zone's primary server: questions,
/// updates (RFC 2136), and the answers to both. MailDNS resolves; this asks one server.
struct DNSMessage: Sendable {
    static let headerLength = 12
    static let maximumLength = 65_535

    enum RecordClass {
        static let internet: UInt16 = 1
        /// RFC 2136 §2.4: in an update, a record that is to go.
        static let none: UInt16 = 254
        static let any: UInt16 = 255
    }

    enum RecordType {
        static let soa: UInt16 = 6
        static let txt: UInt16 = 16
        static let tsig: UInt16 = 250
    }

    enum Change: Sendable {
        /// - Parameter timeToLive: seconds.
        case add(timeToLive: UInt32)
        case remove
    }

    private(set) var octets: [UInt8]

    /// A question for one server: no recursion is asked for.
    init(question name: String, type: UInt16, identifier: UInt16) {
        octets = []
        octets.append(number: identifier)
        octets += [0, 0, 0, 1, 0, 0, 0, 0, 0, 0]
        octets += Self.name(name)
        octets.append(number: type)
        octets.append(number: RecordClass.internet)
    }

    /// An update that adds or removes one TXT record (RFC 2136 §2.5.1, §2.5.4). The text has at most 255 octets.
    init(_ change: Change, text: String, at name: String, zone: String, identifier: UInt16) {
        octets = []
        octets.append(number: identifier)
        // Opcode UPDATE; one zone, no prerequisites, one update.
        octets += [5 << 3, 0, 0, 1, 0, 0, 0, 1, 0, 0]
        octets += Self.name(zone)
        octets.append(number: RecordType.soa)
        octets.append(number: RecordClass.internet)
        octets += Self.name(name)
        octets.append(number: RecordType.txt)
        switch change {
        case .add(let timeToLive):
            octets.append(number: RecordClass.internet)
            octets.append(number: timeToLive)
        case .remove:
            octets.append(number: RecordClass.none)
            octets.append(number: UInt32(0))
        }
        let data = Array(text.utf8.prefix(255))
        octets.append(number: UInt16(data.count + 1))
        octets.append(UInt8(data.count))
        octets += data
    }

    /// Uncompressed and lower case, as signatures want it too (RFC 8945 §4.3.3). Of names that can be asked for.
    static func name(_ text: String) -> [UInt8] {
        var octets: [UInt8] = []
        for label in text.lowercased().utf8.split(separator: UInt8(ascii: ".")) {
            octets.append(UInt8(truncatingIfNeeded: min(label.count, 63)))
            octets += label.prefix(63)
        }
        return octets + [0]
    }
}

extension [UInt8] {
    /// Network order.
    mutating func append(number: some FixedWidthInteger & UnsignedInteger) {
        for shift in stride(from: number.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}

/// What a server answered.
struct DNSReply: Sendable {
    struct Record: Sendable, Equatable {
        /// Lower case.
        var name: String
        var type: UInt16
        var recordClass: UInt16
        var timeToLive: UInt32
        var data: [UInt8]
        /// Where it begins in the message.
        var offset: Int
    }

    /// Of one message; an answer has a handful.
    private static let maximumRecords = 1000
    /// RFC 1035 §4.1.4: pointers lead back, so that they cannot lead round; this bounds the work.
    private static let maximumPointers = 32

    let octets: [UInt8]
    let identifier: UInt16
    /// RFC 6895 §2.3.
    let responseCode: UInt8
    private(set) var answers: [Record] = []
    /// The additional section's last record when it is a signature, which it must be (RFC 8945 §5.1).
    private(set) var signature: Record?

    /// Nil for what is no well-formed response.
    init?(_ octets: [UInt8]) {
        guard octets.count >= DNSMessage.headerLength, octets.count <= DNSMessage.maximumLength, octets[2] & 0x80 != 0
        else { return nil }
        self.octets = octets
        identifier = UInt16(octets[0]) << 8 | UInt16(octets[1])
        responseCode = octets[3] & 0x0F
        let counts = stride(from: 4, to: 12, by: 2).map { Int(octets[$0]) << 8 | Int(octets[$0 + 1]) }
        guard counts.reduce(0, +) <= Self.maximumRecords else { return nil }
        var place = DNSMessage.headerLength
        for _ in 0..<counts[0] {
            guard let (_, end) = Self.name(octets, place), end + 4 <= octets.count else { return nil }
            place = end + 4
        }
        for section in 1...3 {
            for _ in 0..<counts[section] {
                guard let record = Self.record(octets, &place), signature == nil else { return nil }
                if section == 1 { answers.append(record) }
                if section == 3, record.type == DNSMessage.RecordType.tsig { signature = record }
            }
        }
        guard place == octets.count else { return nil }
    }

    /// The texts of TXT records, each with its character-strings joined.
    func texts(of name: String) -> [[UInt8]] {
        answers.filter { $0.type == DNSMessage.RecordType.txt && $0.name == name.lowercased() }.compactMap { record in
            var text: [UInt8] = []
            var place = 0
            while place < record.data.count {
                let length = Int(record.data[place])
                guard place + 1 + length <= record.data.count else { return nil }
                text += record.data[(place + 1)..<(place + 1 + length)]
                place += 1 + length
            }
            return text
        }
    }

    private static func record(_ octets: [UInt8], _ place: inout Int) -> Record? {
        let offset = place
        guard let (name, end) = name(octets, place), end + 10 <= octets.count else { return nil }
        func number(_ at: Int) -> UInt16 { UInt16(octets[end + at]) << 8 | UInt16(octets[end + at + 1]) }
        let length = Int(number(8))
        guard end + 10 + length <= octets.count else { return nil }
        place = end + 10 + length
        return Record(
            name: name, type: number(0), recordClass: number(2),
            timeToLive: UInt32(number(4)) << 16 | UInt32(number(6)), data: Array(octets[(end + 10)..<place]),
            offset: offset)
    }

    /// A name, and where it ends; nil when it is cut short, too long, or its pointers lead nowhere.
    static func name(_ octets: [UInt8], _ start: Int) -> (name: String, end: Int)? {
        var labels: [String] = []
        var place = start, end: Int?, pointers = 0, length = 0
        while place < octets.count {
            let first = octets[place]
            switch first {
            case 0: return (labels.joined(separator: "."), end ?? place + 1)
            case 1...63:
                let next = place + 1 + Int(first)
                length += Int(first) + 1
                guard next <= octets.count, length < 255 else { return nil }
                labels.append(label(octets[(place + 1)..<next]))
                place = next
            case 0xC0...0xFF:
                guard place + 1 < octets.count, pointers < maximumPointers else { return nil }
                let target = Int(first & 0x3F) << 8 | Int(octets[place + 1])
                guard target < place else { return nil }
                end = end ?? place + 2
                (place, pointers) = (target, pointers + 1)
            case _: return nil
            }
        }
        return nil
    }

    /// Lower case; what is no plain character is written `\DDD` (RFC 1035 §5.1).
    private static func label(_ octets: ArraySlice<UInt8>) -> String {
        var text = ""
        for octet in octets {
            switch octet {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): text.unicodeScalars.append(Unicode.Scalar(octet + 0x20))
            case UInt8(ascii: "."), UInt8(ascii: "\\"), 0...0x20, 0x7F...0xFF:
                let digits = String(octet)
                text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
            case _: text.unicodeScalars.append(Unicode.Scalar(octet))
            }
        }
        return text
    }
}
