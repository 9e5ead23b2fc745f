import IMAPSyntax
import MailStore
import MailVocabulary

// URLAUTH (RFC 4467). A URL is authorised by a code over its text, made with a key of its mailbox that only the store
// knows. A new key (RESETKEY) makes all that were authorised before worthless.

/// A URL to be authorised.
package struct AuthorisationRequest: Sendable {
    package var text: String
    package var url: AddressedURL
}

extension IMAPService {
    /// The first octet of a token: how the rest was made.
    private static let version: UInt8 = 1
    /// Octets of a key.
    private static let keyLength = 32

    /// The URLs with their tokens; nil when one of them cannot be authorised (RFC 4467 §7).
    func authorise(
        _ requests: [AuthorisationRequest], _ authentication: URLAuthentication
    ) async throws -> [String]? {
        var authorised: [String] = []
        for request in requests {
            let url = request.url.url
            guard let authorization = url.authorization, authorization.token == nil, url.uid != nil,
                let name = url.mailbox, try await owner(of: request.url)?.id == request.url.account.id,
                let mailbox = try await store.mailbox(name, of: request.url.account.id)
            else { return nil }
            let key = try await store.urlKey(of: mailbox.id, orNew: IMAPService.newKey())
            let token = [Self.version] + authentication(key, Array(authorization.rump.utf8))
            authorised.append(request.text + ":internal:" + IMAPService.hexadecimal(token))
        }
        return authorised
    }

    /// What a URL names, if it is authorised for who uses it; nil for every reason not to tell it.
    func fetch(_ addressed: AddressedURL, _ authentication: URLAuthentication) async throws -> URLContent? {
        guard let mailbox = try await authorisedMailbox(of: addressed, authentication) else { return nil }
        return try await content(of: addressed.url, in: mailbox)
    }

    func authorisedMailbox(
        of addressed: AddressedURL, _ authentication: URLAuthentication, forSubmission: Bool = false
    ) async throws -> Mailbox? {
        guard let authorization = addressed.url.authorization, let token = authorization.token,
            token.mechanism == "INTERNAL", token.octets.first == Self.version, let name = addressed.url.mailbox,
            let owner = try await owner(of: addressed),
            let mailbox = try await store.mailbox(name, of: owner.id),
            let key = try await store.urlKey(of: mailbox.id)
        else { return nil }
        let expected = authentication(key, Array(authorization.rump.utf8))
        guard IMAPService.areEqual(Array(token.octets.dropFirst()), expected) else { return nil }
        if let expiry = authorization.expiry, expiry.seconds < now().seconds { return nil }
        return try await mayUse(addressed, authorization.access, forSubmission) ? mailbox : nil
    }

    /// RFC 4467 §3.1.3. Sessions here are users': none is of an application (RFC 5593). What submission may use on a
    /// user's behalf, it may for the one who has logged in there.
    private func mayUse(
        _ addressed: AddressedURL, _ access: IMAPURL.Access, _ forSubmission: Bool
    ) async throws -> Bool {
        switch access {
        case .anonymous, .authenticatedUser: true
        case .user(let name):
            try await account(named: name, at: addressed.url.server?.host ?? "")?.id == addressed.account.id
        case .submission(let name) where forSubmission: try await isAccount(addressed, named: name)
        case .submission, .application: false
        }
    }

    /// By address, or by the local part at the URL's host or in its owner's domain.
    private func isAccount(_ addressed: AddressedURL, named name: String) async throws -> Bool {
        if try await account(named: name, at: addressed.url.server?.host ?? "")?.id == addressed.account.id {
            return true
        }
        guard let owner = try await owner(of: addressed) else { return false }
        return try await account(named: name, at: owner.address.domain.name)?.id == addressed.account.id
    }

    /// Makes worthless what was authorised for the mailbox, or for any of the account's.
    func resetURLKeys(of account: AccountID, _ name: MailboxName?) async throws {
        guard let name else {
            return try await store.resetURLKeys(of: try await store.mailboxes(of: account).map(\.id))
        }
        guard let mailbox = try await store.mailbox(name, of: account) else { throw StoreError.noSuchMailbox }
        try await store.resetURLKeys(of: [mailbox.id])
    }

    private static func newKey() -> Secret {
        var random = SystemRandomNumberGenerator()
        return Secret((0..<keyLength).map { _ in UInt8.random(in: 0...255, using: &random) })
    }

    private static func hexadecimal(_ octets: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: octets.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// In the same time, whatever the octets are.
    private static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        return zip(a, b).reduce(UInt8(0)) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
