import NIOCore
package import NIOSSL
import Synchronization
package import TLSPolicy

/// Why TLS cannot be offered. Each case says which file to look at.
package enum TLSContextError: Error, Sendable, CustomStringConvertible {
    case unreadable(file: String, reason: String)
    case keyDoesNotMatch(certificate: String, key: String)

    package var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file): \(reason)"
        case .keyDoesNotMatch(let certificate, let key):
            "the private key in \(key) does not belong to the certificate in \(certificate)"
        }
    }
}

/// The server's certificate and TLS settings, reloadable: connections made after a reload use the new certificate,
/// open ones keep theirs.
package final class TLSContext: Sendable {
    /// TLS 1.2 suites by preference: forward secrecy and AEAD only (RFC 9325 §4.2). TLS 1.3's are all of that kind.
    static let cipherSuites: [NIOTLSCipher] = [
        .TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, .TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        .TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, .TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        .TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, .TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    ]
    /// Post-quantum hybrid first where the client has it.
    static let groups: [NIOTLSCurve] = [
        NIOTLSCurve(0x11EC), .x25519, .secp256r1, .secp384r1,
    ]
    /// How long a close waits for the peer's close_notify: some clients only wait for the end of the stream.
    static let shutdownTimeout = TimeAmount.milliseconds(300)

    private struct Loaded {
        var chain: [NIOSSLCertificate]
        var key: NIOSSLPrivateKey
        /// One for each list of application protocols: that is a property of a context.
        var contexts: [[String]: NIOSSLContext] = [:]
    }

    private let certificateFile: String
    private let keyFile: String
    private let minimumVersion: TLSPolicy.TLSVersion
    private let loaded: Mutex<Loaded>

    /// PEM files: the certificate with its intermediates, leaf first, and its private key. Blocks on file reads.
    ///
    /// Throws `TLSContextError`.
    package init(certificateFile: String, keyFile: String, minimumVersion: TLSPolicy.TLSVersion = .tls12) throws {
        self.certificateFile = certificateFile
        self.keyFile = keyFile
        self.minimumVersion = minimumVersion
        loaded = Mutex(try TLSContext.load(certificateFile, keyFile))
    }

    /// Reads the files again; on failure the old certificate stays in use. Blocks on file reads.
    package func reload() throws {
        let fresh = try TLSContext.load(certificateFile, keyFile)
        loaded.withLock { $0 = fresh }
    }

    /// DER of the certificates that new connections are shown, without their issuers'.
    package var certificatesInUse: [[UInt8]] {
        loaded.withLock { loaded in loaded.chain.first.flatMap { try? $0.toDERBytes() }.map { [$0] } ?? [] }
    }

    package func context(applicationProtocols: [String]) throws -> NIOSSLContext {
        try loaded.withLock { loaded in
            if let context = loaded.contexts[applicationProtocols] { return context }
            let context = try NIOSSLContext(
                configuration: TLSContext.configuration(loaded.chain, loaded.key, applicationProtocols, minimumVersion))
            TLSInspector.preferServerOrder(context)
            loaded.contexts[applicationProtocols] = context
            return context
        }
    }

    private static func load(_ certificateFile: String, _ keyFile: String) throws -> Loaded {
        let chain: [NIOSSLCertificate]
        let key: NIOSSLPrivateKey
        do { chain = try NIOSSLCertificate.fromPEMFile(certificateFile) } catch {
            throw TLSContextError.unreadable(file: certificateFile, reason: "no PEM certificate can be read from it")
        }
        guard !chain.isEmpty else {
            throw TLSContextError.unreadable(file: certificateFile, reason: "it holds no certificate")
        }
        do { key = try NIOSSLPrivateKey(file: keyFile, format: .pem) } catch {
            throw TLSContextError.unreadable(file: keyFile, reason: "no PEM private key can be read from it")
        }
        do { _ = try NIOSSLContext(configuration: configuration(chain, key, [])) } catch {
            throw TLSContextError.keyDoesNotMatch(certificate: certificateFile, key: keyFile)
        }
        return Loaded(chain: chain, key: key)
    }

    private static func configuration(
        _ chain: [NIOSSLCertificate], _ key: NIOSSLPrivateKey, _ applicationProtocols: [String],
        _ minimumVersion: TLSPolicy.TLSVersion = .tls12
    ) -> TLSConfiguration {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = minimumVersion == .tls13 ? .tlsv13 : .tlsv12
        configuration.cipherSuiteValues = cipherSuites
        configuration.curves = groups
        configuration.certificateVerification = .none
        configuration.applicationProtocols = applicationProtocols
        configuration.shutdownTimeout = shutdownTimeout
        // No client certificate is asked for, so no trust store needs to be read.
        configuration.trustRoots = .certificates([])
        return configuration
    }
}
