import IMAPSyntax
package import MailStore
import MailVocabulary

/// What BURL asks (RFC 4468): URLs that were authorised for submission, `submit+user`, or for more than that.
package struct SubmissionURLs: AuthorisedURLs {
    private let service: IMAPService
    private let authentication: URLAuthentication

    /// - Parameter authentication: the one that sessions authorise URLs with.
    package init(_ service: IMAPService, _ authentication: @escaping URLAuthentication) {
        self.service = service
        self.authentication = authentication
    }

    package func content(of url: String, for account: Account, at host: String) async throws -> URLOctets? {
        guard let url = IMAPURL(url), url.server != nil else { return nil }
        let addressed = AddressedURL(url: url, account: account, selected: nil, host: host)
        guard let mailbox = try await service.authorisedMailbox(of: addressed, authentication, forSubmission: true),
            let content = try await service.content(of: url, in: mailbox)
        else { return nil }
        switch content {
        case .stored(let body, let range): return .stored(body, range)
        case .octets(let octets): return .held(octets)
        }
    }
}
