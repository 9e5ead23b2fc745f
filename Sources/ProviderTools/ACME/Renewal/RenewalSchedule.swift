import Foundation

/// What was tried for a certificate, on the disk so that a restart does not begin anew. Times are seconds since 1970.
struct RenewalState: Codable, Sendable, Equatable {
    /// In a row.
    var failures = 0
    var lastAttempt: Int64?
    /// Nothing is tried before.
    var nextAttempt: Int64?
    /// Why the last attempt failed.
    var lastError: String?
    /// The order under way, at the authority.
    var order: String?
    /// The authority that it is at.
    var orderDirectory: String?
    /// When the authority would like it to be renewed (RFC 9773).
    var suggestedRenewal: Int64?
    /// When the authority was asked for that last, and for which certificate.
    var suggestionAsked: Int64?
    var suggestionFor: String?
    /// Since when TLSA records for the next key have been seen wherever there are any.
    var nextKeyPublished: Int64?
    /// Seconds for which others may still have the records from before.
    var recordLifetime: Int64?
    /// What is to do about TLSA records, for the operator.
    var recordAdvice: String?
    /// Revoked by the operator: it is replaced at once.
    var isRevoked: Bool?
}

/// When to renew, and when to try again.
enum RenewalSchedule {
    /// A third of its lifetime is left: then, at the latest, a certificate is renewed (for ninety days, a month before).
    private static let shareLeft = 3.0
    /// Certificates that were issued together are not renewed together: earlier by up to this share of the lifetime.
    private static let spread = 1.0 / 30
    /// Four times as long after each failure.
    private static let growth: Int64 = 4
    /// Seconds between attempts at most.
    private static let longestRetry: Int64 = 12 * 3600
    /// An authority that asks for more than a week is asked again after a week.
    private static let longestAsked: Int64 = 7 * 86_400

    /// Seconds since 1970.
    static func renewal(of chain: CertificateChain, _ state: RenewalState) -> Int64 {
        let own = renewal(notBefore: chain.notBefore, notAfter: chain.notAfter, fraction: chain.fraction)
        guard let suggested = state.suggestedRenewal, state.suggestionFor == chain.renewalIdentifier else { return own }
        // An authority may want it earlier, such as before it revokes; never later than is safe.
        return min(own, suggested)
    }

    /// - Parameter fraction: from 0 to 1, the certificate's own.
    static func renewal(notBefore: Int64, notAfter: Int64, fraction: Double) -> Int64 {
        let lifetime = Double(max(0, notAfter - notBefore))
        return notAfter - Int64(lifetime / shareLeft + lifetime * spread * fraction)
    }

    /// Seconds to wait after so many failures in a row.
    ///
    /// - Parameters:
    ///   - first: after the first.
    ///   - asked: by the authority.
    ///   - fraction: from 0 to 1, by chance: attempts of many servers are spread.
    static func retryDelay(failures: Int, first: Int64, asked: Int64?, fraction: Double) -> Int64 {
        var delay = max(1, first)
        for _ in 1..<max(1, min(failures, 20)) { delay = min(delay * growth, max(first, longestRetry)) }
        let spread = delay + Int64(Double(delay) / 10 * fraction)
        return max(spread, min(asked ?? 0, longestAsked))
    }

    /// RFC 3339; nil for what is none.
    static func time(_ text: String) -> Int64? {
        let plain = ISO8601DateFormatter(), fractional = ISO8601DateFormatter()
        fractional.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        return (plain.date(from: text) ?? fractional.date(from: text)).map { Int64($0.timeIntervalSince1970) }
    }
}
