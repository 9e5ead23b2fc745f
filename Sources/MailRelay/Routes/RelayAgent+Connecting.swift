import Logging
import MailClient
import MailDNS
import SASL
import SMTPSyntax
import SessionRuntime
import Synchronization
import TLSPolicy
import WireFraming

extension RelayAgent {
    /// The hosts for a destination, or what becomes of its recipients without any.
    func hops(to destination: String, _ demand: TLSDemand) async -> Result<[Hop], HopFailure> {
        switch settings.routes.route(to: destination) {
        case .lmtp(let address):
            return .success([Hop(lmtp: address)])
        case .host(let host):
            let isRequired = demand == .required
            if let literal = AddressText(literal: host.name) {
                return .success([Hop(host, addresses: [literal.text], isRequired: isRequired)])
            }
            return await addresses(of: host.name).map { [Hop(host, addresses: $0, isRequired: isRequired)] }
        case .exchangers:
            switch await policies.plan(for: destination, demand) {
            case .hosts(let hosts): return exchangers(hosts)
            case .undeliverable(let refusal):
                return .failure(HopFailure(RecipientOutcome(.failed, status: refusal.status, diagnostic: refusal.text)))
            case .deferred(let refusal):
                return .failure(
                    HopFailure(RecipientOutcome(.deferred, status: refusal.status, diagnostic: refusal.text)))
            }
        }
    }

    /// Where this server is an exchanger itself, it is no use to go to those behind it: they send here (RFC 5321 §5.1).
    private func exchangers(_ hosts: [PlannedHost]) -> Result<[Hop], HopFailure> {
        let own = settings.hostname.lowercased()
        let ahead = hosts.prefix { $0.name.lowercased() != own }
        guard !ahead.isEmpty else {
            return .failure(HopFailure(RelayAgent.loop("the domain's mail exchanger is this server", host: own)))
        }
        return .success(ahead.map { Hop($0) })
    }

    static func loop(_ text: String, host: String?) -> RecipientOutcome {
        RecipientOutcome(.failed, status: "5.4.6", diagnostic: "mail loops back to this server: \(text)", remoteHost: host)
    }

    private func addresses(of name: String) async -> Result<[String], HopFailure> {
        var found: [String] = []
        var failure: DNSFailure?
        for type in [DNSRecordType.aaaa, .a] {
            do throws(DNSFailure) {
                for case .address(let octets) in try await resolver.lookUp(name, type).records {
                    if let address = AddressText(octets) { found.append(address.text) }
                }
            } catch { failure = error }
        }
        guard found.isEmpty else { return .success(found) }
        let reason = failure == nil ? "it has no address" : "its address could not be looked up"
        return .failure(
            HopFailure(
                RecipientOutcome(
                    .deferred, status: failure == nil ? "4.4.4" : "4.4.3", diagnostic: "\(name): \(reason)",
                    remoteHost: name)))
    }

    /// A session that is ready for a transaction, as secure as is demanded.
    func connect(_ hop: Hop, _ address: StreamAddress) async throws(HopFailure) -> SMTPClient {
        do throws(SMTPClientError) {
            return try await start(hop, address, security: hop.security)
        } catch {
            // An opportunistic handshake that failed: in cleartext, as without STARTTLS (RFC 7435 §3, RFC 3207 §4.1).
            guard hop.security == .opportunistic, hop.credentials == nil, case .insecure(.handshakeFailed) = error
            else { throw HopFailure(error, hop) }
        }
        do throws(SMTPClientError) {
            return try await start(hop, address, security: .cleartext)
        } catch { throw HopFailure(error, hop) }
    }

    private func start(
        _ hop: Hop, _ address: StreamAddress, security: SMTPClientSettings.Security
    ) async throws(SMTPClientError) -> SMTPClient {
        var clientSettings = SMTPClientSettings(dialect: hop.dialect, security: security, name: settings.hostname)
        if let credentials = hop.credentials {
            do { clientSettings.credentials = try await credentials() } catch {
                throw .unreachable(reason: "the credentials for \(hop.name) cannot be read")
            }
        }
        let connection: ClientConnection
        do throws(ClientConnectionError) {
            connection = try await runtime.open(address, from: settings.sourceAddress, timeout: settings.connectTime)
        } catch {
            throw error == .timeout ? .timeout : .unreachable(reason: RelayAgent.text(error))
        }
        let tested = Mutex<PeerVerdict?>(nil)
        let client = SMTPClient(connection, clientSettings, tls: clientTLS(hop, tested))
        do throws(SMTPClientError) { try await client.start() } catch {
            record(hop, address, connection.localAddress, .failure(error), nil)
            throw error
        }
        // The name it greets with and answers to: a way that leads back here would never end.
        if hop.dialect == .smtp, await client.name == settings.hostname.lowercased() {
            await client.close()
            throw .loop
        }
        record(hop, address, connection.localAddress, .success(await client.peer), tested.withLock { $0 })
        return client
    }

    /// What a policy in testing mode demands is judged beside, and changes nothing (RFC 8461 §5).
    private func clientTLS(_ hop: Hop, _ tested: borrowing Mutex<PeerVerdict?>) -> ClientTLS {
        fatalError()
    }

    private static func text(_ error: ClientConnectionError) -> String {
        switch error {
        case .unreachable(let reason), .closed(let reason), .handshakeFailed(let reason): reason
        case .timeout: "nothing came in time"
        case .injectedBytes: "cleartext came unasked"
        case .unverified(let refusal): refusal.reason
        }
    }
}
