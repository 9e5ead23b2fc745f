package import TLSPolicy

// The contract between a session machine and the driver that owns its connection.
//
//      connected ─► received ⇄ … ─► close
//                    │   ▲
//        perform(Work)   │ completed(Outcome)      one at a time; input waits meanwhile
//        produce         │ produce                 each time the socket has drained
//        startTLS        │ secured                 input behind the command was refused before
//        start-, stopCompression                   the same; then it goes on as after `ready`
//
// The machine does no I/O, reads no clock and starts no task. It consumes bytes, appends replies, and says what must
// happen next; the driver (SessionRuntime.SessionHandler) does it. Whoever drives it — an event loop, a test — gets
// the same dialogue.

/// What must happen after an event.
package enum SessionStep<Work: Sendable>: Sendable {
    /// A frame was handled: call `received` again at once if input is left.
    case ready
    /// The input holds no complete frame: call `received` when more bytes are there.
    case needInput
    /// Run this, then call `completed`. Until then no more input is given.
    case perform(Work)
    /// More output is to come: write what is there, and when the socket has taken it, call `produce`.
    case produce
    /// Write what is there, then handshake; then call `secured`.
    case startTLS
    /// Write what is there; what comes and is written from here on is compressed (RFC 4978). Then as `ready`.
    case startCompression
    /// Write what is there, still compressed; then nothing more is, in either direction. Then as `ready`.
    case stopCompression
    /// Write what is there, then close.
    case close
}

/// What a session says besides bytes: facts worth a log line. None carries a secret.
package enum SessionEvent: Sendable, Equatable {
    case authenticated(login: String, mechanism: String)
    case authenticationFailed(login: String, mechanism: String, reason: String)
    /// The peer is a stranger again, who may authenticate anew (RFC 8437).
    case unauthenticated
    /// The peer broke the protocol in a way that only attacks and broken software do.
    case violation(String)
    /// Anything an operator would want to read: message accepted, mailbox deleted.
    case notice(String)
}

/// What an event handler appends to.
package struct SessionOutput: Sendable {
    package var bytes = OutputBuffer()
    package var events: [SessionEvent] = []

    package init() {}
}

/// A protocol session as a state machine.
package protocol ProtocolSession: ~Copyable, SendableMetatype {
    /// What the session asks of the store, the authenticator, the clock.
    associatedtype Work: Sendable
    associatedtype Outcome: Sendable

    /// The connection is open; on an Implicit TLS port, the handshake is done. Appends the greeting.
    mutating func connected(_ output: inout SessionOutput) -> SessionStep<Work>

    /// Bytes from the peer. Consumes at most one frame (or a run of message data) by advancing `consumed`.
    mutating func received(
        _ input: Span<UInt8>, consumed: inout Int, _ output: inout SessionOutput
    ) -> SessionStep<Work>

    /// The answer to `.perform`.
    mutating func completed(_ outcome: Outcome, _ output: inout SessionOutput) -> SessionStep<Work>

    /// The socket has taken what was written after `.produce`. Appends at most some 32 KiB more.
    mutating func produce(_ output: inout SessionOutput) -> SessionStep<Work>

    /// The handshake asked for by `.startTLS` is done. Everything learnt before is to be forgotten.
    mutating func secured(_ tls: TLSDescription, _ output: inout SessionOutput) -> SessionStep<Work>

    /// Something the session observes has changed. Called only while the session waits for input.
    mutating func changed(_ output: inout SessionOutput) -> SessionStep<Work>

    /// No complete frame came within `patience`. Appends a farewell where the protocol has one.
    mutating func timedOut(_ output: inout SessionOutput)

    /// The server is stopping. Appends a farewell where the protocol has one.
    mutating func stopping(_ output: inout SessionOutput)

    /// How long the driver waits for the next frame in the present state.
    var patience: Duration { get }

    /// Whether the peer has proved who it is: unauthenticated connections have tighter limits.
    var isAuthenticated: Bool { get }
}

/// What a session knows of its connection from the start.
package struct SessionContext: Sendable {
    /// Unique in the process; appears in logs and Received fields.
    package var connection: UInt64
    /// This server's own name, for greetings and Received fields.
    package var hostname: String
    /// The peer's address without port: `192.0.2.1`, `2001:db8::1`.
    package var peer: String
    /// Set on an Implicit TLS port; nil until STARTTLS on the others.
    package var tls: TLSDescription?
    /// Whether STARTTLS can succeed: false without a certificate, and the command is then not advertised.
    package var canStartTLS: Bool

    package init(
        connection: UInt64 = 1, hostname: String, peer: String = "127.0.0.1", tls: TLSDescription? = nil,
        canStartTLS: Bool = false
    ) {
        self.connection = connection
        self.hostname = hostname
        self.peer = peer
        self.tls = tls
        self.canStartTLS = canStartTLS
    }

    /// How a connection that is protected by this TLS now came to be.
    /// - Parameter tls: of now; a session keeps what STARTTLS brought by itself.
    package func security(_ tls: TLSDescription?) -> ConnectionSecurity {
        tls == nil ? .cleartext : canStartTLS ? .startTLS : .implicitTLS
    }
}

/// Does the asynchronous work of one protocol's sessions. (Sessions themselves are made by a closure that the listener
/// is given: an associated type cannot be noncopyable.)
package protocol SessionService<Work, Outcome>: Sendable {
    associatedtype Work: Sendable
    associatedtype Outcome: Sendable

    /// The protocol's name in logs: `imap`, `pop3`, `submission`.
    var name: String { get }
    /// The protocol's ALPN identifiers (RFC 7301 registry); a client that asks only for others is refused.
    var applicationProtocols: [String] { get }

    /// Whether a work computes so little, beside what it waits for, that the connection's loop can do it: the loop
    /// serves others too, who wait meanwhile.
    func isBrief(_ work: Work) -> Bool

    /// Does what a session asked for. `notify`, kept by an observation, makes the driver call `changed`.
    func perform(_ work: Work, notify: @escaping @Sendable () -> Void) async -> Outcome
}

/// Octets of a message up to which taking it in is brief: parsing them takes some 50 microseconds.
package let briefMessage = 32 * 1024

/// How much one `produce` appends at most: the outbound buffer of a TLS connection keeps its peak size for the
/// connection's life, so chunks stay small.
package let productionChunk = 32 * 1024
