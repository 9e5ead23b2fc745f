import Foundation
import MailRelay
import MailVocabulary
import ProviderTools
import Testing

@Suite("Configuration of delivery")
struct DeliveryConfigurationTests {
    @Test func everyValueArrives() throws {
        let configuration = try ConfigurationFile.parse(
            """
            tls: { trust-roots: /roots.pem }
            listeners: { lmtp: { socket: /run/l, socket-mode: 0600, socket-owner: mail, socket-group: "8",
              loopback: ["127.0.0.1:24"] } }
            submission: { hide-client: on, sent-copy: on, detail-separator: none, messages-per-hour: none,
              add-date: off, add-message-id: off, add-sender: off, remove-bcc: off, recipients-per-message: 200,
              recipients-per-day: 50, longest-hold: 2 h, messages-per-day: 99, recipients-per-hour: 9,
              shortest-deliver-by: 5 min, highest-priority: -1 }
            relay: { mode: smarthost, smarthost: "relay.example.net:587", smarthost-security: starttls, username: u,
              password-file: /p, port: 2525, connections: 7, connections-per-destination: 2,
              transports: ["example.org=lmtp:/run/l"], tls-reports: on, tls-report-contact: a@example.org }
            queue: { expiry: 2 h, delay-notice: 90 s, first-retry: 5 s, longest-retry: 10 min, tell-postmaster: off }
            dns: { forwarders: ["127.0.0.1:5300"], trust-anchor: /anchor }
            filters: { milters: ["unix:/m"], on-failure: reject, timeout: 5 s, spam-fields: ["X-S: y"] }
            """, file: "f")
        var expected = ServerConfiguration()
        expected.trustRootsFile = "/roots.pem"
        expected.lmtp.socket = "/run/l"
        expected.lmtp.socketMode = 0o600
        expected.lmtp.socketOwner = "mail"
        expected.lmtp.socketGroup = "8"
        expected.lmtp.loopback = [Endpoint(host: "127.0.0.1", port: 24)]
        expected.submissionPolicy = submissionPolicy
        expected.relay = relay
        expected.queue.expiry = .seconds(7200)
        expected.queue.delayNotice = .seconds(90)
        expected.queue.firstRetry = .seconds(5)
        expected.queue.longestRetry = .seconds(600)
        expected.queue.tellsPostmaster = false
        expected.dns.forwarders = [Endpoint(host: "127.0.0.1", port: 5300)]
        expected.dns.trustAnchorFile = "/anchor"
        expected.filters.milters = ["unix:/m"]
        expected.filters.failure = .reject
        expected.filters.timeout = .seconds(5)
        expected.filters.spamFields = ["X-S: y"]
        #expect(configuration == expected)
    }

    private var submissionPolicy: SubmissionConfiguration {
        var policy = SubmissionConfiguration()
        (policy.addsDate, policy.addsMessageID, policy.addsSender, policy.removesBcc) = (false, false, false, false)
        (policy.hidesClient, policy.keepsSentCopy) = (true, true)
        policy.detailSeparator = nil
        policy.recipientsPerMessage = 200
        policy.messagesPerHour = nil
        policy.recipientsPerDay = 50
        policy.longestHold = .seconds(7200)
        (policy.messagesPerDay, policy.recipientsPerHour) = (99, 9)
        policy.shortestDeliverBy = .seconds(300)
        policy.highestPriority = -1
        return policy
    }

    private var relay: RelayConfiguration {
        var relay = RelayConfiguration()
        relay.mode = .smarthost
        relay.smarthost = Endpoint(host: "relay.example.net", port: 587)
        relay.smarthostSecurity = .starttls
        relay.username = "u"
        relay.passwordFile = "/p"
        relay.port = 2525
        relay.maximumConnections = 7
        relay.maximumConnectionsPerDestination = 2
        relay.transports = ["example.org=lmtp:/run/l"]
        relay.reportsTLS = true
        relay.tlsReportContact = "a@example.org"
        return relay
    }

    @Test("Nothing is relayed, filtered or taken without TLS unless it is asked for")
    func defaults() {
        let configuration = ServerConfiguration()
        #expect(configuration.relay.mode == .none)
        #expect(configuration.lmtp == LMTPConfiguration() && configuration.lmtp.socket == nil)
        #expect(configuration.lmtp.loopback.isEmpty)
        #expect(configuration.filters.failure == .tempfail)
    }

    @Test(arguments: [
        ("127.0.0.1:24", true), ("127.8.9.1:24", true), ("[::1]:24", true), ("localhost:24", true),
        ("*:24", false), ("192.0.2.1:24", false), ("127.evil.example:24", false), ("[2001:db8::1]:24", false),
    ])
    func whatIsLoopback(text: String, isLoopback: Bool) throws {
        #expect(try #require(Endpoint(text)).isLoopback == isLoopback)
    }

    @Test("What cannot work is said before the start")
    func checks() {
        var configuration = ServerConfiguration()
        configuration.relay.mode = .smarthost
        configuration.relay.username = "u"
        configuration.lmtp.loopback = [Endpoint(host: "192.0.2.1", port: 24)]
        let problems = ConfigurationCheck(configuration).problems
        #expect(problems.contains("relay.smarthost must be set for relay.mode smarthost"))
        #expect(
            problems.contains(
                "relay.username has no password: set relay.password-file or relay.password-command"))
        #expect(
            problems.contains(
                "listeners.lmtp.loopback: 192.0.2.1:24 is no loopback address; LMTP has no authentication"))
        configuration.relay.passwordFile = "/nonexistent/password"
        configuration.relay.passwordCommand = "pass show relay"
        let others = ConfigurationCheck(configuration).problems
        #expect(others.contains("relay.password-file /nonexistent/password cannot be read"))
        #expect(
            others.contains("relay.password-file and relay.password-command are both set; remove one"))
    }

    @Test("[8314-3.3-4] [8314-7.3-3] submissions is the service's name, smtps a revoked one; relaying is on port 25")
    func serviceNames() {
        #expect(
            TransportEntry("a.example=smtps:b.example:465")?.way
                == TransportEntry("a.example=submissions:b.example:465")?.way)
        #expect(ServerConfiguration().relay.port == 25)
        #expect(ServerConfiguration().submission.implicit.map(\.port) == [465])
    }

    @Test("A transport's domain is found by its A-labels, however it was written")
    func internationalTransport() {
        var relay = RelayConfiguration()
        relay.mode = .direct
        relay.transports = ["Bücher.example=lmtp:/run/l"]
        guard case .lmtp = RouteTable(relay).route(to: "xn--bcher-kva.example") else {
            Issue.record("no route")
            return
        }
    }

    @Test func transports() throws {
        #expect(TransportEntry("a.example=lmtp:/run/l")?.way == .socket(path: "/run/l"))
        #expect(TransportEntry("a.example=lmtp:127.0.0.1:24")?.way == .lmtp(Endpoint(host: "127.0.0.1", port: 24)))
        let server = Endpoint(host: "b.example", port: 25)
        #expect(TransportEntry("A.example=smtp:b.example:25")?.way == .server(server, .starttls))
        #expect(TransportEntry("A.example=submissions:b.example:25")?.way == .server(server, .implicit))
        #expect(TransportEntry("A.example=smtp:b.example:25")?.domain == Domain("a.example"))
        for text in ["", "a.example", "=lmtp:/x", "a.example=lmtp:192.0.2.1:24", "a.example=smtp:25", "a.example=x:/y"]
        {
            #expect(TransportEntry(text) == nil)
        }
        var configuration = ServerConfiguration()
        configuration.relay.transports = ["a.example=uucp"]
        #expect(
            ConfigurationCheck(configuration).problems.contains { $0.hasPrefix("relay.transports: “a.example=uucp”") })
    }
}
