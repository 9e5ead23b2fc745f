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
            if IPAddress.octets(host.name) != nil {
                return .success([Hop(host, addresses: [host.name], isRequired: isRequired)])
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
        RecipientOutcome(
            .failed, status: "5.4.6", diagnostic: "mail loops back to this server: \(text)", remoteHost: host)
    }

    private func addresses(of name: String) async -> Result<[String], HopFailure> {
        do throws(HostFailure) {
            return .success(try await resolver.addresses(of: name).addresses.map { IPAddress.text($0) })
        } catch {
            let reason: (status: String, text: String) =
                switch error {
                case .noAddress: ("4.4.4", "\(name) has no address")
                case .unavailable(let reason, _): ("4.4.3", reason)
                }
            return .failure(
                HopFailure(
                    RecipientOutcome(.deferred, status: reason.status, diagnostic: reason.text, remoteHost: name)))
        }
    }

    /// A session that is ready for a transaction, as secure as is demanded.
    func connect(_ hop: Hop, _ address: StreamAddress) async throws(HopFailure) -> SMTPClient {
        let client: SMTPClient
        do throws(SMTPClientError) {
            client = try await start(hop, address, security: hop.security)
        } catch {
            // An opportunistic handshake that failed: in cleartext, as without STARTTLS (RFC 7435 §3, RFC 3207 §4.1).
            guard hop.security == .opportunistic, hop.credentials == nil, case .insecure(.handshakeFailed) = error
            else { throw HopFailure(error, hop) }
            client = try await startInCleartext(hop, address)
        }
        // What it calls itself in its answer to EHLO: a way that leads back here would never end.
        if hop.dialect == .smtp, await client.name == settings.hostname.lowercased() {
            await client.quit()
            throw HopFailure(RelayAgent.loop("the host answers with this server's name", host: hop.name), isLast: true)
        }
        return client
    }

    private func startInCleartext(_ hop: Hop, _ address: StreamAddress) async throws(HopFailure) -> SMTPClient {
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
            throw SMTPClientError(error)
        }
        let tested = TestedVerdict()
        let client = SMTPClient(connection, clientSettings, tls: clientTLS(hop, tested))
        do throws(SMTPClientError) { try await client.start() } catch {
            report(hop, SessionPlace(address, connection), .failure(error), tested)
            throw error
        }
        report(hop, SessionPlace(address, connection), .success(await client.peer), tested)
        return client
    }

    /// What a policy in testing mode demands is judged beside, and changes nothing (RFC 8461 §5).
    private func clientTLS(_ hop: Hop, _ tested: TestedVerdict) -> ClientTLS {
        let (verification, wouldBe) = (hop.verification, hop.planned?.tested?.verification)
        return ClientTLS(serverName: hop.serverName) { [verifier, now] chain in
            if let wouldBe { tested.set(await verifier.verify(chain: chain, wouldBe, at: now())) }
            return await verifier.verify(chain: chain, verification, at: now())
        }
    }

    /// A session that has room for more.
    func isReusable(_ client: SMTPClient) async -> Bool {
        guard await !client.isOver, client.isQuiet else { return false }
        guard let most = await client.features.maximumTransactions else { return true }
        return await client.transactions < most
    }

    func log(_ outcome: RecipientOutcome, _ message: OutgoingMessage, _ destination: String) {
        logger.notice(
            "a host did not take mail",
            metadata: [
                "message": "\(message.identifier)", "destination": "\(destination)",
                "host": "\(outcome.remoteHost ?? "-")", "status": "\(outcome.status)",
                "reason": "\(outcome.diagnostic)",
            ])
    }
}

/// What a policy in testing mode would have said.
final class TestedVerdict: Sendable {
    private let verdict = Mutex<PeerVerdict?>(nil)
    var value: PeerVerdict? { verdict.withLock { $0 } }
    func set(_ new: PeerVerdict) { verdict.withLock { $0 = new } }
}
