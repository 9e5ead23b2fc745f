import IMAPSyntax
import MailVocabulary
import Testing

@Suite struct QuotaTests {
    @Test func commands() {
        #expect(request("GETQUOTA \"\"") == "getQuota(root: \"\")")
        #expect(request("getquota {2+}\r\n#a") == "getQuota(root: \"#a\")")
        #expect(request("GETQUOTAROOT inbox").contains("getQuotaRoot"))
        #expect(request("SETQUOTA a@b ()") == "setQuota(root: \"a@b\", [])")
    }

    @Test func limits() throws {
        let text = "a SETQUOTA \"#user/alice\" (storage 510 X-COLOURS 0 MESSAGE 9223372036854775807)"
        guard case .setQuota("#user/alice", let resources) = try parse(text).request else {
            Issue.record("not read as SETQUOTA")
            return
        }
        #expect(
            resources == [
                QuotaResource(name: "STORAGE", limit: 510), QuotaResource(name: "X-COLOURS", limit: 0),
                QuotaResource(name: "MESSAGE", limit: UInt64(Int64.max)),
            ])
    }

    @Test(arguments: [
        "GETQUOTA", "GETQUOTA ", "GETQUOTA a b", "GETQUOTA (a)", "GETQUOTAROOT", "GETQUOTAROOT ", "GETQUOTAROOT a b",
        "SETQUOTA", "SETQUOTA a", "SETQUOTA a ", "SETQUOTA a STORAGE 1", "SETQUOTA a (STORAGE)",
        "SETQUOTA a (STORAGE )",
        "SETQUOTA a (STORAGE -1)", "SETQUOTA a (STORAGE 9223372036854775808)", "SETQUOTA a (STORAGE 1",
        "SETQUOTA a (STORAGE 1 )", "SETQUOTA a (STORAGE 1) x", "SETQUOTA a (1 STORAGE)", "UID GETQUOTA a",
    ])
    func rejected(_ text: String) { #expect(error(text)?.answer == .bad) }

    @Test func overLimit() {
        let many = Array(repeating: "STORAGE 1", count: IMAPLimits.shortList + 1).joined(separator: " ")
        #expect(error("SETQUOTA a (\(many))")?.code == .limit)
    }

    @Test func responses() {
        #expect(
            written {
                $0.append(
                    quota: "#user/alice",
                    [QuotaUsage(.storage, usage: 54, limit: 111), QuotaUsage(.message, usage: 42, limit: 1000)], .ascii)
            } == "* QUOTA #user/alice (STORAGE 54 111 MESSAGE 42 1000)\r\n")
        #expect(written { $0.append(quota: "", [], .ascii) } == "* QUOTA \"\" ()\r\n")
        #expect(
            written { $0.append(quotaRootsOf: .inbox, ["#user/alice", ""], .utf8, .utf8) }
                == "* QUOTAROOT INBOX #user/alice \"\"\r\n")
        #expect(
            written { $0.append(quotaRootsOf: name("ü"), [], .modifiedUTF7, .ascii) } == "* QUOTAROOT &APw-\r\n")
    }
}
