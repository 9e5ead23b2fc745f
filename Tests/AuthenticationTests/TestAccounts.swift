import Authentication
import MailStore
import MailVocabulary
import SASL
import Synchronization
import TLSPolicy
import Testing

/// Accounts of one test.
final class TestAccounts: AccountStore {
    private let rows: Mutex<[Address: (Account, StoredCredentials)]> = Mutex([:])
    let isDown = Mutex(false)

    func add(_ address: String, _ password: String, isDisabled: Bool = false) throws {
        let address = try #require(Address(address))
        let credentials = try PasswordHashing.computeCredentials(Secret(password), cost: .test)
        rows.withLock {
            let account = Account(id: AccountID(Int64($0.count) + 1), address: address, isDisabled: isDisabled)
            $0[address] = (account, credentials)
        }
    }

    func account(_ address: Address) async throws -> Account? {
        if isDown.withLock({ $0 }) { throw StoreError.unavailable("test") }
        return rows.withLock { $0[address]?.0 }
    }

    func credentials(of account: AccountID) async throws -> StoredCredentials? {
        rows.withLock { $0.values.first { $0.0.id == account }?.1 }
    }

    func setCredentials(_ credentials: StoredCredentials, of account: AccountID) async throws {
        rows.withLock { rows in
            for (address, row) in rows where row.0.id == account { rows[address] = (row.0, credentials) }
        }
    }

    func accounts() async throws -> [Account] { rows.withLock { $0.values.map(\.0) } }
    func domains() async throws -> [Domain] { [] }
    func addDomain(_ domain: Domain) async throws { throw StoreError.unavailable("not in this test") }
    func deleteDomain(_ domain: Domain) async throws { throw StoreError.unavailable("not in this test") }
    func addAccounts(_ new: [(Address, StoredCredentials)]) async throws -> [Account] {
        throw StoreError.unavailable("not in this test")
    }
    func deleteAccount(_ account: AccountID) async throws { throw StoreError.unavailable("not in this test") }
}

extension Argon2Cost {
    /// Quick, for tests that are not about cost.
    static let test = Argon2Cost(memoryKiB: 64, passes: 1, lanes: 1)
}

/// Counts computations and does them.
final class CountingVerifying: PasswordVerifying {
    private let calls = Mutex(0)
    private let delay: @Sendable () -> Void

    init(delay: @escaping @Sendable () -> Void = {}) { self.delay = delay }

    var count: Int { calls.withLock { $0 } }

    func verify(_ password: Secret, against verifier: Argon2Verifier) throws -> Bool {
        calls.withLock { $0 += 1 }
        delay()
        return try Argon2Verifying().verify(password, against: verifier)
    }
}

extension AuthenticationStep {
    var summary: String {
        switch self {
        case .success(let user): "success \(user.account.address)"
        case .failure(let refusal): "failure: \(refusal.reason)"
        case .challenge(let challenge): "challenge: \(String(decoding: challenge, as: UTF8.self))"
        case .rejection(let message, let refusal):
            "rejection: \(String(decoding: message, as: UTF8.self)): \(refusal.reason)"
        case .malformed(let text): "malformed: \(text)"
        case .unavailable(let reason): "unavailable: \(reason)"
        }
    }
}

extension AuthenticationContext {
    /// A client of IMAP in TLS.
    static func imap(from peer: String = "192.0.2.1") -> AuthenticationContext {
        AuthenticationContext(service: "imap", peer: peer, tls: TLSDescription(version: .tls13))
    }
}

extension ServerAuthenticator {
    /// By IMAP's LOGIN.
    func authenticate(_ credentials: PasswordCredentials, from peer: String) async -> AuthenticationStep {
        await authenticate(credentials, by: nil, .imap(from: peer))
    }
}
