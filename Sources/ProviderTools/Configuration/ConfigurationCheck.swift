import Foundation
import Glibc
import MailDNS
import MailDelivery
import MailRelay
import SessionRuntime

/// What `latchmaild check` finds, beyond the file's grammar.
package struct ConfigurationCheck: Sendable {
    package internal(set) var problems: [String] = []
    package internal(set) var warnings: [String] = []
    /// Each setting as it is in effect, one line each.
    package let effective: [String]

    /// Looks at files and directories; listens nowhere.
    package init(_ configuration: ServerConfiguration, machineName: String = ProcessInfo.processInfo.hostName) {
        effective = Settings.all.map { setting in
            "\(setting.key): " + (setting.value(in: configuration)?.yaml ?? "(not set)")
        }
        let hostname = configuration.hostname ?? machineName
        if configuration.hostname == nil {
            warnings.append("hostname is not set; the machine's name, \(machineName), is used")
        }
        if configuration.messageLimit != nil, configuration.saveLimit != nil {
            warnings.append("imap.save-limit has no meaning beside imap.message-limit")
        }
        checkCertificate(configuration, hostname)
        checkStateDirectory(configuration.stateDirectory)
        checkListeners(configuration)
        checkRelay(configuration.relay)
        for text in configuration.filters.milters where MilterAddress(text) == nil {
            problems.append("filters.milters: “\(text)” is neither inet:port@address nor unix:/path")
        }
        for text in configuration.filters.spamFields where SpamMark(text) == nil {
            problems.append("filters.spam-fields: “\(text)” is not Name: value")
        }
        checkNamesAndAuthorities(configuration)
        let authentication = configuration.authentication.check(defaultDomain: configuration.defaultDomain)
        problems += authentication.problems
        warnings += authentication.warnings
    }

    private mutating func checkCertificate(_ configuration: ServerConfiguration, _ hostname: String) {
        guard configuration.acme.directory == nil else { return checkACME(configuration, hostname) }
        guard let certificate = configuration.certificateFile, let key = configuration.keyFile else {
            problems.append(
                "tls.certificate and tls.key must be set, or acme.directory: nothing is served without TLS")
            return
        }
        let inspection = CertificateInspection(certificateFile: certificate, keyFile: key, hostname: hostname)
        problems += inspection.problems
        warnings += inspection.warnings
    }

    private mutating func checkStateDirectory(_ path: String) {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else {
            let parent = (path as NSString).deletingLastPathComponent
            if access(parent, W_OK) == 0 {
                warnings.append("state-directory \(path) does not exist; it is made at the first start")
            } else {
                problems.append("state-directory \(path) does not exist, and \(parent) cannot be written; make it")
            }
            return
        }
        guard attributes[.type] as? FileAttributeType == .typeDirectory else {
            problems.append("state-directory \(path) is not a directory")
            return
        }
        if access(path, W_OK | X_OK) != 0 { problems.append("state-directory \(path) cannot be written by this user") }
        if (attributes[.posixPermissions] as? Int ?? 0) & 0o007 != 0 {
            warnings.append("state-directory \(path) is open to everyone on this machine; chmod 700 \(path)")
        }
    }

    private mutating func checkListeners(_ configuration: ServerConfiguration) {
        let named = configuration.listeners.map { ($0.name, $0.endpoint) }
        for (index, first) in named.enumerated() {
            for second in named[(index + 1)...] where first.1.conflicts(with: second.1) {
                problems.append("\(first.0) and \(second.0) both claim \(second.1)")
            }
        }
        for endpoint in configuration.lmtp.loopback where !endpoint.isLoopback {
            problems.append("listeners.lmtp.loopback: \(endpoint) is no loopback address; LMTP has no authentication")
        }
        for endpoint in configuration.operation.metrics where endpoint.host != nil && !endpoint.isLoopback {
            problems.append("metrics.listen: \(endpoint) is no loopback address; metrics have no authentication")
        }
        if named.isEmpty { problems.append("listeners: every list is empty, so nothing would be served") }
    }
}

extension ConfigurationCheck {
    private mutating func checkNamesAndAuthorities(_ configuration: ServerConfiguration) {
        do { _ = try UnboundResolver(PolicyServices.Options(configuration).resolver) } catch {
            problems.append("dns: \(error)")
        }
        guard let file = configuration.trustRootsFile, (try? TrustRoots(file: file)) == nil else { return }
        problems.append("tls.trust-roots: no PEM certificates can be read from \(file)")
    }

    private mutating func checkRelay(_ relay: RelayConfiguration) {
        if relay.mode == .smarthost, relay.smarthost == nil {
            problems.append("relay.smarthost must be set for relay.mode smarthost")
        }
        if relay.passwordFile != nil, relay.passwordCommand != nil {
            problems.append("relay.password-file and relay.password-command are both set; remove one")
        }
        if relay.username != nil, relay.passwordFile == nil, relay.passwordCommand == nil {
            problems.append("relay.username has no password: set relay.password-file or relay.password-command")
        }
        if relay.mode == .none, !relay.transports.isEmpty {
            warnings.append("relay.transports has no meaning while relay.mode is none")
        }
        for text in relay.transports where TransportEntry(text) == nil {
            problems.append(
                "relay.transports: “\(text)” is not domain=lmtp:/path, domain=lmtp:address:port on loopback, "
                    + "domain=smtp:host:port or domain=submissions:host:port")
        }
        guard let file = relay.passwordFile else { return }
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: file), access(file, R_OK) == 0 else {
            problems.append("relay.password-file \(file) cannot be read")
            return
        }
        if (attributes[.posixPermissions] as? Int ?? 0) & 0o007 != 0 {
            warnings.append("relay.password-file \(file) is open to everyone on this machine; chmod 600 \(file)")
        }
    }
}

extension Endpoint {
    /// An address that only this machine reaches.
    package var isLoopback: Bool {
        guard let host else { return false }
        if host == "::1" || host == "localhost" { return true }
        return host.hasPrefix("127.") && host.allSatisfy { $0 == "." || $0.isNumber }
    }
}

extension ServerConfiguration {
    /// All places to listen on, each with its key.
    package var listeners: [(name: String, protocol: MailProtocol, isImplicit: Bool, endpoint: Endpoint)] {
        let all: [(MailProtocol, ProtocolListeners)] = [(.imap, imap), (.pop3, pop3), (.submission, submission)]
        return all.flatMap { mailProtocol, listeners in
            listeners.implicit.map { ("listeners.\(mailProtocol.rawValue).implicit", mailProtocol, true, $0) }
                + listeners.startTLS.map { ("listeners.\(mailProtocol.rawValue).starttls", mailProtocol, false, $0) }
        }
    }
}
