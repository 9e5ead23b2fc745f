import Foundation
import Glibc
import Synchronization

/// How far a long task is, on standard error: one line that is rewritten on a terminal, a line now and then elsewhere.
final class ProgressLine: Sendable {
    private let title: String
    private let began = ContinuousClock.now
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let lastShown = Mutex<ContinuousClock.Instant?>(nil)

    init(_ title: String) { self.title = title }

    func show(_ done: Int, of total: Int) {
        let now = ContinuousClock.now
        let interval = isTerminal ? Duration.milliseconds(100) : .seconds(5)
        let isDue = lastShown.withLock { last in
            guard done == total || last.map({ now - $0 >= interval }) ?? true else { return false }
            last = now
            return true
        }
        guard isDue, done > 0 else { return }
        let elapsed = Double((now - began).components.seconds) + 0.5
        let left = Int(elapsed / Double(done) * Double(max(0, total - done)))
        let text = "\(title): \(done) of \(total), \(left) s left"
        write(isTerminal ? "\r\u{1B}[K" + text : text + "\n")
    }

    func finish() {
        if isTerminal, lastShown.withLock({ $0 != nil }) { write("\r\u{1B}[K") }
    }

    private func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
