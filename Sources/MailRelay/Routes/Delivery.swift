import Logging
import MailClient
import MailDNS
import MailStore
import MessageFormat
import SMTPSyntax
import SessionRuntime
import TLSPolicy
import WireFraming

/// One attempt at one destination: hosts in order, until each recipient has an answer or there is no other host.
struct Delivery {
    /// Hosts' addresses that are tried in one attempt: a domain with many that are dead must not hold a place for long.
    private static let maximumAttempts = 8

    let agent: RelayAgent
    let message: OutgoingMessage
    let destination: String
    /// By recipient.
    private var outcomes: [RecipientOutcome?]
    /// For those who get no answer from any host.
    private var last = RecipientOutcome(.deferred, status: "4.4.1", diagnostic: "no host could be tried")

    /// Some host could be talked to.
    private var isReached = false

    init(_ message: OutgoingMessage, to destination: String, by agent: RelayAgent) {
        self.agent = agent
        self.message = message
        self.destination = destination
        outcomes = Array(repeating: nil, count: message.recipients.count)
    }

    consuming func finished() -> [RecipientOutcome] { outcomes.map { $0 ?? last } }

    private var open: [Int] { outcomes.indices.filter { outcomes[$0] == nil } }

    private mutating func settleAll(_ outcome: RecipientOutcome) {
        for index in open { outcomes[index] = outcome }
    }

    mutating func run() async {
        let content: OutgoingContent
        do { content = try await agent.contents.content(of: message, agent.store) } catch {
            return settleAll(
                RecipientOutcome(.deferred, status: "4.3.0", diagnostic: "the stored message cannot be read"))
        }
        let hops: [Hop]
        guard let place = DNSName.ascii(destination) else {
            return settleAll(
                RecipientOutcome(.failed, status: "5.1.2", diagnostic: "\(destination) is no name that DNS can have"))
        }
        switch await agent.hops(to: place, demand(content)) {
        case .success(let found): hops = found
        case .failure(let failure): return settleAll(concerning(failure.outcome))
        }
        await tryHops(hops, content)
    }

    /// That no host could be talked to keeps other mail there from being tried, unless this message asks for more than
    /// others.
    private func concerning(_ outcome: RecipientOutcome) -> RecipientOutcome {
        var outcome = outcome
        outcome.concernsDestination = outcome.result == .deferred && !message.envelope.requiresTLS
        return outcome
    }

    /// Bounces are not held to REQUIRETLS (RFC 8689 §4.2.1).
    private func demand(_ content: OutgoingContent) -> TLSDemand {
        if message.envelope.requiresTLS { return message.envelope.reversePath == .null ? .byPolicy : .required }
        return content.header.waivesTLS ? .notRequired : .byPolicy
    }

    private mutating func tryHops(_ hops: [Hop], _ content: OutgoingContent) async {
        var attempts = 0
        for hop in hops {
            do { try await agent.pool.enter(hop.place) } catch {
                last = RecipientOutcome(.deferred, status: "4.3.2", diagnostic: "this server is stopping")
                return
            }
            let (progress, session) = await tryAddresses(of: hop, content, &attempts)
            await agent.pool.leave(hop.place, keeping: session)
            guard progress == .next, attempts < Self.maximumAttempts, !Task.isCancelled else { return }
        }
    }

    private enum Progress {
        case done
        /// Another host should be tried.
        case next
    }

    /// With the session that may serve others, when there is one.
    private mutating func tryAddresses(
        of hop: Hop, _ content: OutgoingContent, _ attempts: inout Int
    ) async -> (Progress, (client: SMTPClient, key: PoolKey)?) {
        for address in hop.addresses {
            guard attempts < Self.maximumAttempts, !Task.isCancelled else { break }
            attempts += 1
            let key = PoolKey(
                host: hop.place, address: address, security: hop.security, verification: hop.verification,
                dialect: hop.dialect)
            if let client = await agent.pool.idleClient(key) {
                let session = await HopSession(client, key, hop)
                if await send(content, session) { return (.done, await reusable(session)) }
                // It may have been closed since: what a new one says counts.
                await client.close()
            }
            do throws(HopFailure) {
                let session = await HopSession(try await agent.connect(hop, address), key, hop)
                isReached = true
                if await send(content, session) { return (.done, await reusable(session)) }
                await session.client.quit()
            } catch {
                last = isReached ? error.outcome : concerning(error.outcome)
                if error.isLast { return (.done, nil) }
            }
            agent.log(last, message, destination)
        }
        return (.next, nil)
    }

    private func reusable(_ session: HopSession) async -> (client: SMTPClient, key: PoolKey)? {
        await agent.isReusable(session.client) ? (session.client, session.key) : nil
    }

    /// Sends to those who have no answer, in as many transactions as the server wants. False when another host should
    /// be tried.
    private mutating func send(_ content: OutgoingContent, _ session: HopSession) async -> Bool {
        if session.hop.mustOfferRequireTLS, !session.features.offers(.requireTLS) {
            last = RecipientOutcome(
                .failed, status: "5.7.30", diagnostic: "REQUIRETLS is not supported by \(session.hop.name)",
                remoteHost: session.hop.name, security: session.securityText)
            return false
        }
        if let outcome = missedDeadline(session) {
            settleAll(outcome)
            return true
        }
        let refusal: (status: String, text: String)
        switch content.prepare(message, for: session.features, now: agent.now()) {
        case .ready(let prepared): return await send(prepared, session)
        case .refused(let status, let text): refusal = (status, text)
        case .converted(let parameters, let target):
            do {
                return await send(try await PreparedContent(message, agent.store, parameters, target), session)
            } catch let failure as ReencodingFailure {
                refusal = ("5.6.3", "the server does not take the message as it is: \(failure.text)")
            } catch { refusal = ("4.3.0", "the stored message cannot be read") }
        }
        settleAll(
            RecipientOutcome(
                refusal.status.hasPrefix("5") ? .failed : .deferred, status: refusal.status, diagnostic: refusal.text,
                remoteHost: session.hop.name, security: session.securityText))
        return true
    }

    /// A message that is to come back when it is late goes only to those who promise that (RFC 2852 §4).
    private func missedDeadline(_ session: HopSession) -> RecipientOutcome? {
        guard let deadline = message.envelope.deadline, deadline.mode == .returned, session.hop.dialect == .smtp else {
            return nil
        }
        let left = deadline.time - agent.now()
        let isPromised = session.features.offers(.deliverBy) && left >= Int64(session.features.minimumDeliveryTime ?? 1)
        guard !isPromised else { return nil }
        return RecipientOutcome(
            .failed, status: "5.4.7", diagnostic: "\(session.hop.name) does not promise to deliver in time",
            remoteHost: session.hop.name, security: session.securityText)
    }

    private mutating func send(_ prepared: PreparedContent, _ session: HopSession) async -> Bool {
        refuseInternationalized(prepared, session)
        while !open.isEmpty {
            let batch = batch(session)
            let source = prepared.source(agent.store, message)
            let answers = await session.client.send(transaction(batch, prepared.parameters, session)) {
                try await source.next()
            }
            let before = open.count
            for (index, answer) in zip(batch, answers) { take(answer, for: index, session) }
            if await session.client.isOver { return open.isEmpty }
            // A server that took nobody more does not get the rest once more.
            guard open.count < before else {
                settleAll(last)
                break
            }
            if let most = session.features.maximumTransactions, await session.client.transactions >= most {
                return open.isEmpty
            }
        }
        return true
    }

    /// An address that only SMTPUTF8 can carry does not keep the others from going.
    private mutating func refuseInternationalized(_ prepared: PreparedContent, _ session: HopSession) {
        guard !prepared.parameters.isInternationalized else { return }
        for index in open where ALabels.mailbox(message.recipients[index].mailbox) == nil {
            outcomes[index] = RecipientOutcome(
                .failed, status: "5.6.7", diagnostic: "\(session.hop.name) does not support SMTPUTF8",
                remoteHost: session.hop.name, security: session.securityText)
        }
    }

    /// Envelope and recipients as this server can be told.
    private func transaction(
        _ batch: [Int], _ parameters: CommandWriter.MailParameters, _ session: HopSession
    ) -> SMTPTransaction {
        var envelope = message.envelope
        envelope.requiresTLS = session.hop.mustOfferRequireTLS
        var recipients = batch.map { message.recipients[$0] }
        if !parameters.isInternationalized {
            if case .mailbox(let sender) = envelope.reversePath, let ascii = ALabels.mailbox(sender) {
                envelope.reversePath = .mailbox(ascii)
            }
            for index in recipients.indices {
                recipients[index].mailbox = ALabels.mailbox(recipients[index].mailbox) ?? recipients[index].mailbox
            }
        }
        return SMTPTransaction(envelope: envelope, recipients: recipients, parameters: parameters)
    }

    /// As many as the server takes at a time (RFC 9422 §4).
    private func batch(_ session: HopSession) -> [Int] {
        var batch = Array(open.prefix(session.features.maximumRecipients ?? 1000))
        if let most = session.features.maximumRecipientDomains {
            var domains: Set<SMTPMailbox.Host> = []
            batch.removeAll { index in
                let host = message.recipients[index].mailbox.host
                if domains.count < most { domains.insert(host) }
                return !domains.contains(host)
            }
        }
        return batch
    }

    private mutating func take(_ answer: SMTPRecipientAnswer, for index: Int, _ session: HopSession) {
        func outcome(_ result: RecipientOutcome.Result, _ status: String, _ text: String) -> RecipientOutcome {
            RecipientOutcome(
                result, status: status, diagnostic: text, remoteHost: session.hop.name, security: session.securityText)
        }
        switch answer {
        case .taken(let reply):
            let result: RecipientOutcome.Result =
                session.hop.dialect == .lmtp ? .delivered : .relayed(keepsPromises: session.features.offers(.dsn))
            var taken = outcome(result, reply.statusText, reply.text)
            taken.takesUpDeadline = session.hop.dialect == .lmtp || session.features.offers(.deliverBy)
            outcomes[index] = taken
        case .refused(let reply):
            let refusal = outcome(reply.isPermanent ? .failed : .deferred, reply.statusText, reply.text)
            // These go in a transaction of their own, while some got in.
            if reply.isTooManyRecipients, open.count > 1 {
                last = refusal
            } else {
                outcomes[index] = refusal
            }
        case .unsendable:
            outcomes[index] = outcome(.failed, "5.1.3", "the address cannot be said to \(session.hop.name)")
        case .unanswered(let error):
            let failure = HopFailure(error, session.hop, session.securityText)
            last = failure.outcome
            // Whatever the server, this message cannot be said to it.
            if case .unsendable = error { outcomes[index] = failure.outcome }
        }
    }
}

/// A session with a host, as long as a delivery uses it.
struct HopSession {
    let client: SMTPClient
    let key: PoolKey
    let hop: Hop
    let features: ServerFeatures
    /// For the log: `TLSv1.3 TLS_AES_128_GCM_SHA256 dane-ee`.
    let securityText: String?

    init(_ client: SMTPClient, _ key: PoolKey, _ hop: Hop) async {
        self.client = client
        self.key = key
        self.hop = hop
        features = await client.features
        securityText = await client.peer?.text
    }
}

extension SecuredPeer {
    var text: String {
        let means =
            switch verdict {
            case .verified(let means): means.rawValue
            case .unverified, .refused: "unverified"
            }
        return [tls.version.rawValue, tls.cipherSuite?.nameOrNumber, means].compactMap { $0 }.joined(separator: " ")
    }
}

extension ReceivedReply {
    /// 452, and as permanent as it looks, 552 (RFC 5321 §4.5.3.1.10).
    fileprivate var isTooManyRecipients: Bool {
        (code == 452 && status == nil) || ((code == 452 || code == 552) && status == EnhancedStatus(5, 3))
    }
}
