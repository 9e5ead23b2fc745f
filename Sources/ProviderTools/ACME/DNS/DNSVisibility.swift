import Logging
import MailDNS

/// Waits until every server of a zone shows a proof: authorities ask any of them, from several places.
struct DNSVisibility: Sendable {
    /// Between looks.
    private static let pause = Duration.milliseconds(500)

    let makeResolver: @Sendable () throws(ACMEError) -> any DNSResolver
    /// Of name servers; other than 53 for tests.
    let port: Int
    /// Zero: they are not looked at.
    let timeLimit: Duration
    let logger: Logger

    func wait(for proofs: [ChallengeProof]) async throws(ACMEError) {
        guard timeLimit > .zero else { return }
        let end = ContinuousClock.now + timeLimit
        let zones = ZoneServers(resolver: try makeResolver())
        for proof in proofs {
            let target = try await zones.target(of: proof.recordName)
            let zone = try await zones.zone(of: target).zone
            var isShown = false
            for server in try await zones.servers(of: zone) {
                if try await wait(for: proof, target, server, end) { isShown = true }
            }
            guard isShown else { throw .challenge("no name server of the zone \(zone) answers") }
        }
    }

    /// False for a server that answers nobody now: the authority neither.
    private func wait(
        for proof: ChallengeProof, _ target: String, _ server: ZoneServers.Server, _ end: ContinuousClock.Instant
    ) async throws(ACMEError) -> Bool {
        while true {
            let sight = await look(proof, target, server)
            if sight == .shown { return true }
            guard ContinuousClock.now + Self.pause < end else {
                guard case .silent(let reason) = sight else {
                    throw .challenge(
                        "the name server \(server.name) does not show the record \(target) within the time")
                }
                logger.warning(
                    "certificate: a name server does not answer",
                    metadata: ["server": "\(server.name)", "reason": "\(reason)"])
                return false
            }
            do { try await Task.sleep(for: Self.pause) } catch { throw .tooLate("the server stops") }
        }
    }

    private enum Sight: Equatable {
        case shown, missing
        case silent(String)
    }

    /// At every address that answers.
    private func look(_ proof: ChallengeProof, _ target: String, _ server: ZoneServers.Server) async -> Sight {
        var sight = Sight.silent("it has no address")
        for address in server.addresses {
            let question = DNSMessage(
                question: target, type: DNSMessage.RecordType.txt, identifier: UInt16.random(in: .min ... .max))
            do throws(DNSExchange.Failure) {
                let reply = try await DNSExchange.perform(question.octets, at: address, port: port)
                guard reply.texts(of: target).contains(Array(proof.recordValue.utf8)) else { return .missing }
                sight = .shown
            } catch {
                if sight != .shown { sight = .silent(error.description) }
            }
        }
        return sight
    }
}
