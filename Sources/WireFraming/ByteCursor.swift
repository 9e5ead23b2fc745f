/// A place in bytes that a parser reads from; it owns nothing and copies nothing.
package struct ByteCursor: ~Escapable {
    package let bytes: Span<UInt8>
    package var position: Int

    @_lifetime(copy bytes)
    @inlinable package init(_ bytes: Span<UInt8>, at position: Int = 0) {
        self.bytes = bytes
        self.position = position
    }

    @inlinable package var isAtEnd: Bool { position >= bytes.count }
    @inlinable package var remaining: Int { bytes.count - position }

    /// The next byte, not consumed; nil at the end.
    @inlinable package var peek: UInt8? { position < bytes.count ? bytes[position] : nil }

    @inlinable package func peek(ahead: Int) -> UInt8? {
        position + ahead < bytes.count ? bytes[position + ahead] : nil
    }

    /// Consumes the byte if it is the next.
    @_lifetime(self: copy self)
    @inlinable package mutating func take(_ byte: UInt8) -> Bool {
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    /// Consumes the word if it is next, without regard to ASCII case. `word` is in upper case.
    @_lifetime(self: copy self)
    @inlinable package mutating func take(word: StaticString) -> Bool {
        let length = word.utf8CodeUnitCount
        guard remaining >= length else { return false }
        for index in 0..<length {
            let byte = bytes[position + index]
            let upper = byte >= 0x61 && byte <= 0x7A ? byte & 0xDF : byte
            guard unsafe upper == word.utf8Start[index] else { return false }
        }
        position += length
        return true
    }

    /// Consumes bytes while the predicate holds; the range consumed.
    @_lifetime(self: copy self)
    @inlinable package mutating func take(while predicate: (UInt8) -> Bool) -> Range<Int> {
        let start = position
        while position < bytes.count, predicate(bytes[position]) { position += 1 }
        return start..<position
    }

    /// Decimal digits; nil when there is none or the number is above `limit`.
    @_lifetime(self: copy self)
    @inlinable package mutating func number(upTo limit: UInt64) -> UInt64? {
        let start = position
        var value: UInt64 = 0
        while position < bytes.count, bytes[position] >= 0x30, bytes[position] <= 0x39 {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(bytes[position] - 0x30))
            guard !overflow, !carry, sum <= limit else { return nil }
            value = sum
            position += 1
        }
        return position > start ? value : nil
    }

    package func text(_ range: Range<Int>) -> String {
        unsafe bytes.extracting(range).withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }

    package func array(_ range: Range<Int>) -> [UInt8] {
        unsafe bytes.extracting(range).withUnsafeBufferPointer { unsafe Array($0) }
    }
}
