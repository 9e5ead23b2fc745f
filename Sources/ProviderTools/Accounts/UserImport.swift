package import Authentication
import MailStore
package import MailVocabulary

// A file of users: one per line,
//
//     address:password
//     address:{ARGON2ID}$argon2id$v=19$m=…,t=…,p=…$salt$hash[:anything]
//
// as Dovecot's passwd-files have it. Lines that are empty or begin with "#" are passed over. A password that begins
// with "{" is written {PLAIN}{…. A name without "@" gets the default domain.

/// One line of it.
package struct ImportedUser: Sendable {
    package enum Proof: Sendable {
        case password(Secret)
        case verifier(Argon2Verifier)
    }

    package var address: Address
    package var proof: Proof

    /// Nil for a comment. Throws `OperatorError` without the place.
    package static func parse(_ line: [UInt8], defaultDomain: Domain?) throws(OperatorError) -> ImportedUser? {
        guard let text = String(validating: line, as: UTF8.self) else { throw problem("is not UTF-8") }
        guard !text.isEmpty, !text.hasPrefix("#") else { return nil }
        guard let colon = text.firstIndex(of: ":") else { throw problem("has no colon; write address:password") }
        let name = String(text[..<colon])
        let full = name.contains("@") ? name : name + "@" + (defaultDomain?.name ?? "")
        guard let address = Address(full)?.canonical else { throw problem("“\(name)” is not an address") }
        let proof = try proof(text[text.index(after: colon)...])
        return ImportedUser(address: address, proof: proof)
    }

    private static func proof(_ text: Substring) throws(OperatorError) -> Proof {
        guard text.hasPrefix("{"), let end = text.firstIndex(of: "}") else { return try password(text) }
        let scheme = text[text.index(after: text.startIndex)..<end]
        let rest = text[text.index(after: end)...]
        switch scheme {
        case "PLAIN": return try password(rest)
        case "ARGON2ID":
            guard let verifier = Argon2Verifier(rest.prefix { $0 != ":" }) else {
                throw problem("has a hash that is not argon2id in PHC form within the permitted cost")
            }
            return .verifier(verifier)
        case _: throw problem("has the scheme {\(scheme)}; {ARGON2ID} and {PLAIN} are understood")
        }
    }

    private static func password(_ text: Substring) throws(OperatorError) -> Proof {
        let password = Secret(Array(text.utf8))
        guard PasswordPreparation.prepare(password, for: .setting) != nil else {
            throw problem("has an unsuitable password: \(PasswordError.unsuitable)")
        }
        return .password(password)
    }

    private static func problem(_ text: String) -> OperatorError { OperatorError(.dataError, text) }
}

package struct ImportProgress: Sendable, Equatable {
    package var done: Int
    package var total: Int
}

/// Takes the users of a file in: first everything is checked, then users are added in batches, each all or none.
package struct UserImport: Sendable {
    /// Users added at once; some seconds of argon2id.
    private static let batchSize = 100
    /// Problems shown before giving up.
    private static let maximumProblems = 20

    private let file: String
    private let administering: any Administering
    private let hashing: PasswordHashing
    private let defaultDomain: Domain?
    private let skipsExisting: Bool

    /// - Parameters:
    ///   - hashing: with a queue that holds a batch.
    ///   - skipsExisting: passes over users that are there, instead of refusing the file.
    package init(
        file: String, administering: any Administering, hashing: PasswordHashing, defaultDomain: Domain?,
        skipsExisting: Bool
    ) {
        self.file = file
        self.administering = administering
        self.hashing = hashing
        self.defaultDomain = defaultDomain
        self.skipsExisting = skipsExisting
    }

    /// A pool wide enough for an import on this machine.
    package static func hashing(processors: Int, cost: Argon2Cost = .standard) -> PasswordHashing {
        PasswordHashing(
            pool: WorkerPool(width: processors, capacity: batchSize, loopbackShare: batchSize), cost: cost)
    }

    /// How many users were added.
    package func run(progress: @escaping @Sendable (ImportProgress) -> Void) async throws(OperatorError) -> Int {
        let existing = try await existingUsers()
        let total = try check(existing, try await knownDomains())
        var done = 0
        var batch: [(line: Int, user: ImportedUser)] = []
        let lines = try LineReader(file)
        while let (number, user) = try next(lines) {
            guard !existing.contains(user.address.description) else { continue }
            batch.append((number, user))
            if batch.count == Self.batchSize {
                try await add(batch, after: done)
                done += batch.count
                batch = []
                progress(ImportProgress(done: done, total: total))
            }
        }
        if !batch.isEmpty { try await add(batch, after: done) }
        return done + batch.count
    }

    private func existingUsers() async throws(OperatorError) -> Set<String> {
        let users = Gathered<String>()
        try await administering.perform(.listUsers) { reply in
            if case .users(let part) = reply { users.append(part.map(\.address)) }
        }
        return Set(users.all)
    }

    private func knownDomains() async throws(OperatorError) -> Set<String> {
        let domains = Gathered<String>()
        try await administering.perform(.listDomains) { reply in
            if case .domains(let part) = reply { domains.append(part) }
        }
        return Set(domains.all)
    }

    /// Reads the whole file before anything is changed; returns how many users are to be added.
    private func check(_ existing: Set<String>, _ domains: Set<String>) throws(OperatorError) -> Int {
        var problems: [String] = []
        var seen: [String: Int] = [:]
        let lines = try LineReader(file)
        while let line = try lines.next(), problems.count < Self.maximumProblems {
            do throws(OperatorError) {
                guard let user = try ImportedUser.parse(line.bytes, defaultDomain: defaultDomain) else { continue }
                let address = user.address.description
                if let first = seen[address] {
                    throw OperatorError(.dataError, "names \(address) again, after line \(first)")
                }
                if existing.contains(address), skipsExisting { continue }
                seen[address] = line.number
                try checkNew(user.address, existing, domains)
            } catch {
                problems.append("\(file):\(line.number): \(error.message)")
            }
        }
        guard problems.isEmpty else {
            throw OperatorError(.dataError, problems.joined(separator: "\n") + "\nnothing was imported")
        }
        return seen.count
    }

    private func checkNew(
        _ address: Address, _ existing: Set<String>, _ domains: Set<String>
    ) throws(OperatorError) {
        guard domains.contains(address.domain.name) else {
            let remedy = "latchmaild domain add \(address.domain)"
            throw OperatorError(.dataError, "the domain of \(address) is not served here; “\(remedy)” adds it")
        }
        guard !existing.contains(address.description) else {
            throw OperatorError(.dataError, "the user \(address) exists; --skip-existing passes over such lines")
        }
    }

    private func next(_ lines: LineReader) throws(OperatorError) -> (Int, ImportedUser)? {
        while let line = try lines.next() {
            if let user = try ImportedUser.parse(line.bytes, defaultDomain: defaultDomain) {
                return (line.number, user)
            }
        }
        return nil
    }

    private func add(_ batch: [(line: Int, user: ImportedUser)], after done: Int) async throws(OperatorError) {
        do {
            let users = try await credentials(batch.map(\.user))
            try await administering.perform(.addUsers(users)) { _ in }
        } catch {
            let lines = "\(file):\(batch[0].line)-\(batch[batch.count - 1].line)"
            let reason = (error as? OperatorError) ?? OperatorError(.software, "\(error)")
            throw OperatorError(
                reason.kind,
                "\(lines): \(reason.message); the \(done) users before were imported, these and later ones were not. "
                    + "Run the command again with --skip-existing to go on")
        }
    }

    /// In the order given.
    private func credentials(_ users: [ImportedUser]) async throws -> [NewUser] {
        try await withThrowingTaskGroup(of: (Int, NewUser).self) { group in
            for (index, user) in users.enumerated() {
                group.addTask {
                    let credentials: StoredCredentials
                    switch user.proof {
                    case .password(let password): credentials = try await hashing.credentials(for: password)
                    case .verifier(let verifier):
                        credentials = StoredCredentials(argon2id: verifier.phc, scramSHA256: .absent)
                    }
                    let record = CredentialsRecord(credentials)
                    return (index, NewUser(address: user.address.description, credentials: record))
                }
            }
            var results = [NewUser?](repeating: nil, count: users.count)
            for try await (index, user) in group { results[index] = user }
            return results.compactMap(\.self)
        }
    }
}
