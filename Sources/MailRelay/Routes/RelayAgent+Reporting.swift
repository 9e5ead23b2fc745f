import MailClient
import SessionRuntime
import TLSPolicy
import WireFraming

/// The two ends of a session, as reports name them.
struct SessionPlace {
    var sending: String?
    var receiving: String?

    init(_ address: StreamAddress, _ connection: ClientConnection) {
        sending = connection.localAddress
        if case .internet(let text, _) = address { receiving = text }
    }
}

extension RelayAgent {
    /// Tells how TLS went with a mail exchanger (RFC 8460 §4): of sessions that came as far as to be about TLS.
    func report(
        _ hop: Hop, _ place: SessionPlace, _ result: Result<SecuredPeer?, SMTPClientError>, _ tested: TestedVerdict
    ) {
        guard let recorder, let planned = hop.planned, let policy = planned.reportedPolicy else { return }
        let failure: (kind: TLSFailure?, reason: String?)
        switch result {
        case .success(nil):
            failure = (.startTLSNotSupported, nil)
        case .success(_?):
            failure =
                if case .refused(let refusal)? = tested.value { (TLSFailure(refusal), refusal.reason) } else {
                    (nil, nil)
                }
        case .failure(let error):
            switch error {
            case .insecure(.notOffered), .insecure(.declined): failure = (.startTLSNotSupported, error.text)
            case .insecure(.unverified(let refusal)): failure = (TLSFailure(refusal), refusal.reason)
            case .insecure(.handshakeFailed), .insecure(.injectedOctets):
                failure = (.validationFailure, error.text)
            case .unreachable, .timeout, .refused, .noCommonMechanism, .protocolViolation, .unsendable,
                .bodyUnreadable, .unsendableName:
                return
            }
        }
        recorder.record(
            TLSSessionResult(
                policy: policy, failure: failure.kind, sendingAddress: place.sending,
                receivingAddress: place.receiving, receivingHost: planned.name, reason: failure.reason))
    }
}
