/// The announcement of a literal: `{n}`, `{n+}` (RFC 7888), `~{n}` (RFC 3516).
package struct LiteralHeader: Sendable, Hashable {
    /// Octets to come; at most 2⁶³-1 (RFC 9051 §9, `number64`).
    package var count: UInt64
    /// Whether the client waits for a continuation request before it sends.
    package var isSynchronizing: Bool
    /// `~{n}`: the octets may hold NUL.
    package var isBinary: Bool

    package init(count: UInt64, isSynchronizing: Bool = true, isBinary: Bool = false) {
        self.count = count
        self.isSynchronizing = isSynchronizing
        self.isBinary = isBinary
    }
}
