import Foundation
import Glibc
package import Logging
import MailDNS
import Synchronization

/// Keeps the server's certificates valid: gets those that are missing, renews those that are due, tries again what failed.
/// One attempt at a time; a failure never touches a certificate that is there.
package actor CertificateManager {
    /// Between looks at what is due, at most: clocks jump, and files change.
    private static let longestPause: Int64 = 3600
    /// Between questions when the authority would like a renewal (RFC 9773 §4.3).
    private static let suggestionPause: Int64 = 6 * 3600
    /// Between looks at published keys.
    private static let recordPause: Int64 = 3600

    package nonisolated let certificates: [ManagedCertificate]
    let setup: CertificateSetup
    private let logger: Logger
    private var onInstall: @Sendable (ManagedCertificate) -> Void = { _ in }
    /// The end of the work that was asked for last.
    private var last: Task<Void, Never>?
    private var recordsSeen: [String: Int64] = [:]

    /// Nil without ACME. Makes the directory. Throws `OperatorError`.
    package init?(
        _ configuration: ServerConfiguration, hostname: String, httpSockets: [Int32] = [], logger: Logger
    ) throws(OperatorError) {
        guard configuration.acme.directory != nil else { return nil }
        certificates = configuration.managedCertificates(hostname: hostname)
        guard !certificates.isEmpty else {
            throw OperatorError(.configuration, "acme.certificates: there is no name that a certificate could have")
        }
        setup = try CertificateSetup(configuration, httpSockets: httpSockets, logger: logger)
        self.logger = logger
    }

    /// Where the pair is, or will be, that serves clients which ask for no name.
    package nonisolated var defaultFiles: (certificate: String, key: String) { files(of: certificates[0]) }

    package nonisolated func files(of certificate: ManagedCertificate) -> (certificate: String, key: String) {
        let files = setup.files(certificate)
        return (files.chainFile, files.keyFile)
    }

    /// Whether there is one to serve with.
    package nonisolated var hasDefault: Bool { setup.files(certificates[0]).current() != nil }

    /// Called after a new pair is in its place.
    package func setOnInstall(_ body: @escaping @Sendable (ManagedCertificate) -> Void) { onInstall = body }

    /// Until it is cancelled.
    package func run() async {
        while !Task.isCancelled {
            for certificate in certificates { await serially { await self.look(certificate) } }
            let now = Self.now()
            let next = certificates.map { setup.due($0) }.min() ?? now
            let pause = min(max(next - now, 1), Self.longestPause)
            try? await Task.sleep(for: .seconds(pause))
        }
    }

    /// Tries what is due now, or failed, whatever was said of waiting; with `force`, all.
    ///
    /// - Parameter name: of one certificate; nil: all. Throws `OperatorError` for one that there is not.
    package func renew(_ name: String?, force: Bool) async throws(OperatorError) -> [CertificateOutcome] {
        var outcomes: [CertificateOutcome] = []
        for certificate in try selected(name) {
            let isDue = setup.due(certificate, afterFailure: false) <= Self.now()
            guard force || isDue else {
                outcomes.append(CertificateOutcome(name: certificate.name, result: .notDue))
                continue
            }
            let failure = await serially { await self.attempt(certificate) }
            outcomes.append(
                CertificateOutcome(
                    name: certificate.name, result: failure == nil ? .renewed : .failed, reason: failure?.description))
        }
        return outcomes
    }

    /// Throws `OperatorError` when the name is none.
    package func selected(_ name: String?) throws(OperatorError) -> [ManagedCertificate] {
        guard let name else { return certificates }
        let found = certificates.filter { $0.name == name || $0.names.contains(name.lowercased()) }
        guard !found.isEmpty else {
            throw OperatorError(
                .dataError, "there is no certificate “\(name)”; “latchmaild certificate status” shows all")
        }
        return found
    }

    /// Revokes the current certificate at the authority; another one, with another key, is got at once.
    ///
    /// - Parameter reason: RFC 5280 §5.3.1.
    package func revoke(_ name: String, reason: Int?) async throws(OperatorError) {
        for certificate in try selected(name) {
            let failure = await serially { await self.revoke(certificate, reason) }
            if let failure { throw OperatorError(.unavailable, failure.description) }
        }
    }

    // MARK: One at a time

    private func serially<R: Sendable>(_ work: @escaping @Sendable () async -> R) async -> R {
        let previous = last
        let task = Task {
            await previous?.value
            return await work()
        }
        last = Task { _ = await task.value }
        // Who stops waiting stops the work.
        return await withTaskCancellationHandler {
            await task.value
        } onCancel: {
            task.cancel()
        }
    }

    private func look(_ certificate: ManagedCertificate) async {
        await askSuggestion(certificate)
        await lookAtRecords(certificate)
        guard setup.due(certificate) <= Self.now() else { return }
        _ = await attempt(certificate)
    }

    /// Nil when it succeeded.
    private func attempt(_ certificate: ManagedCertificate) async -> ACMEError? {
        let files = setup.files(certificate)
        do throws(ACMEError) {
            try files.makeDirectory()
            let lock = try setup.lock()
            defer { close(lock) }
            try begin(files)
            logger.notice("certificate: asking for one", metadata: ["name": "\(certificate.name)"])
            do throws(ACMEError) {
                try await setup.renewal(certificate).run()
            } catch {
                guard case .problem(let problem) = error, problem.type == "accountDoesNotExist" else { throw error }
                try await setup.client().forgetAccount()
                try await setup.renewal(certificate).run()
            }
        } catch {
            record(error, certificate, files)
            return error
        }
        logger.notice(
            "certificate: installed",
            metadata: [
                "name": "\(certificate.name)", "expires": "\(CertificateText.time(files.current()?.chain.notAfter))",
            ])
        onInstall(certificate)
        return nil
    }

    /// An attempt that a crash ends counts as one that failed.
    private func begin(_ files: CertificateFolder) throws(ACMEError) {
        var state = files.state()
        state.lastAttempt = Self.now()
        state.failures += 1
        state.nextAttempt = Self.now() + setup.retryDelay(state.failures, asked: nil)
        try files.write(state)
    }

    private func record(_ error: ACMEError, _ certificate: ManagedCertificate, _ files: CertificateFolder) {
        var state = files.state()
        state.lastError = error.description
        let now = Self.now()
        state.failures = max(state.failures, 1)
        state.nextAttempt = now + setup.retryDelay(state.failures, asked: error.retryAfter)
        try? files.write(state)
        logger.error(
            "certificate: not got",
            metadata: [
                "name": "\(certificate.name)", "reason": "\(error)",
                "next-attempt": "\(CertificateText.time(state.nextAttempt))",
                "has-one": "\(files.current() != nil)",
            ])
    }

    private func revoke(_ certificate: ManagedCertificate, _ reason: Int?) async -> ACMEError? {
        let files = setup.files(certificate)
        guard let current = files.current() else {
            return .configuration("there is no certificate \(certificate.name)")
        }
        do throws(ACMEError) {
            let client = setup.client()
            guard let url = try await client.directory().revokeCert else {
                throw .malformed("the authority has no way to revoke certificates")
            }
            let request = RevocationRequest(certificate: Base64URL.encode(current.chain.leafOctets), reason: reason)
            do throws(ACMEError) { _ = try await client.post(url, request) } catch {
                guard case .problem(let problem) = error, problem.type == "alreadyRevoked" else { throw error }
            }
            var state = files.state()
            state.isRevoked = true
            state.order = nil
            state.nextAttempt = nil
            try files.write(state)
        } catch {
            return error
        }
        logger.warning("certificate: revoked", metadata: ["name": "\(certificate.name)"])
        return await attempt(certificate)
    }

    // MARK: What others say

    /// When the authority would like it renewed; not being able to ask is nothing that matters.
    private func askSuggestion(_ certificate: ManagedCertificate) async {
        let files = setup.files(certificate)
        guard let current = files.current(), let identifier = current.chain.renewalIdentifier else { return }
        var state = files.state()
        let isKnown = state.suggestionFor == identifier
        guard !isKnown || Self.now() - (state.suggestionAsked ?? 0) >= Self.suggestionPause else { return }
        (state.suggestionFor, state.suggestionAsked) = (identifier, Self.now())
        if !isKnown { state.suggestedRenewal = nil }
        do throws(ACMEError) {
            let suggested = try await setup.client().suggestedRenewal(of: current.chain)
            state.suggestedRenewal = suggested
        } catch {
            logger.debug("certificate: renewal information not read", metadata: ["reason": "\(error)"])
        }
        try? files.write(state)
    }

    /// Since when the next key is published must be known before it is needed.
    private func lookAtRecords(_ certificate: ManagedCertificate) async {
        let now = Self.now()
        guard setup.acme.rollsKeys, now - (recordsSeen[certificate.name] ?? 0) >= Self.recordPause else { return }
        recordsSeen[certificate.name] = now
        let files = setup.files(certificate)
        guard files.current() != nil else { return }
        var state = files.state()
        _ = try? await setup.keys(certificate).observe(&state)
        try? files.write(state)
    }

    static func now() -> Int64 { Int64(Date().timeIntervalSince1970) }
}
