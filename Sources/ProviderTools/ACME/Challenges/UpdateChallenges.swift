import Foundation
import Logging
import MailDNS

/// Answers dns-01 (RFC 8555 §8.4) by dynamic updates (RFC 2136), signed (RFC 8945), at the zone's primary server.
struct UpdateChallenges: ChallengeSolver {
    /// Seconds: an authority must not see another order's record for long.
    private static let timeToLive: UInt32 = 60

    let type = "dns-01"
    let key: TransactionKey
    /// Nil: the server that the zone's SOA record names.
    let server: Endpoint?
    let visibility: DNSVisibility
    let logger: Logger

    func put(_ proofs: [ChallengeProof]) async throws(ACMEError) {
        let zones = ZoneServers(resolver: try visibility.makeResolver())
        for proof in proofs { try await update(.add(timeToLive: Self.timeToLive), proof, zones) }
        try await visibility.wait(for: proofs)
    }

    func remove(_ proofs: [ChallengeProof]) async {
        do throws(ACMEError) {
            let zones = ZoneServers(resolver: try visibility.makeResolver())
            for proof in proofs { try await update(.remove, proof, zones) }
        } catch {
            logger.warning("certificate: a record was not removed", metadata: ["reason": "\(error)"])
        }
    }

    private func update(_ change: DNSMessage.Change, _ proof: ChallengeProof, _ zones: ZoneServers)
        async throws(ACMEError)
    {
        let target = try await zones.target(of: proof.recordName)
        let (zone, primary) = try await zones.zone(of: target)
        let host = server?.host ?? primary
        let port = server?.port ?? visibility.port
        var last = "it has no address"
        for address in try await zones.addresses(of: host) {
            let message = DNSMessage(
                change, text: proof.recordValue, at: target, zone: zone, identifier: UInt16.random(in: .min ... .max))
            let now = UInt64(Date().timeIntervalSince1970)
            let signed = TransactionSignature(message, key: key, time: now)
            let reply: DNSReply
            do throws(DNSExchange.Failure) {
                reply = try await DNSExchange.perform(signed.message, at: address, port: port)
            } catch {
                last = error.description
                continue
            }
            return try check(reply, signed, "\(host), zone \(zone), record \(target)")
        }
        throw .challenge("the name server \(host) cannot be updated: \(last)")
    }

    private func check(
        _ reply: DNSReply, _ signed: TransactionSignature, _ place: String
    ) throws(ACMEError) {
        do throws(TransactionSignature.Failure) {
            try signed.verify(reply, time: UInt64(Date().timeIntervalSince1970))
        } catch {
            // A server that refuses before it looks at signatures does not sign.
            let isRefusal = error == .missing && reply.responseCode != 0
            guard isRefusal else { throw .challenge("the update at \(place) failed: \(error)") }
        }
        guard reply.responseCode != 0 else { return }
        throw .challenge("the update at \(place) was refused: \(Self.explain(reply.responseCode))")
    }

    /// RFC 2136 §2.2.
    private static func explain(_ code: UInt8) -> String {
        switch code {
        case 2: "it failed itself (SERVFAIL)"
        case 4: "it takes no updates (NOTIMP)"
        case 5: "the key may not change this record (REFUSED)"
        case 9: "it has not this zone, or does not know the key (NOTAUTH)"
        case 10: "the name is not in the zone (NOTZONE)"
        case _: "response code \(code)"
        }
    }
}
