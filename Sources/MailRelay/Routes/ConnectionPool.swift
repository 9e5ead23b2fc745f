import MailClient
import TLSPolicy
import WireFraming

/// What sessions must have in common to stand in for one another.
struct PoolKey: Sendable, Hashable {
    /// Whose places a session takes.
    var host: String
    var address: StreamAddress
    var security: SMTPClientSettings.Security
    var verification: ServerVerification
    var dialect: SMTPClientSettings.Dialect
}

/// Counts sessions, and keeps those that have nothing to do for the next message.
actor ConnectionPool {
    private struct Idle {
        var key: PoolKey
        var client: SMTPClient
        var number: Int
    }

    private struct Waiter {
        var number: Int
        var host: String
        var continuation: CheckedContinuation<Void, any Error>
    }

    private let maximum: Int
    private let maximumPerHost: Int
    private let idleTime: Duration
    private var active = 0
    private var activeByHost: [String: Int] = [:]
    private var waiters: [Waiter] = []
    /// The oldest first.
    private var idle: [Idle] = []
    private var numbers = 0
    private var isClosed = false

    init(maximum: Int, perHost: Int, idleTime: Duration) {
        self.maximum = max(1, maximum)
        maximumPerHost = max(1, perHost)
        self.idleTime = idleTime
    }

    /// Waits for a place; `leave` gives it back. Throws when the task is cancelled or the pool is closed.
    func enter(_ host: String) async throws {
        guard !isClosed else { throw CancellationError() }
        if hasRoom(host) { return take(host) }
        numbers += 1
        let number = numbers
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
                guard !Task.isCancelled else { return continuation.resume(throwing: CancellationError()) }
                waiters.append(Waiter(number: number, host: host, continuation: continuation))
            }
        } onCancel: {
            Task { await self.giveUp(number) }
        }
    }

    /// - Parameter session: to be kept for others, if it is fit.
    func leave(_ host: String, keeping session: (client: SMTPClient, key: PoolKey)? = nil) {
        active -= 1
        let left = activeByHost[host, default: 1] - 1
        activeByHost[host] = left > 0 ? left : nil
        if let session { keep(session.client, session.key) }
        guard let next = waiters.firstIndex(where: { hasRoom($0.host) }) else { return trim() }
        // Whoever waits may take the session just kept.
        let waiter = waiters.remove(at: next)
        take(waiter.host)
        waiter.continuation.resume()
    }

    /// A session that is as good as a new one.
    func idleClient(_ key: PoolKey) -> SMTPClient? {
        // The latest is the least likely to have been closed by the server.
        while let found = idle.lastIndex(where: { $0.key == key }) {
            let client = idle.remove(at: found).client
            if client.isQuiet { return client }
            Task { await client.close() }
        }
        trim()
        return nil
    }

    private func keep(_ client: SMTPClient, _ key: PoolKey) {
        guard !isClosed, client.isQuiet else {
            Task { await client.quit() }
            return
        }
        numbers += 1
        let number = numbers
        idle.append(Idle(key: key, client: client, number: number))
        Task { [idleTime] in
            try? await Task.sleep(for: idleTime)
            expire(number)
        }
    }

    /// Ends idle sessions; whoever waits for a place gets an error.
    func close() async {
        isClosed = true
        let ending = idle
        let waiting = waiters
        (idle, waiters) = ([], [])
        for waiter in waiting { waiter.continuation.resume(throwing: CancellationError()) }
        for one in ending { await one.client.quit() }
    }

    var openIdle: Int { idle.count }

    private func hasRoom(_ host: String) -> Bool {
        active < maximum && activeByHost[host, default: 0] < maximumPerHost
    }

    private func take(_ host: String) {
        active += 1
        activeByHost[host, default: 0] += 1
    }

    /// Idle sessions are connections too: they give way to those that have work.
    private func trim() {
        while !idle.isEmpty, active + idle.count > maximum { drop(at: 0) }
        for (host, count) in Dictionary(grouping: idle, by: \.key.host).mapValues(\.count) {
            var excess = count + activeByHost[host, default: 0] - maximumPerHost
            while excess > 0, let found = idle.firstIndex(where: { $0.key.host == host }) {
                drop(at: found)
                excess -= 1
            }
        }
    }

    private func drop(at index: Int) {
        let client = idle.remove(at: index).client
        Task { await client.quit() }
    }

    private func expire(_ number: Int) {
        if let found = idle.firstIndex(where: { $0.number == number }) { drop(at: found) }
    }

    private func giveUp(_ number: Int) {
        guard let found = waiters.firstIndex(where: { $0.number == number }) else { return }
        waiters.remove(at: found).continuation.resume(throwing: CancellationError())
    }
}
