import NIOCore
import NIOSSL
import NIOTLS
import TLSPolicy

/// A connection's end on its event loop: keeps what has come until someone reads it, up to a bound, and what was asked
/// for until it is done.
final class ClientHandler: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let state = ClientConnectionState()
    private var context: ChannelHandlerContext?
    private var input = ByteBuffer()
    private var readIsHeld = false
    /// Why nothing more will come; nil error for the peer's orderly end.
    private var ending: Ending?
    private var reader: Waiter<[UInt8]?>?
    private var handshake: Handshake?

    private enum Ending {
        case peerClosed
        case failed(ClientConnectionError)
    }

    /// Someone who waits, and until when.
    private struct Waiter<R: Sendable> {
        let promise: EventLoopPromise<R>
        let alarm: Scheduled<Void>
    }

    private struct Handshake {
        let waiter: Waiter<SecuredPeer>
        let upgrade: ClientTLSUpgrade
    }

    // What the owner asks for, on the loop

    func read(within limit: TimeAmount, _ promise: EventLoopPromise<[UInt8]?>) {
        guard reader == nil, handshake == nil else {
            return promise.fail(ClientConnectionError.closed(reason: "read by two at once"))
        }
        if input.readableBytes > 0 { return promise.succeed(takeInput()) }
        switch ending {
        case .peerClosed?: promise.succeed(nil)
        case .failed(let error)?: promise.fail(error)
        case nil: reader = Waiter(promise: promise, alarm: alarm(promise, limit))
        }
    }

    func write(_ bytes: [UInt8], within limit: TimeAmount, _ promise: EventLoopPromise<Void>) {
        if let error = endingError { return promise.fail(error) }
        guard let context else { return promise.fail(ClientConnectionError.closed(reason: "closed")) }
        let alarm = alarm(promise, limit)
        let written = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        written.futureResult.whenComplete { result in
            alarm.cancel()
            switch result {
            case .success: promise.succeed(())
            case .failure(let error): promise.fail(bound.value.endingError ?? ClientHandler.broken(error))
            }
        }
        context.writeAndFlush(wrapOutboundOut(context.channel.allocator.buffer(bytes: bytes)), promise: written)
    }

    func startTLS(
        _ request: ClientTLS, _ runtime: ClientRuntime, within limit: TimeAmount,
        _ promise: EventLoopPromise<SecuredPeer>
    ) {
        if let error = endingError { return promise.fail(error) }
        guard let context, reader == nil, handshake == nil else {
            return promise.fail(ClientConnectionError.closed(reason: "in use"))
        }
        guard input.readableBytes == 0 else {
            promise.fail(ClientConnectionError.injectedBytes)
            return end(.injectedBytes)
        }
        do {
            let upgrade = try ClientTLSUpgrade(request, runtime)
            handshake = Handshake(waiter: Waiter(promise: promise, alarm: alarm(promise, limit)), upgrade: upgrade)
            try upgrade.install(in: context.pipeline.syncOperations)
        } catch {
            let failure = ClientConnectionError.handshakeFailed(reason: describeFailure(error))
            promise.fail(failure)
            end(failure)
        }
    }

    /// Nothing more is to come of it: whoever waits gets the error.
    func end(_ error: ClientConnectionError) {
        finish(.failed(error))
        context?.close(mode: .all, promise: nil)
    }

    // Events of the channel

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) {
        finish(.failed(.closed(reason: "closed")))
        self.context = nil
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard ending == nil else { return }
        guard handshake == nil else {
            // Only what the TLS handler passes on comes here, and it passes on nothing before it is done.
            return end(.injectedBytes)
        }
        var more = unwrapInboundIn(data)
        if input.readableBytes == 0 { input = more } else { input.writeBuffer(&more) }
        state.setUnread(true)
        guard let reader else { return }
        self.reader = nil
        reader.alarm.cancel()
        reader.promise.succeed(takeInput())
    }

    func read(context: ChannelHandlerContext) {
        if input.readableBytes < ClientConnection.inputLimit { context.read() } else { readIsHeld = true }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent, let handshake else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        self.handshake = nil
        handshake.waiter.alarm.cancel()
        do {
            handshake.waiter.promise.succeed(
                try handshake.upgrade.result(negotiatedProtocol: negotiated, in: context.pipeline.syncOperations))
        } catch {
            let failure = error as? ClientConnectionError ?? .handshakeFailed(reason: describeFailure(error))
            handshake.waiter.promise.fail(failure)
            end(failure)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let handshake {
            let refusal = handshake.upgrade.refusal.map { ClientConnectionError.unverified($0) }
            end(refusal ?? .handshakeFailed(reason: describeFailure(error)))
        } else {
            end(ClientHandler.broken(error))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        if let handshake {
            let refusal = handshake.upgrade.refusal.map { ClientConnectionError.unverified($0) }
            finish(.failed(refusal ?? .handshakeFailed(reason: "the peer closed the connection")))
        } else {
            finish(.peerClosed)
        }
        context.fireChannelInactive()
    }

    // Inside

    /// The first reason stays.
    private func finish(_ reason: Ending) {
        guard ending == nil else { return }
        ending = reason
        state.close()
        if let reader {
            self.reader = nil
            reader.alarm.cancel()
            switch reason {
            case .peerClosed: reader.promise.succeed(nil)
            case .failed(let error): reader.promise.fail(error)
            }
        }
        if let handshake {
            self.handshake = nil
            handshake.waiter.alarm.cancel()
            handshake.waiter.promise.fail(endingError ?? .closed(reason: "closed"))
        }
    }

    private var endingError: ClientConnectionError? {
        switch ending {
        case nil: nil
        case .peerClosed?: .closed(reason: "the peer closed the connection")
        case .failed(let error)?: error
        }
    }

    private static func broken(_ error: any Error) -> ClientConnectionError {
        error as? ClientConnectionError ?? .closed(reason: describeFailure(error))
    }

    private func takeInput() -> [UInt8] {
        let taken = Array(input.readableBytesView)
        input = ByteBuffer()
        state.setUnread(false)
        if readIsHeld {
            readIsHeld = false
            context?.read()
        }
        return taken
    }

    private func alarm<R>(_ promise: EventLoopPromise<R>, _ limit: TimeAmount) -> Scheduled<Void> {
        let bound = NIOLoopBound(self, eventLoop: promise.futureResult.eventLoop)
        return promise.futureResult.eventLoop.scheduleTask(in: limit) {
            promise.fail(ClientConnectionError.timeout)
            bound.value.end(.timeout)
        }
    }
}
