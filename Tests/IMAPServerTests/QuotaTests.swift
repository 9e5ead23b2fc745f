import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import IMAPServer

@Suite struct QuotaTests {
    /// RFC 9208 §4.3.1, examples 2 and 3.
    @Test("A warning comes before the answer when an addition brings the account near its limit")
    func warning() async throws {
        let fixture = try await Fixture()
        try await fixture.store.setQuota(QuotaLimits(messages: .limited(10)), of: fixture.account.id)
        try await fixture.deliver((1...8).map(Fixture.simple))
        let client = await fixture.session("INBOX")
        #expect(!(await client.send("a APPEND Sent {3+}\r\nabc\r\n").contains("OVERQUOTA")))
        let appended = await client.send("b APPEND Sent {3+}\r\nabc\r\n")
        #expect(appended.hasPrefix("* NO [OVERQUOTA] The quota is nearly exhausted\r\nb OK [APPENDUID "))
        #expect(!(await client.send("c MOVE 1 Sent\r\n").contains("OVERQUOTA")))
        try await fixture.store.setQuota(QuotaLimits(messages: .limited(12)), of: fixture.account.id)
        let copied = await client.send("d COPY 1:2 Sent\r\n")
        #expect(copied.hasPrefix("* NO [OVERQUOTA] The quota is nearly exhausted\r\nd OK [COPYUID "))
        #expect(await client.send("e COPY 1 Sent\r\n") == "e NO [OVERQUOTA] The quota is exhausted\r\n")
        #expect(await client.send("f MOVE 1 Trash\r\n").contains("f OK"))
    }

    @Test("Limits in octets are told in begun kibibytes")
    func units() async throws {
        let fixture = try await Fixture()
        try await fixture.store.setQuota(QuotaLimits(storage: .limited(1500)), of: fixture.account.id)
        let client = await fixture.session()
        _ = await client.send("a APPEND INBOX {1025+}\r\n" + String(repeating: "x", count: 1025) + "\r\n")
        await client.expect(
            "b GETQUOTA fred@example.org\r\n",
            "* QUOTA fred@example.org (STORAGE 2 2)\r\nb OK GETQUOTA completed\r\n")
    }

    @Test("Who is no administrator cannot tell which roots there are")
    func confidential() async throws {
        let fixture = try await Fixture()
        _ = try await fixture.addAccount("jill")
        let client = await fixture.session()
        let (there, absent) = (
            await client.send("a GETQUOTA jill@example.org\r\n"), await client.send("a GETQUOTA x@example.org\r\n")
        )
        #expect(there == absent)
        #expect(there == "a NO [NONEXISTENT] No such quota root\r\n")
        let set = await client.send("a SETQUOTA jill@example.org (STORAGE 1)\r\n")
        #expect(set == (await client.send("a SETQUOTA x@example.org (STORAGE 1)\r\n")))
        #expect(!(await client.send("b CAPABILITY\r\n").contains("QUOTASET")))
    }
}
