import CIDN
package import MailVocabulary

#if canImport(Glibc)
    import Glibc
#endif

/// SASLprep (RFC 4013): one password typed on two keyboards gives the same octets.
package enum PasswordPreparation {
    /// Octets; as long as SASL lets one be, and a bound on what is prepared and hashed.
    package static let maximumLength = 255

    package enum Purpose: Sendable {
        /// A stored string: unassigned code points are refused (RFC 3454 §7).
        case setting
        /// A query: unassigned code points are let through.
        case verifying
    }

    /// Nil for a password that cannot be one: empty, too long, not UTF-8, or with prohibited characters such as
    /// controls.
    package static func prepare(_ password: Secret, for purpose: Purpose) -> Secret? {
        guard password.count > 0, password.count <= maximumLength else { return nil }
        let isPlain = password.withBytes { bytes in bytes.indices.allSatisfy { bytes[$0] >= 0x20 && bytes[$0] < 0x7F } }
        return isPlain ? password : prepareUnicode(password, for: purpose)
    }

    private static func prepareUnicode(_ password: Secret, for purpose: Purpose) -> Secret? {
        var text = password.withBytes { bytes in bytes.indices.map { CChar(bitPattern: bytes[$0]) } }
        defer { wipe(&text) }
        guard !text.contains(0), isUTF8(text) else { return nil }
        text.append(0)
        var prepared: UnsafeMutablePointer<CChar>?
        let flags: Stringprep_profile_flags = purpose == .setting ? STRINGPREP_NO_UNASSIGNED : .init(0)
        guard stringprep_profile(text, &prepared, "SASLprep", flags) == STRINGPREP_OK.rawValue, let prepared
        else { return nil }
        let length = strlen(prepared)
        defer {
            explicit_bzero(prepared, length)
            free(prepared)
        }
        // A password of soft hyphens alone is mapped to nothing.
        guard length > 0 else { return nil }
        return prepared.withMemoryRebound(to: UInt8.self, capacity: length) {
            Secret(UnsafeBufferPointer(start: $0, count: length))
        }
    }

    private static func isUTF8(_ text: [CChar]) -> Bool {
        text.withUnsafeBytes { String(validating: $0, as: UTF8.self) != nil }
    }

    private static func wipe(_ text: inout [CChar]) {
        text.withUnsafeMutableBytes { if let start = $0.baseAddress { explicit_bzero(start, $0.count) } }
    }
}
