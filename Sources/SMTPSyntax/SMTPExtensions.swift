/// Extensions that bring parameters or commands, for a server to say which of them it offers.
package struct SMTPExtensions: OptionSet, Sendable, Hashable {
    package let rawValue: UInt16
    package init(rawValue: UInt16) { self.rawValue = rawValue }

    /// AUTH (RFC 4954).
    package static let authentication = SMTPExtensions(rawValue: 1 << 0)
    /// CHUNKING (RFC 3030 §2).
    package static let chunking = SMTPExtensions(rawValue: 1 << 1)
    /// BINARYMIME (RFC 3030 §3).
    package static let binaryMIME = SMTPExtensions(rawValue: 1 << 2)
    /// DSN (RFC 3461).
    package static let notifications = SMTPExtensions(rawValue: 1 << 3)
    /// REQUIRETLS (RFC 8689).
    package static let requireTLS = SMTPExtensions(rawValue: 1 << 4)
    /// FUTURERELEASE (RFC 4865).
    package static let futureRelease = SMTPExtensions(rawValue: 1 << 5)
    /// DELIVERBY (RFC 2852).
    package static let deliverBy = SMTPExtensions(rawValue: 1 << 6)
    /// MT-PRIORITY (RFC 6710).
    package static let priority = SMTPExtensions(rawValue: 1 << 7)
    /// BURL (RFC 4468).
    package static let burl = SMTPExtensions(rawValue: 1 << 8)

    package static let all = SMTPExtensions(rawValue: 1 << 9 - 1)
}
