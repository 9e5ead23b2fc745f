import Crypto
import Foundation

/// A key that a name server knows us by, as BIND's configuration and tsig-keygen write it.
struct TransactionKey: Sendable {
    /// Lower case, without the root's dot.
    let name: String
    private let secret: SymmetricKey

    init(name: String, secret: [UInt8]) {
        self.name = name.lowercased().trimmingCharacters(in: ["."])
        self.secret = SymmetricKey(data: secret)
    }

    /// Reads `key "name" { algorithm hmac-sha256; secret "…"; };`. Nil for anything else, or another algorithm.
    init?(configuration: String) {
        let words = Self.words(configuration)
        guard let start = words.firstIndex(of: "key"), words.count > start + 1,
            let algorithm = Self.value("algorithm", words), let secret = Self.value("secret", words),
            algorithm.lowercased() == "hmac-sha256", let octets = Data(base64Encoded: secret), !octets.isEmpty
        else { return nil }
        self.init(name: words[start + 1], secret: Array(octets))
        guard DNSMessage.name(name).count > 1, name.utf8.count < 254 else { return nil }
    }

    private static func value(_ key: String, _ words: [String]) -> String? {
        guard let place = words.firstIndex(of: key), place + 1 < words.count else { return nil }
        return words[place + 1]
    }

    private static func words(_ text: String) -> [String] {
        text.split(separator: "\n").flatMap { line in
            line.prefix { $0 != "#" }.split { " \t\r;{}\"".contains($0) }.map(String.init)
        }
    }

    func code(_ octets: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: octets, using: secret))
    }

    /// In constant time.
    func isCode(_ code: [UInt8], of octets: [UInt8]) -> Bool {
        HMAC<SHA256>.isValidAuthenticationCode(code, authenticating: octets, using: secret)
    }
}

/// TSIG with HMAC-SHA256 (RFC 8945) for one request and its answer.
struct TransactionSignature: Sendable {
    static let algorithm = "hmac-sha256"
    /// Seconds by which clocks may differ (RFC 8945 §10).
    static let fudge: UInt16 = 300

    enum Failure: Error, Equatable, CustomStringConvertible {
        case missing
        case malformed
        case wrong
        case time
        /// What the server says of our signature.
        case refused(UInt16)

        var description: String {
            switch self {
            case .missing: "its answer is not signed"
            case .malformed: "its answer's signature is malformed"
            case .wrong: "its answer's signature does not hold"
            case .time: "the clocks differ by more than \(TransactionSignature.fudge) s"
            case .refused(16): "it says that the signature does not hold (BADSIG): the secret differs"
            case .refused(17): "it does not know the key's name (BADKEY)"
            case .refused(18): "it says that the clocks differ (BADTIME)"
            case .refused(let code): "it refuses the signature, error \(code)"
            }
        }
    }

    let key: TransactionKey
    /// The request, signed.
    let message: [UInt8]
    private let requestCode: [UInt8]

    /// - Parameter time: seconds since 1970.
    init(_ unsigned: DNSMessage, key: TransactionKey, time: UInt64) {
        self.key = key
        let octets = unsigned.octets
        requestCode = key.code(octets + Self.variables(key.name, time, Self.fudge, error: 0, other: []))
        var data = DNSMessage.name(Self.algorithm)
        data.append(time48: time)
        data.append(number: Self.fudge)
        data.append(number: UInt16(requestCode.count))
        data += requestCode
        // The original identifier; no error; nothing else.
        data += octets[0..<2] + [0, 0, 0, 0]
        var record = DNSMessage.name(key.name)
        record.append(number: DNSMessage.RecordType.tsig)
        record.append(number: DNSMessage.RecordClass.any)
        record.append(number: UInt32(0))
        record.append(number: UInt16(data.count))
        var signed = octets + record + data
        Self.setAdditionalCount(&signed, Self.additionalCount(signed) + 1)
        message = signed
    }

    /// Throws unless the answer is signed for this request (RFC 8945 §5.3).
    func verify(_ reply: DNSReply, time: UInt64) throws(Failure) {
        guard let record = reply.signature else { throw .missing }
        guard record.name == key.name, record.recordClass == DNSMessage.RecordClass.any,
            record.timeToLive == 0, let fields = Fields(record.data), fields.algorithm == Self.algorithm
        else { throw .malformed }
        // Such answers cannot be signed (RFC 8945 §5.3.2).
        if fields.code.isEmpty, fields.error != 0 { throw .refused(fields.error) }
        var bare = Array(reply.octets[..<record.offset])
        Self.setAdditionalCount(&bare, Self.additionalCount(bare) &- 1)
        bare.replaceSubrange(0..<2, with: fields.identifier)
        var covered: [UInt8] = []
        covered.append(number: UInt16(requestCode.count))
        covered += requestCode + bare
        covered += Self.variables(key.name, fields.time, fields.fudge, error: fields.error, other: fields.other)
        guard key.isCode(fields.code, of: covered) else { throw .wrong }
        guard fields.error == 0 else { throw .refused(fields.error) }
        let difference = fields.time > time ? fields.time - time : time - fields.time
        guard difference <= UInt64(fields.fudge) else { throw .time }
    }

    /// RFC 8945 §4.3.3.
    private static func variables(
        _ name: String, _ time: UInt64, _ fudge: UInt16, error: UInt16, other: [UInt8]
    ) -> [UInt8] {
        var octets = DNSMessage.name(name)
        octets.append(number: DNSMessage.RecordClass.any)
        octets.append(number: UInt32(0))
        octets += DNSMessage.name(algorithm)
        octets.append(time48: time)
        octets.append(number: fudge)
        octets.append(number: error)
        octets.append(number: UInt16(truncatingIfNeeded: other.count))
        return octets + other
    }

    private static func additionalCount(_ octets: [UInt8]) -> UInt16 { UInt16(octets[10]) << 8 | UInt16(octets[11]) }

    private static func setAdditionalCount(_ octets: inout [UInt8], _ count: UInt16) {
        octets[10] = UInt8(count >> 8)
        octets[11] = UInt8(truncatingIfNeeded: count)
    }

    /// RFC 8945 §4.2.
    private struct Fields {
        var algorithm: String
        var time: UInt64
        var fudge: UInt16
        var code: [UInt8]
        var identifier: [UInt8]
        var error: UInt16
        var other: [UInt8]

        init?(_ data: [UInt8]) {
            guard let (algorithm, start) = DNSReply.name(data, 0), start + 10 <= data.count else { return nil }
            func number(_ place: Int) -> UInt16 { UInt16(data[place]) << 8 | UInt16(data[place + 1]) }
            self.algorithm = algorithm
            time = data[start..<(start + 6)].reduce(0) { $0 << 8 | UInt64($1) }
            fudge = number(start + 6)
            let codeEnd = start + 10 + Int(number(start + 8))
            guard codeEnd + 6 <= data.count else { return nil }
            code = Array(data[(start + 10)..<codeEnd])
            identifier = Array(data[codeEnd..<(codeEnd + 2)])
            error = number(codeEnd + 2)
            guard codeEnd + 6 + Int(number(codeEnd + 4)) == data.count else { return nil }
            other = Array(data[(codeEnd + 6)...])
        }
    }
}

extension [UInt8] {
    fileprivate mutating func append(time48 time: UInt64) {
        append(number: UInt16(truncatingIfNeeded: time >> 32))
        append(number: UInt32(truncatingIfNeeded: time))
    }
}
