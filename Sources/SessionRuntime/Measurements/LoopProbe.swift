import MailVocabulary
import NIOCore

extension ServerRuntime {
    /// Returns when every event loop has come round, and measures how long that took each.
    package func probeLoops() async {
        await withTaskGroup { [measurements] group in
            for loop in eventLoops.makeIterator() {
                let asked = ContinuousClock.now
                group.addTask {
                    try? await loop.submit { measurements.loopLag.record(.now - asked) }.get()
                }
            }
        }
    }
}
