import Foundation
import Logging
import Synchronization
import Testing

@testable import ProviderTools

@Suite("Getting certificates")
struct CertificateRenewalTests {
    let directory: TemporaryDirectory
    let authority = ScriptedAuthority()
    let solver = ScriptedSolver()
    let files: CertificateFolder
    let certificate: ManagedCertificate

    init() throws {
        directory = try TemporaryDirectory()
        certificate = try #require(ManagedCertificate("mail.example.org imap.example.org"))
        files = CertificateFolder(folder: directory.path, name: certificate.name)
        try files.makeDirectory()
    }

    private func client(_ change: (inout ACMEClient.Options) -> Void = { _ in }) -> ACMEClient {
        var options = ACMEClient.Options(directory: ScriptedAuthority.base + "/directory", acceptsTerms: true)
        change(&options)
        return ACMEClient(
            options, accounts: AccountFile(folder: directory.path, directory: options.directory), transport: authority)
    }

    private func renewal(
        rollsKeys: Bool = false, type: CertificateKeyType = .p256, published: PublishedKeys = PublishedKeys(places: []),
        now: Int64 = 1_000, client: ACMEClient? = nil
    ) -> CertificateRenewal {
        CertificateRenewal(
            certificate: certificate, files: files, client: client ?? self.client(), solver: solver,
            keys: KeyChoice(
                files: files, type: type, rollsKeys: rollsKeys, published: { published },
                now: now == 1_000 ? CertificateManager.now() : now),
            directory: ScriptedAuthority.base + "/directory", preferredIssuer: nil, logger: Logger(label: "test"))
    }

    private func failure(_ renewal: CertificateRenewal) async -> ACMEError? {
        do throws(ACMEError) {
            try await renewal.run()
            return nil
        } catch {
            return error
        }
    }

    @Test func aFirstCertificate() async throws {
        try await renewal().run()
        let current = try #require(files.current())
        #expect(Set(current.chain.names) == ["mail.example.org", "imap.example.org"])
        #expect(current.chain.certificates.count == 2)
        #expect(current.key.type == .p256)
        let keyMode = try FileManager.default.attributesOfItem(atPath: files.keyFile)[.posixPermissions] as? Int
        #expect(keyMode == 0o600)
        #expect(solver.put_.withLock { $0.map(\.domain) } == certificate.names)
        #expect(solver.removed.withLock { $0.count } == 2)
        #expect(files.state().order == nil)
        #expect(files.orderKey() == nil)
    }

    /// Its key is kept, so that what is published of it stays valid, and the account is not made again.
    @Test func aRenewalKeepsTheKey() async throws {
        try await renewal().run()
        let first = try #require(files.current())
        try await renewal().run()
        let second = try #require(files.current())
        #expect(second.chain.pem != first.chain.pem)
        #expect(second.key.pem == first.key.pem)
        #expect(authority.requests.filter { $0 == "/account" }.count == 1)
    }

    /// Whoever reads while it is replaced sees a pair that belongs together.
    @Test func pairsAreReplacedAtOnce() async throws {
        try await renewal().run()
        let files = files
        let reads = Atomic(0)
        let watcher = Task.detached {
            // `current` refuses a pair that does not belong together.
            while !Task.isCancelled, files.current() != nil { reads.add(1, ordering: .relaxed) }
            return Task.isCancelled
        }
        for _ in 0..<5 {
            try await renewal(rollsKeys: true).run()
            // A reader is left behind by one renewal, not by two.
            let start = reads.load(ordering: .relaxed)
            let end = ContinuousClock.now + .seconds(60)
            while reads.load(ordering: .relaxed) < start + 2, ContinuousClock.now < end { await Task.yield() }
        }
        watcher.cancel()
        #expect(await watcher.value)
        #expect(reads.load(ordering: .relaxed) >= 10)
        let pairs = try FileManager.default.contentsOfDirectory(atPath: files.directory).filter {
            $0.hasPrefix("pair-")
        }
        #expect(pairs.count == 2)
    }

    @Test func rsaKeysByChoice() async throws {
        try await renewal(type: .rsa2048).run()
        #expect(files.current()?.key.type == .rsa2048)
    }

    // MARK: The authority's refusals

    /// RFC 8555 §6.5.
    @Test func badNoncesAreTriedAgain() async throws {
        authority.script.withLock { $0.badNonces = 5 }
        try await renewal().run()
        #expect(files.current() != nil)
    }

    @Test func endlessBadNoncesEnd() async throws {
        authority.script.withLock { $0.badNonces = 10_000 }
        let error = await failure(renewal())
        guard case .problem(let problem)? = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(problem.isBadNonce)
    }

    @Test func rateLimitsSayWhen() async throws {
        authority.script.withLock {
            $0.failures = [("/order", authority.problem("rateLimited", 429, retryAfter: "1234"))]
        }
        let error = try #require(await failure(renewal()))
        #expect(error.retryAfter == 1234)
        #expect(error.description.contains("rate limit"))
        #expect(error.description.contains("as scripted"))
    }

    @Test func termsMustBeAgreedTo() async throws {
        authority.script.withLock { $0.meta.termsOfService = "https://ca.example/terms" }
        let error = try #require(await failure(renewal(client: client { $0.acceptsTerms = false })))
        #expect(error.description.contains("https://ca.example/terms"))
        #expect(error.description.contains("acme.accept-terms"))
        #expect(!authority.requests.contains("/account"))
        #expect(await failure(renewal()) == nil)
    }

    @Test func externalAccounts() async throws {
        authority.script.withLock {
            $0.meta.externalAccountRequired = true
            $0.macKey = [1, 2, 3]
        }
        let missing = try #require(await failure(renewal()))
        #expect(missing.description.contains("acme.eab-key-id"))
        let wrong = try #require(await failure(renewal(client: client { $0.externalAccount = ("kid", [9]) })))
        #expect(wrong.description.contains("acme.eab-key-id"))
        #expect(await failure(renewal(client: client { $0.externalAccount = ("kid", [1, 2, 3]) })) == nil)
    }

    @Test func contactsAreKeptUpToDate() async throws {
        try await renewal(client: client { $0.contact = ["a@example.org"] }).run()
        #expect(authority.state.withLock { $0.contact } == ["mailto:a@example.org"])
        try await renewal(client: client { $0.contact = ["b@example.org"] }).run()
        #expect(authority.state.withLock { $0.contact } == ["mailto:b@example.org"])
    }

    @Test func aNameThatIsNotProved() async throws {
        authority.script.withLock { $0.challengeFails = true }
        let error = try #require(await failure(renewal()))
        guard case .unproven(let name, let reason) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(certificate.names.contains(name))
        #expect(reason.contains("not seen"))
        #expect(solver.removed.withLock { $0.count } == 2)
        // The order is over: the next attempt makes another one.
        authority.script.withLock { $0.challengeFails = false }
        #expect(await failure(renewal()) == nil)
    }

    @Test func aChallengeThatIsNotOffered() async throws {
        authority.script.withLock { $0.types = ["tls-alpn-01"] }
        let error = try #require(await failure(renewal()))
        #expect(error.description.contains("acme.challenge"))
    }

    @Test func anAuthorityThatIsDown() async throws {
        authority.script.withLock { $0.isDown = true }
        #expect(await failure(renewal()) == .unreachable("down"))
        authority.script.withLock { $0.isDown = false }
        #expect(await failure(renewal()) == nil)
    }

    // MARK: Renewal information

    /// RFC 9773 §4.2: a time within the authority's window; never later than is safe.
    @Test func authoritiesMayAskForRenewal() async throws {
        try await renewal().run()
        let chain = try #require(files.current()?.chain)
        #expect(try await client().suggestedRenewal(of: chain) == nil)
        authority.script.withLock { $0.window = .init(start: "2021-01-03T00:00:00Z", end: "2021-01-07T00:00:00.5Z") }
        let suggested = try #require(try await client().suggestedRenewal(of: chain))
        #expect((1_609_632_000...1_609_977_600).contains(suggested))
        #expect(authority.requests.last == "/renewal/" + (chain.renewalIdentifier ?? ""))
        var state = RenewalState()
        let own = RenewalSchedule.renewal(of: chain, state)
        state.suggestedRenewal = suggested
        #expect(RenewalSchedule.renewal(of: chain, state) == own, "it was said of another certificate")
        state.suggestionFor = chain.renewalIdentifier
        #expect(RenewalSchedule.renewal(of: chain, state) == suggested)
        state.suggestedRenewal = .max
        #expect(RenewalSchedule.renewal(of: chain, state) == own)
    }

    @Test(arguments: [("2021-01-07T00:00:00Z", "2021-01-03T00:00:00Z"), ("soon", "later")])
    func windowsThatAreNone(start: String, end: String) async throws {
        try await renewal().run()
        let chain = try #require(files.current()?.chain)
        authority.script.withLock { $0.window = .init(start: start, end: end) }
        await #expect(throws: ACMEError.self) { try await self.client().suggestedRenewal(of: chain) }
    }

    // MARK: Restarts

    /// What was begun goes on: the same order, the same key.
    @Test func anOrderGoesOnAfterARestart() async throws {
        authority.script.withLock {
            $0.failures = [("/order/1/finalize", authority.problem("serverInternal", 500))]
        }
        #expect(await failure(renewal()) != nil)
        let state = files.state()
        #expect(state.order == ScriptedAuthority.base + "/order/1")
        let key = try #require(files.orderKey())
        #expect(await failure(renewal()) == nil)
        #expect(files.current()?.key.pem == key.pem)
        #expect(authority.requests.filter { $0 == "/order" }.count == 1)
    }

    @Test func anOrderThatIsGoneIsMadeAgain() async throws {
        try files.writeOrderKey(CertificateKey(.p256))
        var state = RenewalState()
        state.order = ScriptedAuthority.base + "/order/99"
        state.orderDirectory = ScriptedAuthority.base + "/directory"
        try files.write(state)
        #expect(await failure(renewal()) == nil)
        #expect(authority.requests.filter { $0 == "/order" }.count == 1)
    }

    /// The account's key is on the disk before the authority hears of it.
    @Test func anAccountIsFoundByItsKey() async throws {
        try await client().registered()
        let path = AccountFile(folder: directory.path, directory: ScriptedAuthority.base + "/directory").path
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let client = client()
        try await client.forgetAccount()
        #expect(try await client.registered().url?.hasPrefix(ScriptedAuthority.base) == true)
        #expect(authority.state.withLock { $0.accounts.count } == 1)
    }
}
