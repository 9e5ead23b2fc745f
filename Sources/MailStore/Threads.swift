/// A set of messages that belong together (RFC 8474 §5.2): named by the body that began it in its account, so that no
/// two sets ever have the same name. 0 is none.
package struct ThreadID: Sendable, Hashable {
    package let value: Int64
    @inlinable package init(_ value: Int64) { self.value = value }
    package init(begunBy body: BodyID) { value = body.value }
}

/// A message-id as the table of threads knows it: FNV-1a. Who makes two that are the same has only put a message
/// beside another, which a References field does as well.
package struct ThreadKey: Sendable, Hashable {
    package let value: UInt64
    package init(_ value: UInt64) { self.value = value }

    /// - Parameter messageID: what stands between the angle brackets.
    package init(messageID: [UInt8]) {
        value = messageID.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}

extension ThreadID {
    /// The thread that a message joins: that of the first key that is known; else it begins one.
    ///
    /// - Parameter keys: of the message itself, then of those it answers, the nearest first.
    /// - Returns: the thread, and the keys that are to be known as its own from now on. Keys behind the first known one
    ///   were made known with that.
    package static func of(
        _ body: BodyID, _ keys: [ThreadKey], find: (ThreadKey) throws -> ThreadID?
    ) rethrows -> (thread: ThreadID, new: ArraySlice<ThreadKey>) {
        for (index, key) in keys.enumerated() {
            if let thread = try find(key) { return (thread, keys[..<index]) }
        }
        return (ThreadID(begunBy: body), keys[...])
    }
}
