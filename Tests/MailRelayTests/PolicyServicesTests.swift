import Foundation
import MailDNS
import MailTestSupport
import MailVocabulary
import Testing

@testable import MailRelay

struct PolicyServicesTests {
    /// A resolver that gets no answer: nothing listens on the port.
    private func options(_ directory: String?) -> PolicyServices.Options {
        var options = PolicyServices.Options(ownNames: ["mail.example"])
        options.resolver.forwarders = [.init(address: "127.0.0.1", port: 1)]
        options.resolver.timeout = .milliseconds(200)
        options.directory = directory
        options.countsResults = directory != nil
        return options
    }

    @Test("Without any answer mail waits; what was counted is kept when the server stops")
    func unreachable() async throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "policies-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let services = try PolicyServices(options(directory))
        guard case .deferred(let refusal) = await services.policies.plan(for: "example.org", .byPolicy) else {
            Issue.record("not deferred")
            return
        }
        #expect(refusal.status == "4.4.3")
        services.recorder?.record(TLSSessionResult(policy: ReportedPolicy(.none, recipientDomain: "example.org")))
        let (domain, contact) = (Domain("mail.example"), Address("postmaster@mail.example"))
        let running = Task {
            guard let domain, let contact else { return }
            await services.run(submitter: domain, contact: contact) { _ in }
        }
        running.cancel()
        await running.value
        #expect(FileManager.default.fileExists(atPath: directory + "/tls-results.json"))
    }

    @Test("Nothing is counted unless it is wanted, and a bad trust anchor is refused at once")
    func constructed() throws {
        #expect(try PolicyServices(options(nil)).recorder == nil)
        var bad = options(nil)
        bad.resolver.trustAnchorFile = "/nonexistent"
        #expect(throws: ResolverOptionsError.self) { try PolicyServices(bad) }
    }
}
