import Authentication
import Dispatch
import MailStore
import MailVocabulary
import SASL
import Synchronization
import Testing

@Suite("Password authentication")
struct PasswordAuthenticatorTests {
    let accounts = TestAccounts()
    let verifying = CountingVerifying()
    let authenticator: ServerAuthenticator

    init() throws {
        try accounts.add("ada@example.org", "pass word")
        try accounts.add("bob@example.org", "secret", isDisabled: true)
        authenticator = ServerAuthenticator(
            accounts: accounts, defaultDomain: Domain("example.org"), verifying: verifying, failureDelay: .zero)
    }

    private func login(_ name: String, _ password: String, as identity: String? = nil) async -> String {
        let credentials = PasswordCredentials(
            authorizationIdentity: identity, authenticationIdentity: name, password: Secret(password))
        return await authenticator.authenticate(credentials, from: "192.0.2.1").summary
    }

    @Test(arguments: ["ada@example.org", "ADA@Example.ORG", "ada", "Ada"])
    func nameWithOrWithoutDomain(_ name: String) async {
        #expect(await login(name, "pass word") == "success ada@example.org")
    }

    @Test(arguments: ["ada@example.org", "ada", "ADA"])
    func ownAuthorizationIdentity(_ identity: String) async {
        #expect(await login("ada", "pass word", as: identity) == "success ada@example.org")
    }

    @Test(arguments: [
        ("ada", "Pass word", nil, "wrong password"), ("ada", "pass word ", nil, "wrong password"),
        ("eve", "pass word", nil, "no such account"), ("ada@example.com", "pass word", nil, "no such account"),
        ("bob", "secret", nil, "account disabled"), ("ada", "pass word", "bob", "authorization identity of another"),
        ("ada", "pass word", "", "authorization identity of another"), ("", "pass word", nil, "not a login name"),
        ("a b", "pass word", nil, "not a login name"), ("@", "pass word", nil, "not a login name"),
        ("ada", "", nil, "password not acceptable to SASLprep"),
        ("ada", "pass\u{7}word", nil, "password not acceptable to SASLprep"),
    ])
    func refusalsCostOneComputationEach(name: String, password: String, identity: String?, reason: String) async {
        #expect(await login(name, password, as: identity) == "failure: \(reason)")
        #expect(verifying.count == 1)
    }

    @Test("A disabled account answers right and wrong passwords alike, at the same cost [8314-4.1-5]")
    func disabledAccountRevealsNothing() async {
        let right = await login("bob", "secret")
        let wrong = await login("bob", "not the secret")
        #expect(right == wrong)
        #expect(verifying.count == 2)
    }

    @Test func withoutDefaultDomainOnlyAddressesAreNames() async {
        let authenticator = ServerAuthenticator(accounts: accounts, defaultDomain: nil, failureDelay: .zero)
        let bare = PasswordCredentials(authenticationIdentity: "ada", password: Secret("pass word"))
        #expect(await authenticator.authenticate(bare, from: "192.0.2.1").summary == "failure: not a login name")
        let full = PasswordCredentials(authenticationIdentity: "ada@example.org", password: Secret("pass word"))
        #expect(await authenticator.authenticate(full, from: "192.0.2.1").summary == "success ada@example.org")
    }

    @Test func storeFailureIsNotARefusal() async {
        accounts.isDown.withLock { $0 = true }
        #expect(await login("ada", "pass word").hasPrefix("unavailable"))
    }

    @Test func repeatedLoginSkipsTheComputation() async {
        for _ in 0..<5 { #expect(await login("ada", "pass word") == "success ada@example.org") }
        #expect(verifying.count == 1)
        #expect(await login("ada", "wrong") == "failure: wrong password")
        #expect(await login("ada", "wrong") == "failure: wrong password")
        #expect(verifying.count == 3)
    }

    @Test func cacheOffCostsEveryTime() async {
        let authenticator = ServerAuthenticator(
            accounts: accounts, defaultDomain: nil, cache: nil, verifying: verifying)
        let credentials = PasswordCredentials(authenticationIdentity: "ada@example.org", password: Secret("pass word"))
        for _ in 0..<3 { _ = await authenticator.authenticate(credentials, from: "192.0.2.1") }
        #expect(verifying.count == 3)
    }

    @Test func passwordChangeForgetsTheOldOne() async throws {
        #expect(await login("ada", "pass word") == "success ada@example.org")
        let new = try PasswordHashing.computeCredentials(Secret("another"), cost: .test)
        try await accounts.setCredentials(new, of: AccountID(1))
        #expect(await login("ada", "pass word") == "failure: wrong password")
        #expect(await login("ada", "another") == "success ada@example.org")
    }

    @Test func setToTheSamePasswordIsVerifiedAnew() async throws {
        _ = await login("ada", "pass word")
        let same = try PasswordHashing.computeCredentials(Secret("pass word"), cost: .test)
        try await accounts.setCredentials(same, of: AccountID(1))
        #expect(await login("ada", "pass word") == "success ada@example.org")
        #expect(verifying.count == 2)
    }

    @Test func differentlyTypedUnicodeIsOnePassword() async throws {
        try accounts.add("zoë@example.org", "pa\u{308}ss\u{A0}\u{2168}")
        #expect(await login("zoë", "p\u{E4}ss IX") == "success zoë@example.org")
    }

    @Test func fullQueueIsUnavailableNotWrong() async {
        let gate = DispatchSemaphore(value: 0)
        let slow = CountingVerifying(delay: { gate.wait() })
        let authenticator = ServerAuthenticator(
            accounts: accounts, defaultDomain: Domain("example.org"), pool: WorkerPool(width: 1, capacity: 2),
            cache: nil, verifying: slow, failureDelay: .zero)
        let credentials = PasswordCredentials(authenticationIdentity: "ada", password: Secret("pass word"))
        let results = await withTaskGroup(of: String.self) { group in
            for _ in 0..<8 {
                group.addTask { await authenticator.authenticate(credentials, from: "192.0.2.1").summary }
            }
            // One runs, two wait, five are refused while the gate is still closed.
            var results: [String] = []
            for await result in group {
                results.append(result)
                if results.count == 5 { for _ in 0..<3 { gate.signal() } }
            }
            return results
        }
        #expect(results.prefix(5).allSatisfy { $0 == "unavailable: too many logins are waiting" })
        #expect(results.suffix(3).allSatisfy { $0 == "success ada@example.org" })
    }

    @Test("Unknown names take as long as wrong passwords [8314-4.1-5]")
    func unknownTakesAsLongAsWrong() async throws {
        let credentials = try PasswordHashing.computeCredentials(Secret("pass word"))
        try await accounts.setCredentials(credentials, of: AccountID(1))
        // Alternating, and the quickest of each: other work on the machine only ever adds time.
        var wrong = Duration.seconds(3600)
        var unknown = wrong
        for round in 0..<60 where round < 9 || unknown >= wrong * 2 || wrong >= unknown * 2 {
            wrong = min(wrong, await ContinuousClock().measure { _ = await login("ada", "wrong") })
            unknown = min(unknown, await ContinuousClock().measure { _ = await login("eve", "wrong") })
        }
        #expect(unknown < wrong * 2 && wrong < unknown * 2)
    }

    @Test("What verifiers cost does not show: a refusal comes a fixed time after the question [8314-4.1-5]")
    func fixedTimeForRefusals() async throws {
        let authenticator = ServerAuthenticator(
            accounts: accounts, defaultDomain: Domain("example.org"), cache: nil, failureDelay: .seconds(2))
        let dear = try PasswordHashing.computeCredentials(
            Secret("pass word"), cost: Argon2Cost(memoryKiB: 64 * 1024, passes: 2, lanes: 1))
        try await accounts.setCredentials(dear, of: AccountID(1))
        try accounts.add("cheap@example.org", "pass word")
        func time(_ name: String, _ password: String, _ expected: String) async -> Duration {
            let credentials = PasswordCredentials(authenticationIdentity: name, password: Secret(password))
            return await ContinuousClock().measure {
                let result = await authenticator.authenticate(credentials, from: "192.0.2.1").summary
                #expect(result.hasPrefix(expected))
            }
        }
        for (name, password) in [("ada", "wrong"), ("cheap", "wrong"), ("eve", "wrong"), ("ada", "\u{7}")] {
            let taken = await time(name, password, "failure")
            #expect(taken >= .seconds(2))
        }
        // Now and then the machine has other things to do.
        var success = Duration.seconds(60)
        for _ in 0..<5 { success = min(success, await time("cheap", "pass word", "success")) }
        #expect(success < .seconds(2))
        accounts.isDown.withLock { $0 = true }
        #expect(await time("ada", "wrong", "unavailable") >= .seconds(2))
    }
}
