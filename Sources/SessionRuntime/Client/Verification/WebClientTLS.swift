package import NIOSSL

/// TLS for fetching by HTTPS: certificate and name are verified. A file that cannot be read means that nothing is trusted.
package func webClientTLS(trustRootsFile: String?) -> TLSConfiguration {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    configuration.cipherSuiteValues = TLSContext.cipherSuites
    if let trustRootsFile {
        let certificates = (try? NIOSSLCertificate.fromPEMFile(trustRootsFile)) ?? []
        configuration.trustRoots = .certificates(certificates)
    }
    return configuration
}

/// Whether a connection failed because of the peer's certificate.
package func isCertificateFailure(_ error: any Error) -> Bool {
    if let error = error as? NIOSSLError, case .handshakeFailed(let cause) = error {
        return String(describing: cause).contains("CERTIFICATE_VERIFY_FAILED")
    }
    return error is NIOSSLExtraError
}
