import MailDelivery
import MailStore
import MailVocabulary
import SMTPSyntax
import Testing

@Suite("Who a recipient is")
struct ResolverTests {
    /// What an address means: `ann bob x@else.example`, or what it is refused with.
    private func meaning(
        of address: String, in fixture: DeliveryFixture, _ change: (inout DeliverySettings) -> Void = { _ in }
    ) async throws -> String {
        let resolver = fixture.acceptance { settings in
            settings.relaysElsewhere = true
            change(&settings)
        }.resolver
        let resolution = await resolver.resolve(try DeliveryFixture.path(address))
        guard case .accepted(let found) = resolution else { return "\(resolution)" }
        return found.map { destination in
            switch destination {
            case .account(let account): account.address.localPart
            case .elsewhere(let mailbox): "\(mailbox)"
            }
        }.joined(separator: " ")
    }

    @Test("Accounts in any spelling, with a detail; nobody else")
    func accounts() async throws {
        let fixture = try await DeliveryFixture()
        for address in ["ann@example.com", "ANN@Example.Com", "ann+lists@example.com", "Ann+a+b@example.com"] {
            #expect(try await meaning(of: address, in: fixture) == "ann")
        }
        #expect(try await meaning(of: "dan@example.com", in: fixture) == "noSuchUser")
        #expect(try await meaning(of: "+ann@example.com", in: fixture) == "noSuchUser")
        #expect(try await meaning(of: "ann-x@example.com", in: fixture) == "noSuchUser")
        #expect(try await meaning(of: "ann-x@example.com", in: fixture) { $0.separator = "-" } == "ann")
        #expect(try await meaning(of: "ann+x@example.com", in: fixture) { $0.separator = nil } == "noSuchUser")
    }

    @Test("Elsewhere, where mail goes there; nowhere else")
    func elsewhere() async throws {
        let fixture = try await DeliveryFixture()
        #expect(try await meaning(of: "Dan+x@else.example", in: fixture) == "Dan+x@else.example")
        #expect(try await meaning(of: "dan@else.example", in: fixture) { $0.relaysElsewhere = false } == "notLocal")
        let path = try DeliveryFixture.path("dan@else.example")
        let local = await fixture.acceptance { $0.relaysElsewhere = true }.resolver.resolve(path, onlyLocal: true)
        #expect(local == .notLocal)
    }

    @Test("Aliases: several, elsewhere, nested, with a detail, of an account's own name")
    func aliases() async throws {
        let fixture = try await DeliveryFixture()
        try await fixture.alias("team@example.com", "Ann@example.com", "bob+team@example.com", "X@else.example")
        try await fixture.alias("all@example.com", "team@example.com", "cat@example.com", "ann@example.com")
        try await fixture.alias("cat@example.com", "cat@example.com", "cat@else.example")
        #expect(try await meaning(of: "TEAM@example.com", in: fixture) == "ann bob X@else.example")
        #expect(try await meaning(of: "team+x@example.com", in: fixture) == "ann bob X@else.example")
        #expect(
            try await meaning(of: "all@example.com", in: fixture) == "ann bob X@else.example cat cat@else.example")
        #expect(try await meaning(of: "cat@example.com", in: fixture) == "cat cat@else.example")
        // One target that goes nowhere does not take the mail from the others.
        try await fixture.alias("half@example.com", "nobody@example.com", "bob@example.com")
        #expect(try await meaning(of: "half@example.com", in: fixture) == "bob")
        try await fixture.alias("none@example.com", "nobody@example.com")
        #expect(try await meaning(of: "none@example.com", in: fixture) == "noSuchUser")
        #expect(try await meaning(of: "cat@example.com", in: fixture) { $0.relaysElsewhere = false } == "cat")
    }

    @Test("Aliases that lead to themselves, too deep or to too many are refused, at bounded cost")
    func loops() async throws {
        let fixture = try await DeliveryFixture()
        try await fixture.alias("a@example.com", "b@example.com")
        try await fixture.alias("b@example.com", "a@example.com")
        #expect(try await meaning(of: "a@example.com", in: fixture) == "badAlias")
        for index in 0..<20 {
            try await fixture.alias("n\(index)@example.com", "n\(index + 1)@example.com")
        }
        try await fixture.alias("n20@example.com", "ann@example.com")
        #expect(try await meaning(of: "n0@example.com", in: fixture) == "badAlias")
        #expect(try await meaning(of: "n12@example.com", in: fixture) == "ann")
        // Each level a thousand times the one before: nobody waits for a thousand to the power of five.
        let domain = try #require(Domain("example.com"))
        for level in 0..<5 {
            let name = Address(localPart: "w\(level)", domain: domain)
            let targets = (0..<999).map { Address(localPart: "x\($0)", domain: domain) }
            let next = Address(localPart: "w\(level + 1)", domain: domain)
            try await fixture.store.setAlias(Alias(name: .address(name), targets: [next] + targets))
            for target in targets { try await fixture.store.setAlias(Alias(name: .address(target), targets: [next])) }
        }
        #expect(try await meaning(of: "w0@example.com", in: fixture) == "badAlias")
    }

    @Test("The catch-all is for addresses that are nobody's, and gives way to postmaster")
    func catchAll() async throws {
        let fixture = try await DeliveryFixture()
        try await fixture.alias("@example.com", "bob@example.com")
        try await fixture.alias("info@example.com", "cat@example.com")
        #expect(try await meaning(of: "whoever@example.com", in: fixture) == "bob")
        #expect(try await meaning(of: "ann+x@example.com", in: fixture) == "ann")
        #expect(try await meaning(of: "info@example.com", in: fixture) == "cat")
        #expect(try await meaning(of: "postmaster@example.com", in: fixture) == "postmaster")
        try await fixture.alias("@example.com", "gone@example.com")
        #expect(try await meaning(of: "whoever@example.com", in: fixture) == "noSuchUser")
    }

    @Test("The postmaster is who has the name, else whom the operator named")
    func postmaster() async throws {
        let fixture = try await DeliveryFixture()
        let other = try #require(Domain("other.example"))
        try await fixture.store.addDomain(other)
        let resolver = fixture.acceptance { $0.postmaster = Address("ann@example.com") }.resolver
        let ann = try await fixture.account("ann"), postmaster = try await fixture.account("postmaster")
        #expect(await resolver.resolve(.postmaster) == .accepted([.account(postmaster)]))
        let path = try DeliveryFixture.path("PostMaster@other.example")
        #expect(await resolver.resolve(path) == .accepted([.account(ann)]))
        try await fixture.alias("postmaster@other.example", "cat@example.com")
        #expect(await resolver.resolve(path) == .accepted([.account(try await fixture.account("cat"))]))
    }

    @Test("A mailbox without room is told of")
    func room() async throws {
        let fixture = try await DeliveryFixture()
        let ann = try await fixture.account("ann")
        try await fixture.store.setQuota(QuotaLimits(storage: .limited(1000)), of: ann.id)
        let resolver = fixture.acceptance().resolver
        let path = try DeliveryFixture.path("ann@example.com")
        #expect(await resolver.resolve(path, declaredSize: 1001) == .full(isPermanent: true))
        #expect(await resolver.resolve(path, declaredSize: 1000) == .accepted([.account(ann)]))
    }
}

@Suite("Who may send as whom")
struct SenderAuthorityTests {
    @Test("One's own: the account, details, aliases that lead to it alone; granted ones; nobody else's")
    func standings() async throws {
        let fixture = try await DeliveryFixture()
        try await fixture.alias("ann.smith@example.com", "ann@example.com")
        try await fixture.alias("team@example.com", "ann@example.com", "bob@example.com")
        try await fixture.alias("moved@example.com", "ann@example.com", "ann@else.example")
        let ann = try await fixture.account("ann")
        for grant in ["sales@example.com", "@granted.example", "ann@else.example"].compactMap({ AddressPattern($0) }) {
            try await fixture.store.grantSender(grant, to: ann.id)
        }
        let authority = fixture.acceptance().authority
        let expected: [(String, SenderStanding)] = [
            ("ann@example.com", .own), ("ANN@example.com", .own), ("ann+x@example.com", .own),
            ("Ann.Smith@example.com", .own), ("ann.smith+x@example.com", .own), ("team@example.com", .refused),
            ("moved@example.com", .refused), ("bob@example.com", .refused), ("bob+ann@example.com", .refused),
            ("sales@example.com", .granted), ("sales+x@example.com", .refused), ("any@granted.example", .granted),
            ("any@sub.granted.example", .refused), ("Ann@else.example", .granted), ("x@else.example", .refused),
            ("nobody@example.com", .refused),
        ]
        for (sender, standing) in expected {
            let address = try #require(Address(sender))
            #expect(await authority.standing(of: address, for: ann) == standing, "\(sender)")
        }
    }

    @Test("An account that has the address with the detail is somebody else")
    func detail() async throws {
        let fixture = try await DeliveryFixture()
        let address = try #require(Address("ann+x@example.com"))
        _ = try await fixture.store.addAccounts([(address, StoreCredentials.none)])
        let authority = fixture.acceptance().authority
        #expect(await authority.standing(of: address, for: try await fixture.account("ann")) == .refused)
    }
}

enum StoreCredentials {
    static let none = StoredCredentials(
        argon2id: "", scramSHA256: SCRAMVerifier(salt: [], iterations: 1, storedKey: [], serverKey: []))
}

@Suite("How much a user may send")
struct RateTests {
    private let account = AccountID(1)

    @Test("An hour's and a day's messages and recipients, and again when they have passed")
    func limits() {
        let rates = SubmissionRates(
            RateLimits(messagesPerHour: 2, messagesPerDay: 3, recipientsPerHour: 10, recipientsPerDay: 12))
        let start: Int64 = 1_700_000_100
        #expect(rates.count(account, recipients: 1, at: start) == nil)
        #expect(rates.excess(of: account, recipients: 10, at: start) == .recipients)
        #expect(rates.count(account, recipients: 9, at: start) == nil)
        #expect(rates.count(account, recipients: 1, at: start) == .messages)
        #expect(rates.count(AccountID(2), recipients: 1, at: start) == nil)
        #expect(rates.excess(of: account, recipients: 3, at: start + 3600) == .recipients)
        #expect(rates.count(account, recipients: 2, at: start + 3600) == nil)
        #expect(rates.count(account, recipients: 0, at: start + 7200) == .messages)
        #expect(rates.count(account, recipients: 1, at: start + 86_400) == nil)
    }

    @Test("Without limits nothing is counted")
    func none() {
        let rates = SubmissionRates(RateLimits())
        for _ in 0..<10_000 { #expect(rates.count(account, recipients: 1000, at: 0) == nil) }
    }
}
