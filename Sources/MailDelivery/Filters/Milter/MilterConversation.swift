import MailStore
import SMTPSyntax
import WireFraming

/// One filter's part in one transaction: drives the dialogue over a connection, with the clock in view.
///
/// Whatever goes wrong makes it refuse, for good: a message is taken in only when the filter has answered for it.
actor MilterConversation {
    enum Standing: Sendable {
        case asking
        /// It has seen enough.
        case accepted
        case discarded
        /// Everything of this transaction is refused.
        case refusing(SMTPReply)
    }

    let settings: MilterSettings
    private let pool: MilterPool
    private let connector: any ByteStreamConnector
    private let report: @Sendable (String) -> Void
    private(set) var standing = Standing.asking
    private var link: MilterLink?
    private(set) var macros: MilterMacros
    /// Written with what comes next: what needs no answer does not wait.
    private var unsent: [UInt8] = []
    /// It has answered for the message as a whole; until then, what it was told of one is to be called off.
    private var isMessageOver = false
    /// libmilter passes over `nextClient` in every state but the one after a message that it let go on, and would then
    /// pass over the next client too.
    private var awaitsNextClient = false

    init(
        _ settings: MilterSettings, pool: MilterPool, connector: any ByteStreamConnector, macros: MilterMacros,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.settings = settings
        self.pool = pool
        self.connector = connector
        self.macros = macros
        self.report = report
    }

    var verdict: FilterVerdict {
        switch standing {
        case .asking, .accepted: .accept
        case .discarded: .discard
        case .refusing(let reply): .refuse(reply)
        }
    }

    var keepsLeadingSpace: Bool { link?.machine.agreement?.options.contains(.leadingSpace) == true }

    // The connection's events

    func begin(_ client: FilteredClient) async {
        let connected = MilterEvent.connect(
            hostname: client.hostname.isEmpty ? "unknown" : client.hostname, peer: client.peer, port: client.port)
        do throws(MilterError) {
            var answer = try await greet(connected)
            if case .proceed = answer { answer = try await tell(.hello(client.name)) }
            settle(answer)
        } catch {
            fail(error)
        }
    }

    /// Takes a connection that has served before, if it still answers; else opens one.
    private func greet(_ event: MilterEvent) async throws(MilterError) -> MilterAnswer {
        if let used = pool.take() {
            link = used
            do throws(MilterError) {
                return try await tell(event)
            } catch .closed {
                drop()
            }
        }
        try await connect()
        return try await tell(event)
    }

    private func connect() async throws(MilterError) {
        let stream: any ByteStream
        do {
            stream = try await connector.connect(to: settings.address.stream, timeout: settings.connectTimeout)
        } catch {
            throw .unreachable("\(error)")
        }
        var machine = MilterMachine()
        unsent = machine.negotiate()
        link = MilterLink(stream: stream, machine: machine)
        try await flush()
        guard case .negotiated = try await read(within: settings.connectTimeout) else {
            throw .violation("it does not negotiate")
        }
    }

    // The envelope's events

    func sender(_ words: [String], macros: MilterMacros) async -> FilterVerdict {
        await ask(.sender(words), macros)
        return verdict
    }

    /// A refused recipient is not the end of the transaction.
    func recipient(_ words: [String], macros: MilterMacros) async -> FilterVerdict {
        guard case .asking = standing else { return verdict }
        self.macros = macros
        do throws(MilterError) {
            let answer = try await tell(.recipient(words))
            if case .refuse(let reply) = answer { return .refuse(reply) }
            settle(answer)
        } catch {
            fail(error)
        }
        return verdict
    }

    /// Tells an event and takes its answer to heart; nothing when the filter has decided already.
    func ask(_ event: MilterEvent, _ macros: MilterMacros? = nil) async {
        guard case .asking = standing else { return }
        if let macros { self.macros = macros }
        do throws(MilterError) {
            settle(try await tell(event))
        } catch {
            fail(error)
        }
    }

    /// Asks what the message is to become.
    /// - Parameter modify: takes each change, in order.
    func endMessage(_ modify: (MilterModification) async throws(MilterError) -> Void) async {
        guard case .asking = standing else { return }
        do throws(MilterError) {
            let last = ContinuousClock.now + MilterSettings.longestWait
            try await send(.endOfMessage)
            try await flush()
            while true {
                let limit = min(settings.messageTimeout, max(.zero, last - .now))
                switch try await read(within: limit) {
                case .progress: continue
                case .modification(let modification): try await modify(modification)
                case .answer(let answer):
                    isMessageOver = true
                    awaitsNextClient = answer == .proceed
                    return settle(answer)
                case .negotiated: throw .violation("it negotiates again")
                }
            }
        } catch {
            fail(error)
        }
    }

    /// Leaves the connection for another client when it is fit for that.
    func finish() async {
        guard link != nil else { return }
        do throws(MilterError) {
            guard var machine = link?.machine, !machine.isAwaiting else { throw .closed }
            if !isMessageOver { unsent += machine.abort() }
            let isReused = awaitsNextClient && machine.canBeReused
            unsent += isReused ? machine.nextClient() : MilterMachine.quit
            link?.machine = machine
            try await flush()
            guard isReused, let link else { throw .closed }
            pool.put(link)
            self.link = nil
        } catch {
            drop()
        }
    }

    /// The message, or what it is to become, could not be handled.
    func fail(_ error: MilterError) {
        report("filter \(settings.address): \(error)")
        drop()
        if case .fieldTooLarge = error {
            standing = .refusing(SMTPReply(552, EnhancedStatus(3, 4), "The header is too large to be filtered"))
            return
        }
        switch settings.failure {
        case .tempfail:
            standing = .refusing(
                SMTPReply(451, EnhancedStatus(7, 1), "Service unavailable, try again later"))
        case .reject:
            standing = .refusing(SMTPReply(550, EnhancedStatus(7, 1), "Service unavailable"))
        }
    }

    private func settle(_ answer: MilterAnswer) {
        switch answer {
        case .proceed, .skip: break
        case .accept: standing = .accepted
        case .discard: standing = .discarded
        case .refuse(let reply): standing = .refusing(reply)
        }
    }

    private func drop() {
        link?.stream.close()
        link = nil
        unsent = []
    }
}

// Bytes and time

extension MilterConversation {
    /// Octets that wait to be written at most, however little the filter answers.
    private static let longestUnsent = 32 * 1024

    private func tell(_ event: MilterEvent) async throws(MilterError) -> MilterAnswer {
        try await send(event)
        guard link?.machine.isAwaiting == true else { return .proceed }
        try await flush()
        let last = ContinuousClock.now + MilterSettings.longestWait
        while true {
            let limit = min(settings.commandTimeout, max(.zero, last - .now))
            switch try await read(within: limit) {
            case .progress: continue
            case .answer(let answer): return answer
            case .modification, .negotiated: throw .violation("a change before the message's end")
            }
        }
    }

    private func send(_ event: MilterEvent) async throws(MilterError) {
        guard var machine = link?.machine else { throw .closed }
        unsent += try machine.tell(event, macros)
        link?.machine = machine
        if unsent.count >= Self.longestUnsent { try await flush() }
    }

    private func flush() async throws(MilterError) {
        guard let stream = link?.stream else { throw .closed }
        guard !unsent.isEmpty else { return }
        let bytes = unsent
        unsent = []
        try await wait(settings.commandTimeout, for: stream) { try await stream.write(bytes) }
    }

    /// The next thing that the filter says.
    private func read(within limit: Duration) async throws(MilterError) -> MilterNews {
        let end = ContinuousClock.now + limit
        while true {
            guard let stream = link?.stream, var machine = link?.machine else { throw .closed }
            let news = try machine.next()
            link?.machine = machine
            if let news { return news }
            let bytes = try await wait(max(.zero, end - .now), for: stream) { try await stream.read() }
            guard let bytes else { throw .closed }
            link?.machine.receive(bytes)
        }
    }

    private func wait<R: Sendable>(
        _ limit: Duration, for stream: any ByteStream, _ body: @Sendable () async throws -> R
    ) async throws(MilterError) -> R {
        let end = ContinuousClock.now + limit
        stream.timeout = limit
        do {
            return try await body()
        } catch {
            throw ContinuousClock.now < end ? .closed : .timeout
        }
    }
}
