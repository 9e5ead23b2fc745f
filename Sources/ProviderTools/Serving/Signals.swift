// C structures belong to Glibc or to CoreFoundation, depending on which the compiler reads first.
import CoreFoundation
import Dispatch
import Glibc
import Synchronization

/// What the process is asked from outside. SIGINT and SIGTERM stop it; the second ends it at once. SIGHUP reloads.
package final class Signals: @unchecked Sendable {
    // @unchecked: everything is set in init; the sources are only kept.

    package enum Kind: Sendable, Equatable {
        case reload, stop
    }

    package let received: AsyncStream<Kind>
    private let sources: [any DispatchSourceSignal]
    private let stopping: StopOnce

    /// Whether the process was asked to stop; `received` says so too.
    package var isStopping: Bool { stopping.hasStopped.load(ordering: .relaxed) }

    package init() {
        let (stream, continuation) = AsyncStream.makeStream(of: Kind.self, bufferingPolicy: .bufferingNewest(8))
        received = stream
        // A peer that is gone shows as an error of write.
        signal(SIGPIPE, SIG_IGN)
        let stop = StopOnce(continuation)
        stopping = stop
        sources = [
            Signals.source(SIGHUP) { continuation.yield(.reload) },
            Signals.source(SIGINT) { stop.received(SIGINT) },
            Signals.source(SIGTERM) { stop.received(SIGTERM) },
        ]
    }

    private static func source(
        _ number: Int32, _ action: @escaping @Sendable () -> Void
    ) -> any DispatchSourceSignal {
        signal(number, SIG_IGN)
        let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
        source.setEventHandler(handler: action)
        source.resume()
        return source
    }
}

private final class StopOnce: Sendable {
    private let continuation: AsyncStream<Signals.Kind>.Continuation
    let hasStopped = Atomic(false)

    init(_ continuation: AsyncStream<Signals.Kind>.Continuation) { self.continuation = continuation }

    func received(_ number: Int32) {
        // As a shell reports a process that a signal ended.
        if hasStopped.exchange(true, ordering: .relaxed) { _exit(128 + number) }
        continuation.yield(.stop)
    }
}

/// Raises the bound on open files to what the system permits: each connection is one. Returns the bound.
package func raiseFileLimit() -> Int {
    // What POSIX promises, for a system that does not say.
    let least = 20
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return least }
    let previous = limit.rlim_cur
    limit.rlim_cur = limit.rlim_max
    if setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) != 0 { limit.rlim_cur = previous }
    return Int(clamping: limit.rlim_cur)
}
