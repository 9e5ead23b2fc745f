import Crypto
import MailStore
import MailVocabulary
import Synchronization

/// Remembers passwords that were found right a moment ago, so that a client that logs in every minute does not cost an
/// argon2id computation each time.
///
/// An entry is a hash, under a key that lives only in this process, of account, stored verifier and password: nothing
/// in it can be tried against elsewhere, and a changed password makes it unreachable.
package final class VerificationCache: Sendable {
    /// Entries; some 100 octets each.
    package static let standardCapacity = 10_000
    package static let standardLifetime = Duration.seconds(600)

    private struct Generations {
        var young: [Digest: ContinuousClock.Instant] = [:]
        var old: [Digest: ContinuousClock.Instant] = [:]
    }

    /// 256 bits, nearly uniform: the first eight octets make a perfect hash value.
    private struct Digest: Hashable {
        let code: HMAC<SHA256>.MAC

        static func == (a: Digest, b: Digest) -> Bool { a.code == b.code }

        func hash(into hasher: inout Hasher) {
            code.withUnsafeBytes { hasher.combine($0.loadUnaligned(as: UInt64.self)) }
        }
    }

    private let key = SymmetricKey(size: .bits256)
    private let generationSize: Int
    private let lifetime: Duration
    private let now: @Sendable () -> ContinuousClock.Instant
    private let generations = Mutex(Generations())

    package init(
        capacity: Int = standardCapacity, lifetime: Duration = standardLifetime,
        now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }
    ) {
        generationSize = max(1, capacity / 2)
        self.lifetime = lifetime
        self.now = now
    }

    func contains(_ password: Secret, for account: AccountID, _ verifier: String) -> Bool {
        let digest = digest(password, account, verifier)
        let expiry = generations.withLock { $0.young[digest] ?? $0.old[digest] }
        return expiry.map { now() < $0 } ?? false
    }

    /// When the younger half is full, the older is forgotten.
    func insert(_ password: Secret, for account: AccountID, _ verifier: String) {
        let digest = digest(password, account, verifier)
        let expiry = now() + lifetime
        generations.withLock { generations in
            if generations.young.count >= generationSize {
                generations.old = generations.young
                generations.young = [:]
            }
            generations.young[digest] = expiry
        }
    }

    /// Every field is preceded by its length or has a fixed one, so that no two inputs are alike.
    private func digest(_ password: Secret, _ account: AccountID, _ verifier: String) -> Digest {
        var code = HMAC<SHA256>(key: key)
        withUnsafeBytes(of: account.value) { code.update(data: $0) }
        var verifier = verifier
        verifier.withUTF8 { bytes in
            withUnsafeBytes(of: bytes.count) { code.update(data: $0) }
            code.update(data: UnsafeRawBufferPointer(bytes))
        }
        password.withBytes { bytes in
            bytes.withUnsafeBufferPointer { code.update(data: UnsafeRawBufferPointer($0)) }
        }
        return Digest(code: code.finalize())
    }
}
