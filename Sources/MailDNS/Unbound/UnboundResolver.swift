import Foundation
import Synchronization

/// Resolves by libunbound: with its own cache, and DNSSEC validation by its own trust anchors. All of libunbound is called
/// on one thread, which waits for answers and deadlines; no other thread ever waits.
package final class UnboundResolver: DNSResolver {
    private let inbox: LookupInbox
    private let timeout: Duration
    private let lastToken = Atomic<UInt64>(0)

    /// Throws when libunbound refuses an option, or a trust anchor cannot be read. Blocks on reading files.
    package init(_ options: ResolverOptions = ResolverOptions()) throws(ResolverOptionsError) {
        let inbox = try LookupInbox()
        let context = Transferred(try UnboundContext(options))
        self.inbox = inbox
        timeout = options.timeout
        let thread = Thread { ResolverLoop(context.value, inbox).run() }
        thread.name = "dns"
        thread.start()
    }

    deinit { inbox.stop() }

    package func lookUp(_ name: String, _ type: DNSRecordType) async throws(DNSFailure) -> DNSAnswer {
        guard DNSName.isAskable(name) else { throw .invalidName }
        guard !Task.isCancelled else { throw .cancelled }
        let token = lastToken.add(1, ordering: .relaxed).newValue
        let question = DNSName.normalized(name)
        let deadline = ContinuousClock.now + timeout
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                inbox.add(
                    LookupRequest(
                        token: token, name: question, type: type, deadline: deadline, continuation: continuation))
            }
        } onCancel: {
            inbox.cancel(token)
        }
        return try result.get()
    }
}

/// A value that one thread makes and gives to another for good.
///
/// Unchecked, since libunbound's context may be used by one thread only and so cannot be Sendable: whoever makes it keeps no
/// reference, and starting the thread orders all that was done before.
private struct Transferred<Value>: @unchecked Sendable {
    let value: Value
    init(_ value: Value) { self.value = value }
}

struct LookupRequest: Sendable {
    var token: UInt64
    var name: String
    var type: DNSRecordType
    var deadline: ContinuousClock.Instant
    var continuation: CheckedContinuation<Result<DNSAnswer, DNSFailure>, Never>
}

/// What others want of the resolver's thread, and the pipe that wakes it.
final class LookupInbox: Sendable {
    struct Content {
        var requests: [LookupRequest] = []
        var cancelled: [UInt64] = []
        var isStopped = false
    }

    private let content = Mutex(Content())
    let readEnd: Int32
    private let writeEnd: Int32

    init() throws(ResolverOptionsError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            throw ResolverOptionsError(description: "the DNS resolver cannot be started: no file descriptor is free")
        }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    func add(_ request: LookupRequest) {
        content.withLock { $0.requests.append(request) }
        wake()
    }

    /// A lookup that is over, or was never begun, does not mind.
    func cancel(_ token: UInt64) {
        content.withLock { $0.cancelled.append(token) }
        wake()
    }

    func stop() {
        content.withLock { $0.isStopped = true }
        wake()
    }

    func take() -> Content {
        var scratch = [UInt8](repeating: 0, count: 256)
        while read(readEnd, &scratch, scratch.count) > 0 {}
        return content.withLock { content in
            let taken = content
            content.requests = []
            content.cancelled = []
            return taken
        }
    }

    private func wake() {
        var octet: UInt8 = 1
        // When the pipe is full the thread is awake anyway.
        _ = write(writeEnd, &octet, 1)
    }
}
