import Dispatch
import Glibc
import Synchronization

/// What the process is asked from outside. SIGINT and SIGTERM stop it; the second ends it at once. SIGHUP reloads.
package final class Signals: Sendable {
    package enum Kind: Sendable, Equatable {
        case reload, stop
    }

    package let received: AsyncStream<Kind>
    private let continuation: AsyncStream<Kind>.Continuation
    private let hasStopped = Atomic(false)
    private let sources: Mutex<[any DispatchSourceSignal]> = Mutex([])

    package init() {
        (received, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(8))
        // A peer that is gone shows as an error of write.
        signal(SIGPIPE, SIG_IGN)
        handle(SIGHUP) { [continuation] in continuation.yield(.reload) }
        for number in [SIGINT, SIGTERM] {
            handle(number) { [weak self] in self?.stop(number) }
        }
    }

    private func stop(_ number: Int32) {
        // As a shell reports a process that a signal ended.
        if hasStopped.exchange(true, ordering: .relaxed) { _exit(128 + number) }
        continuation.yield(.stop)
    }

    private func handle(_ number: Int32, _ action: @escaping @Sendable () -> Void) {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler(handler: action)
        source.resume()
        nonisolated(unsafe) let kept = source
        sources.withLock { $0.append(kept) }
    }
}

/// Raises the bound on open files to what the system permits: each connection is one.
package func raiseFileLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
