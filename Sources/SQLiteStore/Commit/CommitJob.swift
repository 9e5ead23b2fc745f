import MailStore
import Synchronization

/// What one caller wants committed.
protocol PendingCommit: AnyObject, Sendable {
    var bodies: [OutgoingBody] { get }
    /// Who will have done it.
    var origin: UInt64? { get }
    /// May run again after a rollback: depends on nothing but its arguments and the transaction.
    func run(_ transaction: WriteTransaction, _ bodies: [StoredBody]) throws
    /// Answers the caller, once.
    func finish(_ error: StoreError?)
}

/// A body and where it was written.
struct StoredBody: Sendable {
    var id: BodyID
    var place: BodyPlace
    /// The octets, when they go to the database.
    var parked: MemoryBody?
}

final class CommitJob<R: Sendable>: PendingCommit {
    typealias Work = @Sendable (WriteTransaction, [StoredBody]) throws -> R

    let bodies: [OutgoingBody]
    let origin = ChangeOrigin.current
    private let work: Work
    private let continuation: CheckedContinuation<R, any Error>
    private let result = Mutex<R?>(nil)

    init(bodies: [OutgoingBody], continuation: CheckedContinuation<R, any Error>, work: @escaping Work) {
        self.bodies = bodies
        self.continuation = continuation
        self.work = work
    }

    func run(_ transaction: WriteTransaction, _ bodies: [StoredBody]) throws {
        let value = try work(transaction, bodies)
        result.withLock { $0 = value }
    }

    func finish(_ error: StoreError?) {
        if let error { return continuation.resume(throwing: error) }
        guard let value = result.withLock({ $0 }) else {
            return continuation.resume(throwing: StoreError.unavailable("a commit without a result"))
        }
        continuation.resume(returning: value)
    }
}
