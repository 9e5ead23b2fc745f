import Crypto
import Foundation

/// What is shown to an authority to prove one name.
struct ChallengeProof: Sendable, Hashable {
    /// Characters of a token; authorities give some 43.
    private static let maximumToken = 256

    /// Without the asterisk of a wildcard.
    var domain: String
    var token: String
    var keyAuthorization: String

    /// Of base64url characters alone (RFC 8555 §8.3): it becomes a part of a path.
    static func isToken(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= maximumToken && Base64URL.isText(text)
    }

    /// Where the DNS shows it (RFC 8555 §8.4).
    var recordName: String { "_acme-challenge.\(domain)" }
    /// What the DNS shows there.
    var recordValue: String { Base64URL.encode(SHA256.hash(data: Data(keyAuthorization.utf8))) }
}

/// Puts proofs up where the authority looks for them.
protocol ChallengeSolver: Sendable {
    /// As ACME calls it: `http-01`, `dns-01`.
    var type: String { get }
    /// All of one order at once; returns when the authority can see them.
    func put(_ proofs: [ChallengeProof]) async throws(ACMEError)
    /// Called after `put`, whether it threw or not.
    func remove(_ proofs: [ChallengeProof]) async
}
