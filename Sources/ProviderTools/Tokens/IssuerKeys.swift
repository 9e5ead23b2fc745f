import Foundation

/// An issuer's keys as they are now: kept, asked for again when they are old, and when a token is signed by one that is
/// not among them, which anybody can bring about: so not often.
actor IssuerKeys {
    /// Seconds. Issuers change keys by the day, and announce them before.
    static let lifetime = 3600.0
    /// Seconds between two requests, whatever happens.
    static let shortestInterval = 30.0

    private let fetch: @Sendable () async throws -> [UInt8]
    private let now: @Sendable () -> Double
    private var keys: SigningKeys?
    private var fetched = -Double.infinity
    private var tried = -Double.infinity
    private var inProgress: Task<SigningKeys, any Error>?

    /// - Parameters:
    ///   - fetch: gives a key set's JSON.
    ///   - now: seconds.
    init(now: @escaping @Sendable () -> Double, _ fetch: @escaping @Sendable () async throws -> [UInt8]) {
        self.fetch = fetch
        self.now = now
    }

    /// Throws when there are none, and none can be had now.
    /// - Parameter identifier: of the key that is wanted; nil when a token does not say.
    func current(for identifier: String?) async throws -> SigningKeys {
        if let keys, now() - fetched < Self.lifetime, identifier.map({ keys.has($0) }) ?? true { return keys }
        guard inProgress != nil || now() - tried >= Self.shortestInterval else {
            guard let keys else { throw KeysUnavailable() }
            return keys
        }
        do {
            return try await refresh()
        } catch {
            // Old ones are better than none: the issuer vouched for them.
            guard let keys else { throw error }
            return keys
        }
    }

    /// Whoever comes while a request is on its way waits for its answer.
    private func refresh() async throws -> SigningKeys {
        if let inProgress { return try await inProgress.value }
        tried = now()
        let task = Task { try SigningKeys(json: try await fetch()) }
        inProgress = task
        defer { inProgress = nil }
        let found = try await task.value
        (keys, fetched) = (found, now())
        return found
    }
}

struct KeysUnavailable: Error, CustomStringConvertible {
    var description: String { "the issuer's keys cannot be had" }
}
