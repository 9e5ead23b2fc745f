/// What an operator asks about certificates.
package enum CertificateRequest: Codable, Sendable, Equatable {
    case status
    case renew(name: String?, force: Bool)
    case records(name: String?)
    /// A reason of RFC 5280 §5.3.1.
    case revoke(name: String, reason: Int?)

    /// For the log.
    var name: String {
        switch self {
        case .status: "certificate status"
        case .renew(let name, let force): "certificate renew\(force ? " --force" : "")" + (name.map { " \($0)" } ?? "")
        case .records: "certificate tlsa"
        case .revoke(let name, _): "certificate revoke \(name)"
        }
    }
}

package enum CertificateReply: Codable, Sendable, Equatable {
    case status([CertificateStatus])
    case outcomes([CertificateOutcome])
    case records([CertificateRecords])
}

extension CertificateManager {
    package func perform(
        _ request: CertificateRequest, reply: @Sendable (CertificateReply) -> Void
    ) async throws(OperatorError) {
        switch request {
        case .status: reply(.status(status()))
        case .renew(let name, let force): reply(.outcomes(try await renew(name, force: force)))
        case .records(let name): reply(.records(try await records(name)))
        case .revoke(let name, let reason): try await revoke(name, reason: reason)
        }
    }
}
