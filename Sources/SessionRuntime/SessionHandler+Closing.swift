import Logging
import NIOCore
import TLSPolicy
import WireFraming

extension SessionHandler where Session: ~Copyable {
    /// How long a plaintext connection is drained after the last answer. Closing with input unread would make the
    /// kernel send a reset, which may destroy that answer on its way.
    private var lingering: TimeAmount { .seconds(1) }

    /// Closes when the socket has taken what was written; a peer that takes nothing is not waited for beyond
    /// `stallTime`.
    func close(_ context: ChannelHandlerContext) {
        guard waiting != .close else { return }
        waiting = .close
        input = ByteBuffer()
        compressedInput = nil
        work?.cancel()
        recordEvents()
        alarm?.cancel()
        if readIsHeld {
            readIsHeld = false
            context.read()
        }
        let channel = NIOLoopBound(context.channel, eventLoop: context.eventLoop)
        alarm = context.eventLoop.scheduleTask(in: TimeAmount(limits.stallTime)) { channel.value.close(promise: nil) }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        (lastWrite ?? context.eventLoop.makeSucceededVoidFuture()).whenComplete { _ in bound.value.finishClosing() }
    }

    private func finishClosing() {
        guard let context else { return }
        alarm?.cancel()
        guard log.tls == nil, !upgradeStarted else { return context.close(promise: nil) }
        context.close(mode: .output, promise: nil)
        let channel = NIOLoopBound(context.channel, eventLoop: context.eventLoop)
        alarm = context.eventLoop.scheduleTask(in: lingering) { channel.value.close(promise: nil) }
    }

    /// The server stops. A command in progress is finished first: its answer must say what became of it, and a
    /// farewell in the middle of a message would be taken for the message.
    func stop() {
        guard waiting != .close, let context else { return }
        isStopping = true
        switch waiting {
        case .input: sayGoodbye(context)
        case .handshake: close(context)
        case .work, .drain, .close: break
        }
    }

    func sayGoodbye(_ context: ChannelHandlerContext) {
        session.stopping(&output)
        write(context)
        close(context)
    }

    // STARTTLS

    /// The session's answer is written: from here on every byte of the network belongs to the handshake.
    func startTLS(_ context: ChannelHandlerContext) {
        // The session refuses the command when anything is buffered behind it; what is here came since.
        input = ByteBuffer()
        do { try permit.beginHandshake() } catch {
            log.refused(error)
            return close(context)
        }
        guard let tls, let upgrade = try? TLSUpgrade(tls, applicationProtocols: service.applicationProtocols) else {
            log.logger.error("STARTTLS was offered but cannot succeed")
            return close(context)
        }
        do {
            try upgrade.install(in: context.pipeline.syncOperations)
        } catch {
            return close(context)
        }
        self.upgrade = upgrade
        upgradeStarted = true
        wait(.handshake, context)
        setDeadline(limits.handshakeTime, context)
    }

    // Deadlines

    /// Closes the connection unless another deadline is set within `time`. One timer serves all: it looks, when it
    /// goes off, whether the deadline has moved on.
    func setDeadline(_ time: Duration, _ context: ChannelHandlerContext) {
        deadline = .now() + TimeAmount(time)
        if alarm == nil || deadline < alarmTime { arm(context) }
    }

    /// Makes the deadline no later than `limit`.
    func bringForward(_ limit: NIODeadline, _ context: ChannelHandlerContext) {
        guard limit < deadline else { return }
        deadline = limit
        if deadline < alarmTime { arm(context) }
    }

    private func arm(_ context: ChannelHandlerContext) {
        alarm?.cancel()
        alarmTime = deadline
        let bound = NIOLoopBound(WeakHandler(handler: self), eventLoop: context.eventLoop)
        alarm = context.eventLoop.scheduleTask(deadline: deadline) { bound.value.handler?.alarmWentOff() }
    }

    private func alarmWentOff() {
        alarm = nil
        guard let context, waiting != .close else { return }
        if deadline == .distantFuture {
            return
        } else if NIODeadline.now() < deadline {
            arm(context)
        } else if waiting == .handshake {
            log.handshakeTimedOut()
            close(context)
        } else if waiting == .drain {
            log.logger.info("reads nothing")
            close(context)
        } else {
            log.logger.info("idle too long")
            session.timedOut(&output)
            write(context)
            close(context)
        }
    }
}
