import CArgon2

/// The cost of one argon2id computation (RFC 9106 §3.1).
package struct Argon2Cost: Sendable, Hashable {
    package var memoryKiB: UInt32
    package var passes: UInt32
    package var lanes: UInt32

    package init(memoryKiB: UInt32, passes: UInt32, lanes: UInt32) {
        self.memoryKiB = memoryKiB
        self.passes = passes
        self.lanes = lanes
    }

    /// What new passwords get: OWASP's first recommendation, 19 MiB and two passes; some 25 ms of one core.
    package static let standard = Argon2Cost(memoryKiB: 19 * 1024, passes: 2, lanes: 1)

    // A verifier may be imported, so what it may cost is bounded: one login must not take the machine.

    /// 256 MiB: four times what other systems commonly choose.
    static let maximumMemoryKiB: UInt32 = 256 * 1024
    static let maximumPasses: UInt32 = 16
    /// Each lane is a thread.
    static let maximumLanes: UInt32 = 8
}

/// An argon2id verifier in PHC form, `$argon2id$v=19$m=19456,t=2,p=1$salt$hash`, whose fields are well-formed and whose
/// cost is acceptable.
package struct Argon2Verifier: Sendable, Hashable {
    static let saltLength = 16
    static let hashLength = 32
    /// Octets; what libargon2 accepts and nothing extravagant.
    private static let saltLengths = 8...64
    private static let hashLengths = 16...64
    /// Characters of a verifier with the longest fields above.
    package static let maximumLength = 300

    package let phc: String
    package let cost: Argon2Cost

    // "$argon2id$v=19$m=" NUMBER ",t=" NUMBER ",p=" NUMBER "$" B64SALT "$" B64HASH     PHC string format
    package init?(_ phc: some StringProtocol) {
        guard phc.utf8.count <= Self.maximumLength else { return nil }
        let fields = phc.split(separator: "$", omittingEmptySubsequences: false)
        guard fields.count == 6, fields[0].isEmpty, fields[1] == "argon2id", fields[2] == "v=19",
            let cost = Argon2Verifier.cost(String(fields[3])),
            let salt = unpaddedBase64Length(fields[4]), Self.saltLengths.contains(salt),
            let hash = unpaddedBase64Length(fields[5]), Self.hashLengths.contains(hash)
        else { return nil }
        self.phc = String(phc)
        self.cost = cost
    }

    private init(phc: String, cost: Argon2Cost) {
        self.phc = phc
        self.cost = cost
    }

    private static func cost(_ text: String) -> Argon2Cost? {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false)
        guard parts.count == 3,
            let memory = number(parts[0], after: "m="), let passes = number(parts[1], after: "t="),
            let lanes = number(parts[2], after: "p="),
            (1...Argon2Cost.maximumLanes).contains(lanes), (1...Argon2Cost.maximumPasses).contains(passes),
            // RFC 9106 §3.1: at least eight blocks of 1 KiB for each lane.
            (8 * lanes...Argon2Cost.maximumMemoryKiB).contains(memory)
        else { return nil }
        return Argon2Cost(memoryKiB: memory, passes: passes, lanes: lanes)
    }

    private static func number(_ text: Substring, after prefix: String) -> UInt32? {
        guard text.hasPrefix(prefix) else { return nil }
        let digits = text.dropFirst(prefix.count)
        guard digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return UInt32(digits)
    }

    /// Computes the verifier of a prepared password, with a fresh salt.
    ///
    /// Takes `cost` memory and time on the calling thread. Throws when memory is lacking.
    static func make(_ password: Span<UInt8>, cost: Argon2Cost = .standard) throws(Argon2Error) -> Argon2Verifier {
        let salt = randomBytes(saltLength)
        var encoded = [CChar](repeating: 0, count: maximumLength + 1)
        let status = password.withUnsafeBufferPointer { password in
            argon2id_hash_encoded(
                cost.passes, cost.memoryKiB, cost.lanes, password.baseAddress, password.count, salt, salt.count,
                hashLength, &encoded, encoded.count)
        }
        guard status == ARGON2_OK.rawValue else { throw Argon2Error(status: status) }
        let text = encoded.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        return Argon2Verifier(phc: String(decoding: text, as: UTF8.self), cost: cost)
    }

    /// Whether the prepared password is the right one. Takes the verifier's cost on the calling thread.
    ///
    /// Throws when that could not be found out.
    func verifies(_ password: Span<UInt8>) throws(Argon2Error) -> Bool {
        let status = password.withUnsafeBufferPointer { argon2id_verify(phc, $0.baseAddress, $0.count) }
        switch status {
        case ARGON2_OK.rawValue: return true
        case ARGON2_VERIFY_MISMATCH.rawValue: return false
        case _: throw Argon2Error(status: status)
        }
    }

    /// A verifier of which no password is known: what is compared with when there is no account, so that the answer
    /// takes as long.
    static func unmatchable(cost: Argon2Cost = .standard) -> Argon2Verifier {
        let salt = unpaddedBase64(randomBytes(saltLength))
        let hash = unpaddedBase64(randomBytes(hashLength))
        let parameters = "m=\(cost.memoryKiB),t=\(cost.passes),p=\(cost.lanes)"
        return Argon2Verifier(phc: "$argon2id$v=19$\(parameters)$\(salt)$\(hash)", cost: cost)
    }
}

/// libargon2 could not do its work: out of memory or threads.
package struct Argon2Error: Error, CustomStringConvertible {
    let status: Int32

    package var description: String { "argon2: " + String(cString: argon2_error_message(status)) }
}
