/// Bytes on their way to the peer. A session appends, its driver takes them and writes; plain bytes, so that a session
/// is tested without sockets.
package struct OutputBuffer: Sendable {
    @usableFromInline package var bytes: [UInt8]

    @inlinable package init() { bytes = [] }

    @inlinable package var count: Int { bytes.count }
    @inlinable package var isEmpty: Bool { bytes.isEmpty }

    @inlinable package mutating func append(_ byte: UInt8) { bytes.append(byte) }
    @inlinable package mutating func append(_ more: [UInt8]) { bytes.append(contentsOf: more) }
    @inlinable package mutating func append(_ more: ArraySlice<UInt8>) { bytes.append(contentsOf: more) }
    @inlinable package mutating func append(_ text: String) { bytes.append(contentsOf: text.utf8) }

    @inlinable package mutating func append(_ span: Span<UInt8>) {
        unsafe span.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
    }

    @inlinable package mutating func append(_ text: StaticString) {
        unsafe bytes.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    @inlinable package mutating func appendLine(_ text: String) {
        append(text)
        appendLineEnd()
    }

    @inlinable package mutating func appendLineEnd() {
        bytes.append(0x0D)
        bytes.append(0x0A)
    }

    /// A decimal number, without an intermediate string: FETCH writes a hundred thousand of them.
    @inlinable package mutating func append(decimal number: UInt64) {
        if number < 10 {
            bytes.append(0x30 + UInt8(truncatingIfNeeded: number))
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
    package mutating func removeAll(from count: Int) { bytes.removeLast(max(0, bytes.count - count)) }

    package mutating func reserveCapacity(_ capacity: Int) { bytes.reserveCapacity(capacity) }

    /// Hands the bytes over and leaves the buffer empty, without capacity: an idle connection owns no buffer.
    package mutating func take() -> [UInt8] {
        let taken = bytes
        bytes = []
        return taken
    }
}
