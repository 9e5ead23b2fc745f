import IMAPServer
import POP3Server
package import SessionRuntime
import SubmissionServer

extension MailServices {
    /// Serves a socket that is bound already. Throws `ListenError`.
    package func listen(_ use: ListeningSockets.Use, on socket: BoundSocket, _ runtime: ServerRuntime) async throws {
        let proxies = operation.proxies(onPort: socket.port)
        switch use {
        case .lmtp:
            try await runtime.listen(on: socket, .local, lmtp) { [lmtp] in lmtp.session($0) }
        case .mail(let mailProtocol, let isImplicit):
            let security: ListenerSecurity = isImplicit ? .implicitTLS : .startTLS
            switch mailProtocol {
            case .imap:
                try await runtime.listen(on: socket, security, imap, proxies: proxies) {
                    [imapSettings, store, authenticator] context in
                    IMAPSession(
                        context: context, settings: imapSettings, store: store, authenticator: authenticator)
                }
            case .pop3:
                try await runtime.listen(on: socket, security, pop3, proxies: proxies) { [authenticator] in
                    POP3Session($0, authenticator: authenticator)
                }
            case .submission:
                try await runtime.listen(on: socket, security, submission, proxies: proxies) { [submission] in
                    submission.session($0)
                }
            }
        }
    }
}
