import Authentication
import Foundation
import MailStore
import MailVocabulary

/// The demo's accounts u1…uN and their passwords, which are kept beside the store so that a restart shows them again.
struct DemoAccounts: Sendable {
    static let domain = "latchmail.test"
    /// Accounts whose passwords are computed at a time.
    private static let batchSize = 64

    let passwordsFile: String
    let store: any MailStore

    /// Makes what is missing; a given `password` becomes that of all. `progress` hears how many are done.
    func prepare(
        count: Int, password: String?, progress: @Sendable (ImportProgress) -> Void
    ) async throws -> [DemoDescription.User] {
        guard let domain = Domain(Self.domain) else { return [] }
        if try await !store.domains().contains(domain) { try await store.addDomain(domain) }
        var known = readPasswords()
        let existing = Dictionary(uniqueKeysWithValues: try await store.accounts().map { ($0.address.localPart, $0) })
        let names = (1...max(1, count)).map { "u\($0)" }
        let wanted = Dictionary(
            uniqueKeysWithValues: names.map { ($0, password ?? known[$0] ?? PasswordInput.generated()) })
        let stale = names.filter { existing[$0] == nil || known[$0] != wanted[$0] }
        known.merge(wanted) { $1 }
        // Before the store changes: a password that nobody knows would be of no use.
        if !stale.isEmpty { try writePasswords(known) }
        var done = 0
        for start in stride(from: 0, to: stale.count, by: Self.batchSize) {
            let batch = Array(stale[start..<min(start + Self.batchSize, stale.count)])
            try await setPasswords(batch, wanted, existing, domain)
            done += batch.count
            progress(ImportProgress(done: done, total: stale.count))
        }
        return names.map { name in
            DemoDescription.User(address: "\(name)@\(domain)", login: name, password: wanted[name] ?? "")
        }
    }

    private func setPasswords(
        _ names: [String], _ passwords: [String: String], _ existing: [String: Account], _ domain: Domain
    ) async throws {
        let hashing = PasswordHashing(
            pool: WorkerPool(
                width: ProcessInfo.processInfo.activeProcessorCount, capacity: Self.batchSize,
                loopbackShare: Self.batchSize))
        let credentials = try await withThrowingTaskGroup(of: (String, StoredCredentials).self) { group in
            for name in names {
                let password = Secret(passwords[name] ?? "")
                group.addTask { (name, try await hashing.credentials(for: password)) }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        var new: [(Address, StoredCredentials)] = []
        for name in names {
            guard let credentials = credentials[name] else { continue }
            if let account = existing[name] {
                try await store.setCredentials(credentials, of: account.id)
            } else {
                new.append((Address(localPart: name, domain: domain), credentials))
            }
        }
        guard !new.isEmpty else { return }
        for account in try await store.addAccounts(new) {
            try await SampleMail.add(to: account, in: store, now: SystemClock.now())
        }
    }

    private func readPasswords() -> [String: String] {
        guard let data = FileManager.default.contents(atPath: passwordsFile) else { return [:] }
        return (try? JSONDecoder().decode([String: String].self, from: data)) ?? [:]
    }

    private func writePasswords(_ passwords: [String: String]) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        try PrivateFile.write(String(decoding: try encoder.encode(passwords), as: UTF8.self) + "\n", to: passwordsFile)
    }
}
