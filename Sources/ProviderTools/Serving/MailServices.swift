import Authentication
import Foundation
import IMAPServer
package import MailDelivery
package import MailStore
package import MailVocabulary
import POP3Server
package import SessionRuntime
import SubmissionServer
import WireFraming

package enum MailProtocol: String, Sendable, CaseIterable, Codable {
    case imap, pop3, submission
}

/// The protocols' services on one store, and how their sessions are made.
package struct MailServices: Sendable {
    let store: any MailStore
    let authenticator: any Authenticator
    let imap: IMAPService
    let imapSettings: IMAPSettings
    let pop3: POP3Service
    let submission: SubmissionService
    let lmtp: SubmissionService
    let operation: OperationConfiguration

    package init(
        store: any MailStore, acceptance: Acceptance, authenticator: any Authenticator,
        configuration: ServerConfiguration
    ) {
        self.store = store
        self.authenticator = authenticator
        operation = configuration.operation
        imap = IMAPService(store: store, authenticator: authenticator, now: SystemClock.now)
        var settings = IMAPSettings()
        settings.maximumMessageSize = UInt64(configuration.maximumMessageSize)
        settings.offersUnauthenticate = configuration.offersUnauthenticate
        settings.offersLongLiterals = configuration.offersLongLiterals
        settings.messageLimit =
            configuration.messageLimit.map { .processed(UInt32(clamping: $0)) }
            ?? configuration.saveLimit.map { .saved(UInt32(clamping: $0)) }
        let authentication: URLAuthentication = { key, text in MessageAuthentication.code(of: text, key: key) }
        settings.urlAuthentication = authentication
        imapSettings = settings
        pop3 = POP3Service(store: store, authenticator: authenticator)
        submission = SubmissionService(
            acceptance: acceptance, store: store, authenticator: authenticator,
            settings: SubmissionSettings(configuration, role: .submission), urls: SubmissionURLs(imap, authentication))
        lmtp = SubmissionService(
            acceptance: acceptance, store: store, authenticator: nil,
            settings: SubmissionSettings(configuration, role: .lmtp))
    }

    /// Returns the port. Throws `ListenError`.
    package func listen(
        _ mailProtocol: MailProtocol, _ security: ListenerSecurity, on address: ListenerAddress,
        _ runtime: ServerRuntime
    ) async throws -> Int {
        let proxies = operation.proxies(onPort: address.port)
        return switch mailProtocol {
        case .imap:
            try await runtime.listen(on: address, security, imap, proxies: proxies) {
                [imapSettings, store, authenticator] context in
                IMAPSession(
                    context: context, settings: imapSettings, store: store, authenticator: authenticator)
            }
        case .pop3:
            try await runtime.listen(on: address, security, pop3, proxies: proxies) { [authenticator] in
                POP3Session($0, authenticator: authenticator)
            }
        case .submission:
            try await runtime.listen(on: address, security, submission, proxies: proxies) { [submission] in
                submission.session($0)
            }
        }
    }

    /// LMTP on a UNIX socket. Throws `UnixSocketError`.
    package func listenForLMTP(on address: UnixSocketAddress, _ runtime: ServerRuntime) async throws {
        try await runtime.listen(on: address, lmtp) { [lmtp] in lmtp.session($0) }
    }

}

/// The machine's clock, in its own time zone.
package enum SystemClock {
    @Sendable package static func now() -> Timestamp {
        let now = Date()
        let zone = TimeZone.current.secondsFromGMT(for: now)
        return Timestamp(
            seconds: Int64(now.timeIntervalSince1970.rounded(.down)), zoneMinutes: Int16(clamping: zone / 60))
    }
}
