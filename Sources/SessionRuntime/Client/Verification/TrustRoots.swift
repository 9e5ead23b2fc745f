import Foundation
import SwiftASN1
package import X509

/// The certification authorities whose certificates are believed.
package enum TrustRoots: Sendable {
    /// The system's bundle, `/etc/ssl/certs/ca-certificates.crt` or `/etc/pki/tls/certs/ca-bundle.crt`.
    case system
    case certificates([Certificate])

    /// All certificates of a PEM file. Blocks on reading it; throws when it cannot be read or holds none.
    package init(file: String) throws {
        let text = try String(contentsOfFile: file, encoding: .utf8)
        let certificates = try PEMDocument.parseMultiple(pemString: text).map { try Certificate(pemDocument: $0) }
        guard !certificates.isEmpty else { throw PEMFileError(file: file) }
        self = .certificates(certificates)
    }

    var store: CertificateStore {
        switch self {
        case .system: CertificateStore.systemTrustRoots
        case .certificates(let certificates): CertificateStore(certificates)
        }
    }
}

private struct PEMFileError: Error, CustomStringConvertible {
    var file: String
    var description: String { "\(file): it holds no certificate" }
}
