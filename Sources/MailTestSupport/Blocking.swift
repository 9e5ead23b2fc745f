import Dispatch

/// Runs what blocks (a program, a socket's peer) on a thread of its own. The few threads that run tests also run the
/// server under test: blocking them all would stop both for ever.
package func blocking<Result: Sendable>(
    _ body: @escaping @Sendable () throws -> Result
) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        DispatchQueue.global().async { continuation.resume(with: .init(catching: body)) }
    }
}
