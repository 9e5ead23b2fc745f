import Foundation
import Glibc
import Logging
import NIOCore
import NIOSSL
import NIOTLS
import TLSPolicy
import WireFraming

/// The first handler of a connection to an Implicit TLS port: lets nothing but a finished handshake through, then makes
/// way for the session, which so greets only inside TLS (RFC 8314 §3).
final class HandshakeGate: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let upgrade: TLSUpgrade
    private let time: TimeAmount
    private let log: ConnectionLog
    private let admit: (ChannelHandlerContext, TLSDescription) throws -> Void
    private var deadline: Scheduled<Void>?

    /// - Parameter admit: adds the session's handler to the pipeline.
    init(
        _ upgrade: TLSUpgrade, time: TimeAmount, log: ConnectionLog,
        admit: @escaping (ChannelHandlerContext, TLSDescription) throws -> Void
    ) {
        self.upgrade = upgrade
        self.time = time
        self.log = log
        self.admit = admit
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let channel = NIOLoopBound(context.channel, eventLoop: context.eventLoop)
        deadline = context.eventLoop.scheduleTask(in: time) { [log] in
            log.handshakeTimedOut()
            channel.value.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) { deadline?.cancel() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .handshakeCompleted(let negotiated)? = event as? TLSUserEvent else {
            context.fireUserInboundEventTriggered(event)
            return
        }
        deadline?.cancel()
        let operations = context.pipeline.syncOperations
        upgrade.removeObserver(from: operations)
        guard let tls = upgrade.verdict(negotiatedProtocol: negotiated) else {
            log.record(.violation("foreign application protocol in TLS"))
            context.close(promise: nil)
            return
        }
        do {
            try admit(context, tls)
            operations.removeHandler(context: context, promise: nil)
        } catch {
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        log.handshakeFailed(describeFailure(error))
        context.close(promise: nil)
    }
}

/// A short reason without addresses of objects, for the log.
func describeFailure(_ error: any Error) -> String {
    switch error {
    case NIOSSLError.handshakeFailed(let reason): withoutSourcePlaces("\(reason)")
    case NIOSSLError.uncleanShutdown: "connection closed without close_notify"
    case let error as IOError: systemReason(error.errnoCode)
    case let error as ChannelError: describeFailure(error)
    case _: "\(error)"
    }
}

/// What the system says of an error, without the name of the call that met it: `connection refused`.
private func systemReason(_ code: Int32) -> String {
    let text = String(cString: strerror(code))
    return text.prefix(1).lowercased() + text.dropFirst()
}

private func describeFailure(_ error: ChannelError) -> String {
    switch error {
    case .connectTimeout: "no answer in time"
    case .eof, .inputClosed, .outputClosed, .ioOnClosedChannel, .alreadyClosed: "connection closed"
    case _: "\(error)"
    }
}

/// BoringSSL's errors end in the file and line of its source: of no use to an operator, and a path of the build.
private func withoutSourcePlaces(_ text: String) -> String {
    text.split(separator: ",").map { part in
        guard let place = part.range(of: " at /") else { return String(part) }
        return part[..<place.lowerBound] + (part.hasSuffix("]") ? "]" : "")
    }.joined(separator: ",")
}
