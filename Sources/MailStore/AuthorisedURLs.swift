/// What a URL names.
package enum URLOctets: Sendable {
    case stored(BodyID, Range<Int>)
    case held([UInt8])

    package var count: Int {
        switch self {
        case .stored(_, let range): range.count
        case .held(let octets): octets.count
        }
    }
}

/// URLs of messages on this server that their owners have authorised for submission (RFC 4467, RFC 4468). The server
/// that authorises them, IMAP, stands beside the one that uses them: this is what they share.
package protocol AuthorisedURLs: Sendable {
    /// Nil when the URL names nothing, or is not authorised for submission on behalf of the account.
    /// - Parameter host: this server's name.
    func content(of url: String, for account: Account, at host: String) async throws -> URLOctets?
}
