import MailTestSupport
import MailVocabulary
import SASL
import SMTPSyntax
import SessionRuntime
import TLSPolicy
import Testing
import WireFraming

@testable import MailRelay

/// Deliveries over loopback to servers that do as they are told.
@Suite(.serialized) struct RelayAgentTests {
    @Test("To an exchanger with STARTTLS: the message arrives as it was, each recipient has its answer")
    func direct() async throws {
        try await withFixture { fixture in
            let peer = try await fixture.peer { $0.answers = [("RCPT TO:<carl@", "550 5.1.1 no carl")] }
            fixture.policies.set(
                .hosts([
                    fixture.host(peer.port, TransportRequirement(mustEncrypt: true, verification: try fixture.dane()))
                ]))
            let text = "Subject: x\r\n\r\n.dot\r\n\r\n..\r\nend\r\n"
            let message = try await fixture.message(text, to: ["bob@example.net", "carl@example.net"])
            let outcomes = try await fixture.agent().deliver(message, to: "example.net")
            #expect(outcomes.map(\.result) == [.relayed(keepsPromises: true), .failed])
            #expect(outcomes.map(\.status) == ["2.0.0", "5.1.1"])
            #expect(outcomes[1].diagnostic == "550 5.1.1 no carl" && outcomes[1].remoteHost == "mx.test")
            #expect(outcomes[0].security?.hasPrefix("TLSv1.3 TLS_AES_") == true)
            #expect(outcomes[0].security?.hasSuffix(" dane-ee") == true)
            let received = try #require(peer.record.messages.first)
            #expect(received.text == text && received.isSecured)
            #expect(
                received.envelope == [
                    "MAIL FROM:<ann@example.org> SIZE=\(text.utf8.count)", "RCPT TO:<bob@example.net>",
                ])
            #expect(peer.record.lines.prefix(3) == ["EHLO relay.test", "STARTTLS", "EHLO relay.test"])
            #expect(fixture.results.all.map(\.failure) == [nil])
        }
    }

    @Test("One bad host does not fail a message: refused, closed, insecure and unreachable ones are passed over")
    func badHosts() async throws {
        try await withFixture { fixture in
            let rude = try await fixture.peer { $0.greeting = "554 5.7.1 go away" }
            let closing = try await fixture.peer { $0.answers = [("MAIL", "CLOSE")] }
            let stripped = try await fixture.peer { $0.features = ["8BITMIME"] }
            let good = try await fixture.peer()
            let demanding = TransportRequirement(mustEncrypt: true, verification: try fixture.dane())
            let wrong = TransportRequirement(
                mustEncrypt: true, verification: .authorities(names: ["other.test"]))
            fixture.policies.set(
                .hosts([
                    fixture.host(rude.port), fixture.host(closing.port), fixture.host(1, name: "dead.test"),
                    fixture.host(stripped.port, demanding), fixture.host(good.port, wrong),
                    fixture.host(good.port, demanding),
                ]))
            let outcomes = try await fixture.agent().deliver(try await fixture.message(), to: "example.net")
            #expect(outcomes.map(\.result) == [.relayed(keepsPromises: true)])
            #expect(good.record.messages.count == 1)
            #expect(stripped.record.lines == ["EHLO relay.test"])
            #expect(fixture.results.all.map(\.failure) == [nil, .startTLSNotSupported, .hostMismatch, nil])
        }
    }

    @Test("Where TLS is demanded and none of the hosts has it, mail waits and nothing was said of it [attack 12]")
    func stripped() async throws {
        try await withFixture { fixture in
            let stripping: [(inout MailServerScript) -> Void] = [
                { $0.features = ["8BITMIME", "XXXXXXXA"] },
                { $0.answers = [("STARTTLS", "454 4.7.0 no")] },
                { $0.answers = [("STARTTLS", "220 go\r\n250 injected")] },
                { $0.answers = [("EHLO", "502 5.5.1 no")] },
                { $0.answers = [("STARTTLS", "250 fine")] },
                { $0.answers = [("STARTTLS", "+ go")] },
            ]
            for change in stripping {
                let peer = try await fixture.peer(.startTLS, change)
                fixture.policies.set(
                    .hosts([fixture.host(peer.port, TransportRequirement(mustEncrypt: true, verification: .unverified))]
                    ))
                let outcomes = try await fixture.agent().deliver(try await fixture.message(), to: "example.net")
                #expect(outcomes.map(\.result) == [.deferred], "\(outcomes)")
                #expect(outcomes[0].status.hasPrefix("4."))
                #expect(outcomes[0].concernsDestination)
                let said = peer.record.lines.filter { !["EHLO", "STAR", "QUIT"].contains($0.prefix(4)) }
                #expect(said.isEmpty && peer.record.messages.isEmpty)
            }
        }
    }

    @Test("Opportunistic: TLS with any certificate; without STARTTLS in cleartext; after a failed handshake too")
    func opportunistic() async throws {
        try await withFixture { fixture in
            let plain = try await fixture.peer { $0.features = [] }
            fixture.policies.set(.hosts([fixture.host(plain.port)]))
            #expect(
                try await fixture.agent().deliver(try await fixture.message(), to: "example.net").map(\.result)
                    == [.relayed(keepsPromises: false)])
            #expect(plain.record.messages.map(\.isSecured) == [false])
            let secure = try await fixture.peer()
            fixture.policies.set(.hosts([fixture.host(secure.port)]))
            let outcomes = try await fixture.agent().deliver(try await fixture.message(), to: "example.net")
            #expect(outcomes[0].security?.hasSuffix("unverified") == true)
            // It says go, and then speaks no TLS.
            let broken = try await fixture.peer { $0.answers = [("STARTTLS", "220 go")] }
            fixture.policies.set(.hosts([fixture.host(broken.port)]))
            #expect(
                try await fixture.agent().deliver(try await fixture.message(), to: "example.net").map(\.result)
                    == [.relayed(keepsPromises: false)])
            #expect(broken.record.messages.map(\.isSecured) == [false])
        }
    }

    @Test("A session serves the next message; LIMITS and closing servers are minded (RFC 9422)")
    func reuse() async throws {
        try await withFixture { fixture in
            let peer = try await fixture.peer { $0.securedFeatures += ["LIMITS MAILMAX=3 RCPTMAX=2"] }
            fixture.policies.set(.hosts([fixture.host(peer.port)]))
            let agent = try fixture.agent()
            for _ in 0..<2 {
                let outcomes = await agent.deliver(try await fixture.message(), to: "example.net")
                #expect(outcomes.map(\.result) == [.relayed(keepsPromises: true)])
            }
            #expect(peer.record.sessions == 1)
            let many = (0..<5).map { "r\($0)@example.net" }
            let outcomes = await agent.deliver(try await fixture.message(to: many), to: "example.net")
            #expect(outcomes.filter { $0.result == .relayed(keepsPromises: true) }.count >= 2, "\(outcomes)")
            #expect(peer.record.messages.allSatisfy { $0.envelope.count <= 3 })
            await agent.close()
        }
    }

    @Test("Too many recipients at a time: the rest goes in transactions of its own (RFC 5321 §4.5.3.1.10)")
    func tooManyRecipients() async throws {
        try await withFixture { fixture in
            let peer = try await fixture.peer { $0.securedFeatures = ["LIMITS RCPTMAX=2"] }
            fixture.policies.set(.hosts([fixture.host(peer.port)]))
            let many = (0..<5).map { "r\($0)@example.net" }
            let outcomes = try await fixture.agent().deliver(try await fixture.message(to: many), to: "example.net")
            #expect(outcomes.allSatisfy { $0.result == .relayed(keepsPromises: false) })
            #expect(peer.record.messages.map { $0.envelope.count - 1 } == [2, 2, 1] && peer.record.sessions == 1)
        }
    }

    @Test("A smarthost: verified TLS, at once or by STARTTLS, and AUTH inside; sessions serve all domains")
    func smarthost() async throws {
        try await withFixture { fixture in
            fixture.resolver.setAddress("mx.test", [127, 0, 0, 1])
            for security in [RelayHost.Security.implicitTLS, .startTLS] {
                let peer = try await fixture.peer(security == .implicitTLS ? .implicitTLS : .startTLS)
                let host = RelayHost(name: "mx.test", port: peer.port, security: security) {
                    PasswordCredentials(authenticationIdentity: "ann", password: Secret("secret"))
                }
                let agent = try fixture.agent(.host(host))
                for domain in ["example.net", "example.com"] {
                    let message = try await fixture.message(to: ["bob@\(domain)"])
                    let outcomes = await agent.deliver(message, to: domain)
                    #expect(outcomes.map(\.result) == [.relayed(keepsPromises: true)], "\(outcomes)")
                    #expect(outcomes[0].security?.hasSuffix(" pkix") == true)
                }
                #expect(peer.record.sessions == 1)
                #expect(peer.record.lines.filter { $0.hasPrefix("AUTH") } == ["AUTH PLAIN AGFubgBzZWNyZXQ="])
                await agent.close()
            }
        }
    }

    @Test("A smarthost whose certificate, STARTTLS or AUTH is not as it should be gets neither password nor mail")
    func wrongSmarthost() async throws {
        try await withFixture { fixture in
            for name in ["mx.test", "other.test"] { fixture.resolver.setAddress(name, [127, 0, 0, 1]) }
            let stripping: [(name: String, status: String, change: (inout MailServerScript) -> Void)] = [
                ("other.test", "4.7.5", { _ in }), ("mx.test", "4.7.5", { $0.features = ["AUTH PLAIN LOGIN"] }),
                ("mx.test", "4.7.0", { $0.securedFeatures = ["SIZE"] }),
                ("mx.test", "4.7.8", { $0.answers = [("AUTH", "535 5.7.8 no")] }),
            ]
            for (name, status, change) in stripping {
                let peer = try await fixture.peer(.startTLS, change)
                let host = RelayHost(name: name, port: peer.port, security: .startTLS) {
                    PasswordCredentials(authenticationIdentity: "ann", password: Secret("secret"))
                }
                let agent = try fixture.agent(.host(host))
                let outcomes = await agent.deliver(try await fixture.message(), to: "example.net")
                #expect(outcomes.map(\.result) == [.deferred] && outcomes[0].status == status, "\(outcomes)")
                #expect(peer.record.messages.isEmpty)
                #expect(status == "4.7.8" || !peer.record.lines.contains { $0.hasPrefix("AUTH") })
            }
        }
    }

    @Test("A kept session that the server closed meanwhile costs nothing")
    func staleSession() async throws {
        try await withFixture { fixture in
            // Closes at the second MAIL of a session.
            let peer = try await fixture.peer { $0.transactionsPerSession = 1 }
            fixture.policies.set(.hosts([fixture.host(peer.port)]))
            let agent = try fixture.agent()
            for _ in 0..<3 {
                let outcomes = await agent.deliver(try await fixture.message(), to: "example.net")
                #expect(outcomes.map(\.result) == [.relayed(keepsPromises: true)])
            }
            #expect(peer.record.messages.count == 3 && peer.record.sessions == 3)
            await agent.close()
        }
    }

    @Test("Names outside ASCII: as they are with SMTPUTF8, in A-labels without, where the local part allows it")
    func internationalized() async throws {
        try await withFixture { fixture in
            let ascii = try await fixture.peer { $0.securedFeatures = [] }
            fixture.policies.set(.hosts([fixture.host(ascii.port)]))
            let message = try await fixture.message(to: ["bob@bücher.example", "bünzli@bücher.example"]) {
                $0.reversePath = (Address("ann@münchen.example").map { .mailbox(SMTPMailbox($0)) }) ?? .null
            }
            let outcomes = await (try fixture.agent()).deliver(message, to: "bücher.example")
            #expect(outcomes.map(\.status) == ["2.0.0", "5.6.7"])
            #expect(
                ascii.record.messages.first?.envelope == [
                    "MAIL FROM:<ann@xn--mnchen-3ya.example>", "RCPT TO:<bob@xn--bcher-kva.example>",
                ])
            let modern = try await fixture.peer { $0.securedFeatures = ["SMTPUTF8", "8BITMIME"] }
            fixture.policies.set(.hosts([fixture.host(modern.port)]))
            #expect(
                await (try fixture.agent()).deliver(message, to: "bücher.example").map(\.status) == ["2.0.0", "2.0.0"])
            #expect(
                modern.record.messages.first?.envelope == [
                    "MAIL FROM:<ann@münchen.example> SMTPUTF8", "RCPT TO:<bob@bücher.example>",
                    "RCPT TO:<bünzli@bücher.example>",
                ])
            #expect(fixture.policies.destinations == ["xn--bcher-kva.example", "xn--bcher-kva.example"])
        }
    }

    @Test("BY with return: only to a server that promises to keep it (RFC 2852 §4)")
    func deliverBy() async throws {
        try await withFixture { fixture in
            let message = try await fixture.message {
                $0.deadline = DeliveryDeadline(time: RelayFixture.now + 600, mode: .returned)
            }
            for (features, status) in [("DELIVERBY 30", "2.0.0"), ("DELIVERBY 6000", "5.4.7"), ("SIZE", "5.4.7")] {
                let peer = try await fixture.peer { $0.securedFeatures = [features] }
                fixture.policies.set(.hosts([fixture.host(peer.port)]))
                #expect(
                    await (try fixture.agent()).deliver(message, to: "example.net").map(\.status) == [status])
            }
        }
    }

    @Test("A hop without 8BITMIME gets the same content in ASCII; what is signed does not go (RFC 6152 §3)")
    func converted() async throws {
        try await withFixture { fixture in
            let peer = try await fixture.peer { $0.securedFeatures = ["SIZE 100"] }
            fixture.policies.set(.hosts([fixture.host(peer.port)]))
            let agent = try fixture.agent()
            let text = "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nGrüße\r\n"
            #expect(
                await agent.deliver(try await fixture.message(text), to: "example.net").map(\.status) == ["2.0.0"])
            #expect(
                peer.record.messages.first?.text
                    == "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
                    + "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n")
            let signed = try await fixture.message("DKIM-Signature: v=1\r\n\r\nGrüße\r\n")
            #expect(await agent.deliver(signed, to: "example.net").map(\.status) == ["5.6.3"])
            await agent.close()
        }
    }

    @Test("LMTP over loopback: delivered, or the server's answer for each")
    func lmtp() async throws {
        try await withFixture { fixture in
            let peer = try await fixture.peer {
                $0.isLMTP = true
                $0.answers = [("RCPT TO:<carl@", "452 4.2.2 full")]
            }
            let route = Route.lmtp(.internet(address: "127.0.0.1", port: peer.port))
            let message = try await fixture.message(to: ["bob@example.net", "carl@example.net", "dora@example.net"])
            let outcomes = try await fixture.agent(route).deliver(message, to: "example.net")
            #expect(outcomes.map(\.result) == [.delivered, .deferred, .delivered])
            #expect(peer.record.lines.first == "LHLO relay.test")
        }
    }

    @Test("Ways that lead back here end: an exchanger of our name, a host that answers with it (5.4.6)")
    func loops() async throws {
        try await withFixture { fixture in
            fixture.policies.set(.hosts([fixture.host(1, name: "relay.test")]))
            let named = try await fixture.agent().deliver(try await fixture.message(), to: "example.net")
            #expect(named.map(\.status) == ["5.4.6"] && named[0].result == .failed)
            let peer = try await fixture.peer { $0.name = "Relay.Test" }
            fixture.policies.set(.hosts([fixture.host(peer.port)]))
            let answered = try await fixture.agent().deliver(try await fixture.message(), to: "example.net")
            #expect(answered.map(\.status) == ["5.4.6"] && peer.record.messages.isEmpty)
        }
    }

    @Test("REQUIRETLS: only to a host that offers it inside TLS, else 5.7.30 (RFC 8689 §4.2.1)")
    func requireTLS() async throws {
        try await withFixture { fixture in
            var without = fixture.host(
                try await fixture.peer().port, TransportRequirement(mustEncrypt: true, verification: try fixture.dane())
            )
            without.mustOfferRequireTLS = true
            fixture.policies.set(.hosts([without]))
            let message = try await fixture.message { $0.requiresTLS = true }
            let refused = try await fixture.agent().deliver(message, to: "example.net")
            #expect(refused.map(\.status) == ["5.7.30"] && refused[0].result == .failed)
            let peer = try await fixture.peer { $0.securedFeatures += ["REQUIRETLS"] }
            var with = without
            with.port = peer.port
            fixture.policies.set(.hosts([without, with]))
            let outcomes = try await fixture.agent().deliver(message, to: "example.net")
            #expect(outcomes.map(\.result) == [.relayed(keepsPromises: true)])
            #expect(peer.record.messages.first?.envelope.first?.hasSuffix(" REQUIRETLS") == true)
            #expect(fixture.policies.asked == [.required, .required])
            let waived = try await fixture.message("TLS-Required: No\r\n\r\nx\r\n")
            _ = try await fixture.agent().deliver(waived, to: "example.net")
            #expect(fixture.policies.asked.last == .notRequired)
        }
    }

    @Test("What a server cannot take: too large, SMTPUTF8, lone line ends")
    func unacceptable() async throws {
        try await withFixture { fixture in
            let peer = try await fixture.peer { $0.securedFeatures = ["SIZE 100", "8BITMIME"] }
            fixture.policies.set(.hosts([fixture.host(peer.port)]))
            let agent = try fixture.agent()
            let large = try await fixture.message("Subject: x\r\n\r\n" + String(repeating: "x", count: 200) + "\r\n")
            #expect(await agent.deliver(large, to: "example.net").map(\.status) == ["5.3.4"])
            let header = try await fixture.message("Subject: ü\r\n\r\nx\r\n") { $0.isInternationalized = true }
            #expect(await agent.deliver(header, to: "example.net").map(\.status) == ["5.6.7"])
            let mixed = try await fixture.message(to: ["bob@example.net", "jürgen@example.net"])
            #expect(await agent.deliver(mixed, to: "example.net").map(\.status) == ["2.0.0", "5.6.7"])
            let smuggling = try await fixture.message("Subject: x\r\n\r\na\n.\r\nMAIL FROM:<>\r\n")
            #expect(await agent.deliver(smuggling, to: "example.net").map(\.status) == ["5.6.0"])
            #expect(peer.record.messages.count == 1)
        }
    }

    @Test("A policy in testing mode changes nothing and is told of (RFC 8461 §5)")
    func testing() async throws {
        try await withFixture { fixture in
            let peer = try await fixture.peer()
            var host = fixture.host(peer.port)
            host.tested = TransportRequirement(mustEncrypt: true, verification: .authorities(names: ["other.test"]))
            fixture.policies.set(.hosts([host]))
            let outcomes = try await fixture.agent().deliver(try await fixture.message(), to: "example.net")
            #expect(outcomes.map(\.result) == [.relayed(keepsPromises: true)])
            #expect(fixture.results.all.map(\.failure) == [.hostMismatch])
        }
    }

    @Test("No more than so many connections at a time, and all mail arrives")
    func bounded() async throws {
        try await withFixture { fixture in
            let peer = try await fixture.peer()
            fixture.policies.set(.hosts([fixture.host(peer.port)]))
            let agent = try fixture.agent { $0.maximumConnectionsPerDestination = 2 }
            let message = try await fixture.message()
            let results = await withTaskGroup(of: RecipientOutcome.Result?.self) { group in
                for _ in 0..<20 {
                    group.addTask { await agent.deliver(message, to: "example.net").first?.result }
                }
                return await group.reduce(into: []) { $0.append($1) }
            }
            #expect(results.allSatisfy { $0 == .relayed(keepsPromises: true) })
            #expect(peer.record.messages.count == 20 && peer.record.sessions <= 3)
            await agent.close()
            let closed = await agent.deliver(message, to: "example.net")
            #expect(closed.map(\.status) == ["4.3.2"])
        }
    }
}
