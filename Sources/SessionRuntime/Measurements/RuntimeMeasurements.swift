package import MailVocabulary
import TLSPolicy
import WireFraming

/// What became of connections since the start, for whoever exports it. Words that a peer chooses are never labels; what
/// could still be many is counted together beyond a bound.
package final class RuntimeMeasurements: Sendable {
    package let connections = LabelledCounter(labels: ["service", "security"])
    package let handshakes = LabelledCounter(labels: ["service", "version", "cipher", "group", "resumed"])
    package let failedHandshakes = LabelledCounter(labels: ["service", "reason"])
    package let logins = LabelledCounter(labels: ["service", "mechanism", "version", "cipher"])
    package let failedLogins = LabelledCounter(labels: ["service", "mechanism"])
    package let violations = LabelledCounter(labels: ["service"])
    package let refusals = LabelledCounter(labels: ["service", "reason"])
    /// How much later than asked for an event loop did what it was asked to do.
    package let loopLag = Histogram()

    package init() {}

    func record(_ event: SessionEvent, service: String, tls: TLSDescription?) {
        switch event {
        case .authenticated(_, let mechanism):
            logins.increment([
                service, mechanism, tls?.version.rawValue ?? "none", tls?.cipherSuite?.nameOrNumber ?? "none",
            ])
        case .authenticationFailed(_, let mechanism, _): failedLogins.increment([service, mechanism])
        case .violation: violations.increment([service])
        case .unauthenticated, .notice: break
        }
    }

    func secured(_ tls: TLSDescription, service: String) {
        handshakes.increment([
            service, tls.version.rawValue, tls.cipherSuite?.nameOrNumber ?? "unknown", tls.group?.name ?? "unknown",
            tls.isResumed ? "yes" : "no",
        ])
    }
}

extension ListenerSecurity {
    /// The word in metrics and names of sockets.
    package var word: String {
        switch self {
        case .implicitTLS: "implicit"
        case .startTLS: "starttls"
        case .local: "local"
        }
    }
}
