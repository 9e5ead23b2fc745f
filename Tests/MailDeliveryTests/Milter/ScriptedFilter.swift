import MailDelivery
import MailStore
import Synchronization
import WireFraming

/// A packet as it stands on the wire, made by hand: length, code, data.
func packet(_ code: Character, _ data: [UInt8] = []) -> [UInt8] {
    let length = UInt32(data.count + 1)
    return [UInt8(length >> 24), UInt8(length >> 16 & 255), UInt8(length >> 8 & 255), UInt8(length & 255)]
        + Array(String(code).utf8) + data
}

func packet(_ code: Character, _ data: String) -> [UInt8] { packet(code, Array(data.utf8)) }

func number(_ value: UInt32) -> [UInt8] {
    [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
}

/// A filter's side of the negotiation.
func agreement(
    version: UInt32 = 6, actions: UInt32 = 0x1FF, options: UInt32 = 0, macros: [UInt8] = []
) -> [UInt8] {
    packet("O", number(version) + number(actions) + number(options) + macros)
}

/// What a filter was told.
struct Told: Sendable, Hashable, CustomStringConvertible {
    var code: Character
    var data: [UInt8]

    /// NULs as `|`.
    var text: String { String(decoding: data.map { $0 == 0 ? UInt8(ascii: "|") : $0 }, as: UTF8.self) }
    var description: String { "\(code) \(text)" }
}

/// Filters in this process, one for each connection, that answer as a script says.
final class ScriptedFilter: ByteStreamConnector {
    /// The octets of the answer, empty for none; nil ends the connection.
    typealias Script = @Sendable (_ told: Told, _ connection: Int) -> [UInt8]?

    private let script: Script
    private let record = Mutex<[Told]>([])
    private let connections = Mutex(0)
    private let timeouts = Mutex<[Duration]>([])

    init(_ script: @escaping Script) { self.script = script }

    /// Agrees to all, wants all, and goes on with everything but what `answers` has.
    convenience init(options: UInt32 = 0, _ answers: [Character: [UInt8]] = [:]) {
        self.init { told, _ in
            switch told.code {
            case "O": agreement(options: options)
            case "D", "A", "Q", "K": []
            case _: answers[told.code] ?? packet("c")
            }
        }
    }

    var told: [Told] { record.withLock { $0 } }
    var codes: String { String(told.map(\.code)) }
    var connectionCount: Int { connections.withLock { $0 } }
    /// For each read.
    var readTimeouts: [Duration] { timeouts.withLock { $0 } }

    func connect(to address: StreamAddress, timeout: Duration) async throws -> any ByteStream {
        let number = connections.withLock { count in
            count += 1
            return count
        }
        return Stream(self, number, timeout)
    }

    struct Broken: Error {}

    private final class Stream: ByteStream {
        private struct State {
            var incoming: [UInt8] = []
            var outgoing: [UInt8] = []
            var isEnded = false
            var isClosed = false
            var timeout: Duration
        }

        private let filter: ScriptedFilter
        private let number: Int
        private let state: Mutex<State>

        init(_ filter: ScriptedFilter, _ number: Int, _ timeout: Duration) {
            (self.filter, self.number) = (filter, number)
            state = Mutex(State(timeout: timeout))
        }

        var timeout: Duration {
            get { state.withLock { $0.timeout } }
            set { state.withLock { $0.timeout = newValue } }
        }

        func write(_ bytes: [UInt8]) async throws {
            try state.withLock { state in
                guard !state.isEnded, !state.isClosed else { throw Broken() }
                state.incoming += bytes
                while !state.isEnded, let told = nextPacket(&state.incoming) {
                    filter.record.withLock { $0.append(told) }
                    if let answer = filter.script(told, number) {
                        state.outgoing += answer
                    } else {
                        state.isEnded = true
                    }
                }
            }
        }

        private func nextPacket(_ bytes: inout [UInt8]) -> Told? {
            guard bytes.count >= 5 else { return nil }
            let length = bytes[..<4].reduce(0) { $0 << 8 | Int($1) }
            guard bytes.count >= 4 + length else { return nil }
            defer { bytes.removeFirst(4 + length) }
            return Told(code: Character(UnicodeScalar(bytes[4])), data: Array(bytes[5..<4 + length]))
        }

        /// A few octets at a time, so that packets come apart.
        func read() async throws -> [UInt8]? {
            filter.timeouts.withLock { $0.append(timeout) }
            let (bytes, isOver, limit) = state.withLock { state in
                let bytes = Array(state.outgoing.prefix(7))
                state.outgoing.removeFirst(bytes.count)
                return (bytes, state.isEnded || state.isClosed, state.timeout)
            }
            if !bytes.isEmpty { return bytes }
            if isOver { return nil }
            try await Task.sleep(for: limit)
            throw Broken()
        }

        func close() { state.withLock { $0.isClosed = true } }
    }
}

/// A writer that keeps all in memory and counts how much was written at once.
final class CountingWriter: BodyWriter {
    private let state = Mutex<(bytes: [UInt8], largest: Int)>(([], 0))

    var count: Int { state.withLock { $0.bytes.count } }
    var needsSpill: Bool { false }
    var largestPiece: Int { state.withLock { $0.largest } }
    func write(_ piece: Span<UInt8>) {
        state.withLock { state in
            for index in piece.indices { state.bytes.append(piece[index]) }
            state.largest = max(state.largest, piece.count)
        }
    }
    func spill() async throws {}
    func finish() async throws -> any StagedBody { InMemoryBody(state.withLock { $0.bytes }) }
}

extension StagedBody {
    var text: String {
        get throws {
            try withBytes { bytes in
                String(decoding: bytes.indices.map { bytes[$0] }, as: UTF8.self)
            }
        }
    }
}

func body(_ text: String) -> InMemoryBody { InMemoryBody(Array(text.utf8)) }
