import CWipe

/// Bytes that must never be shown: a password, a token. Wiped when the last reference goes; describing, dumping or
/// interpolating one prints a placeholder. Reading needs `withBytes`, which is easy to search for.
package final class Secret: Sendable {
    private let storage: SecretStorage

    package init(_ bytes: some Collection<UInt8>) { storage = SecretStorage(bytes) }

    package convenience init(_ text: String) { self.init(Array(text.utf8)) }

    package var count: Int { unsafe storage.bytes.count }

    package func withBytes<R, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
        try unsafe body(Span(_unsafeElements: UnsafeBufferPointer(storage.bytes)))
    }

    /// A copy as text, for interfaces that take nothing else.
    package func revealed() -> String { unsafe String(decoding: storage.bytes, as: UTF8.self) }
}

extension Secret: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package var description: String { "[secret]" }
    package var debugDescription: String { "[secret]" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// @unchecked: written once in init, read-only after, freed in deinit.
@safe private final class SecretStorage: @unchecked Sendable {
    let bytes: UnsafeMutableBufferPointer<UInt8>

    init(_ source: some Collection<UInt8>) {
        unsafe bytes = .allocate(capacity: source.count)
        _ = unsafe bytes.initialize(from: source)
    }

    deinit {
        // Not by stores of Swift's own: nothing reads them before deallocate(), so the optimiser may drop them.
        if let start = unsafe bytes.baseAddress { unsafe latchmail_wipe(start, bytes.count) }
        unsafe bytes.deallocate()
    }
}
