import Foundation
import Glibc

/// Writes lines to a descriptor from a thread of its own, so that whoever logs never waits for whoever reads.
///
/// A reader that has stopped costs bounded memory: when that is used up, lines are dropped and counted, and the count
/// is written as soon as writing goes on.
package final class LogWriter: @unchecked Sendable {
    // @unchecked: `state` is touched under `condition`'s lock only, `hasOpenLine` by one thread; the rest is constant.

    /// Some seconds of a busy server's events.
    package static let maximumLines = 10_000
    package static let maximumOctets = 4 << 20
    /// How long a process that ends waits for a reader that has stopped.
    private static let patienceAtExit = Duration.seconds(1)

    private struct State {
        var waiting: [String] = []
        /// With what is being written.
        var lines = 0
        var octets = 0
        var dropped = 0
        var hasThread = false
        var isWriting = false
    }

    private let descriptor: Int32
    private let dropNotice: @Sendable (Int) -> String
    private let condition = NSCondition()
    private var state = State()
    /// The thread's own.
    private var hasOpenLine = false

    /// - Parameter dropNotice: the line, with its end, that says how many lines were dropped.
    package init(descriptor: Int32, dropNotice: @escaping @Sendable (Int) -> String) {
        self.descriptor = descriptor
        self.dropNotice = dropNotice
    }

    private static let text = LogWriter(descriptor: STDERR_FILENO) { EventLogHandler.dropNotice($0, .text) }
    private static let json = LogWriter(descriptor: STDERR_FILENO) { EventLogHandler.dropNotice($0, .json) }
    private static let flushingAtExit: Void = {
        atexit {
            LogWriter.text.flush(within: LogWriter.patienceAtExit)
            LogWriter.json.flush(within: LogWriter.patienceAtExit)
        }
    }()

    /// The process's writer to standard error; what it still holds is written when the process exits.
    package static func standardError(_ format: LogFormat) -> LogWriter {
        _ = flushingAtExit
        return switch format {
        case .text: text
        case .json: json
        }
    }

    /// Takes a line, with its end, and returns at once.
    package func write(_ line: String) {
        condition.lock()
        defer { condition.unlock() }
        let octets = line.utf8.count
        guard state.lines < Self.maximumLines, state.octets + octets <= Self.maximumOctets else {
            state.dropped += 1
            return
        }
        state.waiting.append(line)
        state.lines += 1
        state.octets += octets
        if !state.hasThread {
            state.hasThread = true
            Thread.detachNewThread { [self] in writeAll() }
        }
        // Who is awake, or about to wake, sees this line too.
        if state.lines == 1 { condition.broadcast() }
    }

    /// Waits until everything taken so far is written, and no longer than `time`. False when something is left.
    @discardableResult
    package func flush(within time: Duration) -> Bool {
        let deadline = Date(timeIntervalSinceNow: time / .seconds(1))
        condition.lock()
        defer { condition.unlock() }
        while state.lines > 0 || state.dropped > 0 || state.isWriting {
            guard condition.wait(until: deadline) else { return false }
        }
        return true
    }

    // The thread

    private func writeAll() {
        var dropped = 0
        while true {
            let (batch, more) = next()
            dropped += more
            for line in batch where !writeLine(line) { dropped += 1 }
            if dropped > 0, writeLine(dropNotice(dropped)) { dropped = 0 }
            finish(batch)
        }
    }

    /// Waits for lines. What was dropped was dropped behind those that come back with it.
    private func next() -> (batch: [String], dropped: Int) {
        condition.lock()
        defer { condition.unlock() }
        while state.waiting.isEmpty, state.dropped == 0 { condition.wait() }
        state.isWriting = true
        return (exchange(&state.waiting, with: []), exchange(&state.dropped, with: 0))
    }

    private func finish(_ batch: [String]) {
        condition.lock()
        defer { condition.unlock() }
        state.lines -= batch.count
        state.octets -= batch.reduce(0) { $0 + $1.utf8.count }
        state.isWriting = false
        condition.broadcast()
    }

    /// False when the line, or its end, could not be written.
    private func writeLine(_ line: String) -> Bool {
        // One that was cut short is ended before the next.
        let (written, isWhole) = Self.write((hasOpenLine ? "\n" : "") + line, to: descriptor)
        if written > 0 { hasOpenLine = !isWhole }
        return isWhole
    }

    /// All of it, with as many writes as it takes; waits for a descriptor that does not block.
    static func write(_ text: String, to descriptor: Int32) -> (written: Int, isWhole: Bool) {
        var text = text
        return text.withUTF8 { bytes in
            var written = 0
            while written < bytes.count {
                let count = Glibc.write(descriptor, bytes.baseAddress.map { $0 + written }, bytes.count - written)
                if count > 0 {
                    written += count
                } else if count < 0, errno == EAGAIN {
                    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = poll(&waiting, 1, -1)
                } else if count == 0 || errno != EINTR {
                    return (written, false)
                }
            }
            return (written, true)
        }
    }
}
