import Synchronization
import WireFraming

/// Does something on a stream within a time; the stream is closed when it is up.
func withTimeout<Result: Sendable>(
    _ limit: Duration, closing stream: any ByteStream, _ body: @Sendable () async throws -> Result
) async throws(MilterError) -> Result {
    let isOver = Mutex(false)
    do {
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {}
            return try await body()
        }
    } catch {
        throw .closed
    }
}
