import MailVocabulary
import Synchronization

/// Keeps all of it in memory: nothing to spill to.
final class InMemoryBodyWriter: BodyWriter {
    private let bytes = Mutex<[UInt8]>([])

    var count: Int { bytes.withLock { $0.count } }
    var needsSpill: Bool { false }

    func write(_ piece: Span<UInt8>) {
        bytes.withLock { bytes in
            for index in piece.indices { bytes.append(piece[index]) }
        }
    }

    func spill() async throws {}

    func finish() async throws -> any StagedBody { InMemoryBody(bytes.withLock { $0 }) }
}

/// A staged body that is simply bytes; also for tests and for messages this server writes itself.
package final class InMemoryBody: StagedBody {
    private let bytes: [UInt8]

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package var count: Int { bytes.count }

    package func withBytes<R>(_ read: (Span<UInt8>) throws -> R) throws -> R {
        let bytes = bytes
        return try read(bytes.span)
    }
}
