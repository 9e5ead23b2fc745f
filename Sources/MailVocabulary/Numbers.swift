/// A message's unique identifier within a mailbox; 1...2³²-1, strictly ascending, never reused
/// while UIDVALIDITY stays (RFC 9051 §2.3.1.1).
package struct UID: Sendable, Hashable, Comparable {
    package let value: UInt32

    /// Nil for 0, which no message can have.
    @inlinable package init?(_ value: UInt32) {
        guard value != 0 else { return nil }
        self.value = value
    }

    /// For values already known not to be 0, such as rows of the store.
    @inlinable package init(known value: UInt32) {
        precondition(value != 0)
        self.value = value
    }

    @inlinable package static func < (a: UID, b: UID) -> Bool { a.value < b.value }
}

/// The generation of a mailbox's UIDs; 1...2³²-1 (RFC 9051 §2.3.1.1).
package struct UIDValidity: Sendable, Hashable {
    package let value: UInt32

    package init?(_ value: UInt32) {
        guard value != 0 else { return nil }
        self.value = value
    }
}

/// A modification sequence; 1...2⁶³-1, one counter per mailbox, growing with every change (RFC 7162 §3.1).
package struct ModSeq: Sendable, Hashable, Comparable {
    package let value: UInt64

    @inlinable package init(_ value: UInt64) { self.value = value }
    @inlinable package static func < (a: ModSeq, b: ModSeq) -> Bool { a.value < b.value }
    @inlinable package func next() -> ModSeq { ModSeq(value + 1) }
}
