import Logging
import NIOCore
import NIOSSL
import NIOTLS
import TLSPolicy
import WireFraming

/// Drives one session machine on its connection's event loop: gives it bytes and outcomes, and does what its steps
/// say. Everything here happens on that loop, so nothing is locked.
///
/// Back-pressure: while the session waits for work or for the socket to drain, no more is read from the network; what
/// it appends is written in pieces that keep the TLS handler's buffer small.
final class SessionHandler<Session: ProtocolSession & ~Copyable, Service: SessionService>: ChannelDuplexHandler
where Session.Work == Service.Work, Session.Outcome == Service.Outcome {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    enum Waiting {
        case input, work, drain, handshake, close
    }

    /// Octets of unread input held beyond which the network is not read: one long line or a chunk of message data.
    let inputLimit = 64 * 1024
    /// Steps in one go after which other connections of the loop get their turn.
    let stepsPerTurn = 64

    var session: Session
    let service: Service
    let tls: TLSContext?
    let limits: RuntimeLimits
    let permit: ConnectionPermit
    let running: RunningWork
    var log: ConnectionLog

    var waiting = Waiting.work
    var input = ByteBuffer()
    var readIsHeld = false
    var output = SessionOutput()
    var upgrade: TLSUpgrade?
    var upgradeStarted = false
    /// What the peer sends, while it is compressed; `input` is made of it piece by piece.
    var compressedInput: CompressedInput?
    /// While what is written is compressed.
    var deflater: Deflater?
    var changes: PendingChange?
    /// Done when the socket has taken everything written so far.
    var lastWrite: EventLoopFuture<Void>?
    /// The asynchronous work in progress.
    var work: Task<Void, Never>?
    /// The server stops: the session says goodbye at the next moment at which the protocol allows it.
    var isStopping = false
    var deadline = NIODeadline.distantFuture
    /// Octets the session has consumed: whoever sends without completing a frame makes no progress.
    var consumedInput = 0
    var consumedAtDeadline = -1
    /// When a peer that has not proved who it is must go.
    var authenticationDeadline = NIODeadline.distantFuture
    var alarm: Scheduled<Void>?
    var alarmTime = NIODeadline.distantFuture
    var context: ChannelHandlerContext?

    init(
        _ session: consuming Session, service: Service, tls: TLSContext?, limits: RuntimeLimits, running: RunningWork,
        permit: ConnectionPermit, log: ConnectionLog
    ) {
        self.session = session
        self.service = service
        self.tls = tls
        self.limits = limits
        self.running = running
        self.permit = permit
        self.log = log
    }

    // Events of the channel

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        observeChanges(context)
        authenticationDeadline = .now() + TimeAmount(limits.unauthenticatedTime)
        let step = session.connected(&output)
        drive(step, context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        alarm?.cancel()
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard waiting != .close else { return }
        var more = unwrapInboundIn(data)
        if compressedInput != nil {
            compressedInput?.add(&more)
        } else if input.readableBytes == 0 {
            input = more
        } else {
            input.writeBuffer(&more)
        }
        if waiting == .input { drive(.ready, context) }
    }

    func read(context: ChannelHandlerContext) {
        if mayRead { context.read() } else { readIsHeld = true }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            if waiting == .drain { resumeDraining(context) } else { changeArrived() }
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent, let upgrade else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        self.upgrade = nil
        permit.endHandshake()
        upgrade.removeObserver(from: context.pipeline.syncOperations)
        guard let tls = upgrade.verdict(negotiatedProtocol: negotiated) else {
            log.record(.violation("foreign application protocol in TLS"))
            return close(context)
        }
        log.secured(tls)
        let step = session.secured(tls, &output)
        drive(step, context)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if waiting == .handshake {
            log.handshakeFailed(describeFailure(error))
        } else {
            log.logger.debug("connection failed", metadata: ["reason": "\(describeFailure(error))"])
        }
        close(context)
    }

    func channelInactive(context: ChannelHandlerContext) {
        waiting = .close
        alarm?.cancel()
        work?.cancel()
        log.logger.debug("closed")
        context.fireChannelInactive()
    }

    // Driving

    /// Takes steps until the session waits for something.
    func drive(_ first: SessionStep<Session.Work>, _ context: ChannelHandlerContext) {
        var step = first
        for _ in 0..<stepsPerTurn {
            recordEvents()
            switch step {
            case .ready:
                guard writeIfLarge(context) else { return wait(.drain, context) }
                step = giveInput()
            case .needInput:
                guard inflateInput(context) else { return awaitInput(context) }
                step = giveInput()
            case .perform(let work):
                return start(work, context)
            case .produce:
                write(context)
                guard context.channel.isWritable else { return wait(.drain, context) }
                step = session.produce(&output)
            case .startTLS:
                write(context)
                return startTLS(context)
            case .startCompression:
                write(context)
                guard startCompression(context) else { return close(context) }
                step = giveInput()
            case .stopCompression:
                write(context)
                guard stopCompression(context) else { return close(context) }
                step = giveInput()
            case .close:
                write(context)
                return close(context)
            }
        }
        yieldTurn(step, context)
    }

    private func giveInput() -> SessionStep<Session.Work> {
        guard input.readableBytes > 0 else { return .needInput }
        var consumed = 0
        let step = session.received(input.readableBytesUInt8Span, consumed: &consumed, &output)
        input.moveReaderIndex(forwardBy: consumed)
        consumedInput &+= consumed
        if case .ready = step, consumed == 0 { return .needInput }
        return step
    }

    private func awaitInput(_ context: ChannelHandlerContext) {
        guard !isStopping else { return sayGoodbye(context) }
        if context.channel.isWritable, changes?.take() == true {
            waiting = .input
            return notified(context)
        }
        write(context)
        compactInput(context)
        guard input.readableBytes < inputLimit else {
            // The session has caps on lines and literals far below this; one that still waits is stuck.
            log.record(.violation("input without end"))
            return close(context)
        }
        wait(.input, context)
        // A frame that only grows does not earn more time: the deadline stays where it was.
        guard consumedInput != consumedAtDeadline || deadline == .distantFuture else { return }
        consumedAtDeadline = consumedInput
        setDeadline(session.patience, context)
        if !session.isAuthenticated { bringForward(authenticationDeadline, context) }
    }

    func wait(_ state: Waiting, _ context: ChannelHandlerContext) {
        waiting = state
        if state == .drain {
            setDeadline(limits.stallTime, context)
            if !session.isAuthenticated { bringForward(authenticationDeadline, context) }
        }
        if mayRead, readIsHeld {
            readIsHeld = false
            context.read()
        }
    }

    var mayRead: Bool {
        switch waiting {
        case .input, .handshake, .close: true
        // Up to a bound, so that a peer that goes away is noticed.
        case .work, .drain: input.readableBytes + (compressedInput?.readableBytes ?? 0) < inputLimit
        }
    }

    private func resumeDraining(_ context: ChannelHandlerContext) {
        waiting = .work
        deadline = .distantFuture
        guard !isPaused else {
            isPaused = false
            return drive(.ready, context)
        }
        let step = session.produce(&output)
        drive(step, context)
    }

    /// True while the session is ready for input but its answers to earlier commands have not drained.
    private var isPaused = false

    /// Writes what has piled up from pipelined commands. False when the socket takes no more.
    private func writeIfLarge(_ context: ChannelHandlerContext) -> Bool {
        guard output.bytes.count >= productionChunk else { return true }
        write(context)
        isPaused = !context.channel.isWritable
        return !isPaused
    }

    private func yieldTurn(_ step: SessionStep<Session.Work>, _ context: ChannelHandlerContext) {
        waiting = .work
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.eventLoop.execute {
            guard bound.value.waiting == .work, let context = bound.value.context else { return }
            bound.value.drive(step, context)
        }
    }

    func recordEvents() {
        guard !output.events.isEmpty else { return }
        for event in output.events {
            log.record(event)
            switch event {
            case .authenticated: permit.authenticated()
            case .unauthenticated:
                permit.unauthenticated()
                authenticationDeadline = .now() + TimeAmount(limits.unauthenticatedTime)
            case .authenticationFailed, .violation, .notice: break
            }
        }
        output.events = []
    }
}
