import CUnbound
import Foundation

/// The resolver's thread: gives libunbound what is asked, and hands out answers, timeouts and cancellations.
final class ResolverLoop {
    /// Lookups that libunbound works on at a time; what is beyond waits, and its time runs.
    static let maximumConcurrent = 256
    /// How long the thread sleeps when nothing is going on.
    private static let idleMilliseconds: Int32 = 60_000

    private struct Pending {
        var request: LookupRequest
        /// Nil: not begun yet.
        var lookup: Lookup?
    }

    private let context: UnboundContext
    private let inbox: LookupInbox
    private var pending: [UInt64: Pending] = [:]
    /// Tokens of what has not begun, in order; some may be over.
    private var waiting: [UInt64] = []
    private var running = 0

    init(_ context: UnboundContext, _ inbox: LookupInbox) {
        self.context = context
        self.inbox = inbox
    }

    func run() {
        blockSignals()
        while true {
            var descriptors = [
                pollfd(fd: ub_fd(context.pointer), events: Int16(POLLIN), revents: 0),
                pollfd(fd: inbox.readEnd, events: Int16(POLLIN), revents: 0),
            ]
            poll(&descriptors, 2, nextTimeout())
            if descriptors[0].revents != 0 { ub_process(context.pointer) }
            let news = inbox.take()
            for request in news.requests {
                pending[request.token] = Pending(request: request)
                waiting.append(request.token)
            }
            for token in news.cancelled { abandon(token, .cancelled) }
            expire()
            begin()
            guard !news.isStopped else { break }
        }
        for token in Array(pending.keys) { abandon(token, .cancelled) }
    }

    /// Signals are others' business; and SIGPIPE, when a name server closes, must not end the process. The library's own
    /// thread begins as a copy of this one.
    private func blockSignals() {
        var all = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, nil)
    }

    private func nextTimeout() -> Int32 {
        guard let first = pending.values.map(\.request.deadline).min() else { return Self.idleMilliseconds }
        let left = first - ContinuousClock.now
        let milliseconds = left.components.seconds * 1000 + left.components.attoseconds / 1_000_000_000_000_000
        return Int32(clamping: max(0, min(Int64(Self.idleMilliseconds), milliseconds + 1)))
    }

    private func expire() {
        let now = ContinuousClock.now
        for (token, lookup) in pending where lookup.request.deadline <= now { abandon(token, .timeout) }
    }

    private func begin() {
        while running < Self.maximumConcurrent, let token = waiting.first {
            waiting.removeFirst()
            guard let request = pending[token]?.request else { continue }
            let lookup = Lookup(token: token, loop: self)
            let result = ub_resolve_async(
                context.pointer, request.name + ".", Int32(request.type.rawValue), 1,
                Unmanaged.passRetained(lookup).toOpaque(), lookupIsDone, &lookup.identifier)
            pending[token]?.lookup = lookup
            running += 1
            if result != 0 {
                Unmanaged.passUnretained(lookup).release()
                finish(token, .failure(.serverFailure(reason: String(cString: ub_strerror(result)))))
            }
        }
    }

    private func abandon(_ token: UInt64, _ failure: DNSFailure) {
        guard let lookup = pending[token] else { return }
        if let lookup = lookup.lookup, ub_cancel(context.pointer, lookup.identifier) == 0 {
            // Its callback will not be called.
            Unmanaged.passUnretained(lookup).release()
        }
        finish(token, .failure(failure))
    }

    fileprivate func finish(_ token: UInt64, _ result: Result<DNSAnswer, DNSFailure>) {
        guard let lookup = pending.removeValue(forKey: token) else { return }
        if lookup.lookup != nil { running -= 1 }
        lookup.request.continuation.resume(returning: result)
    }

    fileprivate func answer(_ token: UInt64, _ error: Int32, _ result: UnsafeMutablePointer<ub_result>?) {
        defer { if let result { ub_resolve_free(result) } }
        guard let request = pending[token]?.request else { return }
        guard error == 0, let result else {
            finish(token, .failure(.serverFailure(reason: String(cString: ub_strerror(error)))))
            return
        }
        finish(token, DNSAnswer.decode(result.pointee, request.name, request.type))
    }
}

/// What libunbound keeps for us during a lookup.
private final class Lookup {
    let token: UInt64
    unowned let loop: ResolverLoop
    var identifier: Int32 = 0

    init(token: UInt64, loop: ResolverLoop) {
        self.token = token
        self.loop = loop
    }
}

private let lookupIsDone: ub_callback_type = { data, error, result in
    guard let data else { return }
    let lookup = Unmanaged<Lookup>.fromOpaque(data).takeRetainedValue()
    lookup.loop.answer(lookup.token, error, result)
}
