/// Bytes on their way to the peer. A session appends, its driver takes them and writes; plain bytes, so that a session
/// is tested without sockets. What is small is gathered; a large slice can be kept as it is, and is not copied before
/// the driver does it.
package struct OutputBuffer: Sendable {
    /// Octets from which a slice is kept: fewer are copied sooner than they are counted.
    @usableFromInline static let keptWhole = 4096

    /// Before `tail`, in order.
    @usableFromInline var pieces: [ArraySlice<UInt8>] = []
    @usableFromInline var octetsInPieces = 0
    /// What was appended since the last piece.
    @usableFromInline var tail: [UInt8] = []

    @inlinable package init() {}

    @inlinable package var count: Int { octetsInPieces + tail.count }
    @inlinable package var isEmpty: Bool { tail.isEmpty && pieces.isEmpty }

    @inlinable package mutating func append(_ byte: UInt8) { tail.append(byte) }
    @inlinable package mutating func append(_ more: [UInt8]) { tail.append(contentsOf: more) }
    @inlinable package mutating func append(_ more: ArraySlice<UInt8>) { tail.append(contentsOf: more) }
    @inlinable package mutating func append(_ text: String) { tail.append(contentsOf: text.utf8) }

    /// Keeps a large slice without copying it; it holds on to the whole of its array until the driver has taken it.
    @inlinable package mutating func append(whole more: ArraySlice<UInt8>) {
        guard more.count >= Self.keptWhole else { return tail.append(contentsOf: more) }
        seal()
        pieces.append(more)
        octetsInPieces += more.count
    }

    @inlinable package mutating func append(_ span: Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe tail.append(contentsOf: $0) }
    }

    @inlinable package mutating func append(_ text: StaticString) {
        unsafe tail.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Makes room for `capacity` octets, and appends as many as `write` says it wrote there.
    @inlinable package mutating func append(
        upTo capacity: Int, _ write: (_ room: UnsafeMutableBufferPointer<UInt8>) -> Int
    ) {
        unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: capacity) { room in
            let count = unsafe min(write(room), capacity)
            unsafe tail.append(contentsOf: UnsafeBufferPointer(rebasing: UnsafeBufferPointer(room)[..<count]))
        }
    }

    /// What was appended since `count` was `start`: text, nothing that was kept whole.
    package func copy(since start: Int) -> [UInt8] { Array(tail.dropFirst(max(0, start - octetsInPieces))) }

    @usableFromInline mutating func seal() {
        guard !tail.isEmpty else { return }
        pieces.append(tail[...])
        octetsInPieces += tail.count
        tail = []
    }

    @inlinable package mutating func appendLine(_ text: String) {
        append(text)
        appendLineEnd()
    }

    @inlinable package mutating func appendLineEnd() {
        tail.append(0x0D)
        tail.append(0x0A)
    }

    /// A decimal number, without an intermediate string: FETCH writes a hundred thousand of them.
    @inlinable package mutating func append(decimal number: UInt64) {
        if number < 10 {
            tail.append(0x30 + UInt8(truncatingIfNeeded: number))
            return
        }
        var rest = number
        var digits: InlineArray<20, UInt8> = .init(repeating: 0)
        var first = 20
        while rest > 0 {
            first -= 1
            digits[first] = 0x30 + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        append(digits.span.extracting(first..<20))
    }

    @inlinable package mutating func append(decimal number: UInt32) { append(decimal: UInt64(number)) }
    @inlinable package mutating func append(decimal number: Int) { append(decimal: UInt64(number)) }

    /// Takes back what was appended since `count` was that.
    package mutating func removeAll(from count: Int) {
        while octetsInPieces > count, let last = pieces.popLast() {
            octetsInPieces -= last.count
            tail = Array(last)
        }
        tail.removeLast(max(0, tail.count - (count - octetsInPieces)))
    }

    /// - Parameter capacity: octets in all.
    package mutating func reserveCapacity(_ capacity: Int) { tail.reserveCapacity(max(0, capacity - octetsInPieces)) }

    /// Hands the bytes over and leaves the buffer empty, without capacity: an idle connection owns no buffer.
    package mutating func take() -> [UInt8] {
        defer { self = OutputBuffer() }
        return pieces.isEmpty ? tail : Array(pieces.joined()) + tail
    }

    /// The same without copying what was kept whole.
    package mutating func takePieces() -> [ArraySlice<UInt8>] {
        defer { self = OutputBuffer() }
        seal()
        return pieces
    }
}
