/// An open connection's bytes, for those who speak a protocol over it in tasks. One task reads and one writes at a time.
package protocol ByteStream: Sendable {
    /// For each read and write from here on.
    var timeout: Duration { get nonmutating set }
    /// Returns when the peer's side takes more: what is written by a caller who waits costs bounded memory.
    func write(_ bytes: [UInt8]) async throws
    /// What has come, at least one octet; nil when the peer has ended its side. Throws at the deadline that the stream
    /// was given, when it breaks, and when the task is cancelled.
    func read() async throws -> [UInt8]?
    /// Ends it, without waiting; a reader or writer that waits gets an error. May be called at any time and again.
    func close()
}

/// Where a connection goes to.
package enum StreamAddress: Sendable, Hashable {
    /// An IPv4 or IPv6 address in its textual form, without brackets.
    case internet(address: String, port: Int)
    /// The path of a UNIX socket.
    case local(path: String)
}

/// Opens connections in cleartext.
package protocol ByteStreamConnector: Sendable {
    /// - Parameter timeout: for the connection to come about, and, from then on, for each read and write.
    func connect(to address: StreamAddress, timeout: Duration) async throws -> any ByteStream
}
