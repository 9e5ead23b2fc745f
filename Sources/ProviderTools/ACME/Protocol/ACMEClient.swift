import Crypto
import Foundation

/// Speaks ACME (RFC 8555) with one authority, for one account, which is made when it is first needed.
actor ACMEClient {
    struct Options: Sendable {
        /// The directory's URL.
        var directory: String
        /// Mail addresses.
        var contact: [String] = []
        var acceptsTerms = false
        var externalAccount: (identifier: String, macKey: [UInt8])?
    }

    /// Nonces that an authority does not take, in a row. One that restarted takes none that it gave before.
    private static let nonceAttempts = 12
    private static let maximumNonces = 16
    private static let maximumNonceLength = 512

    private let options: Options
    private let transport: any ACMETransport
    private let accounts: AccountFile
    private var known: DirectoryObject?
    private var account: ACMEAccount?
    private var nonces: [String] = []

    init(_ options: Options, accounts: AccountFile, transport: any ACMETransport) {
        self.options = options
        self.accounts = accounts
        self.transport = transport
    }

    func directory() async throws(ACMEError) -> DirectoryObject {
        if let known { return known }
        let response = try await transport.perform(ACMERequest(method: .get, url: options.directory))
        guard response.status == 200 else {
            throw .unreachable("\(options.directory) answers with status \(response.status); is acme.directory right?")
        }
        let directory: DirectoryObject = try Self.decode(response, "its directory")
        known = directory
        return directory
    }

    /// A document that needs no account.
    func get<Value: Decodable & Sendable>(_ url: String) async throws(ACMEError) -> (Value, ACMEResponse) {
        let response = try await transport.perform(ACMERequest(method: .get, url: url))
        guard response.status == 200 else { throw Self.problem(response) }
        return (try Self.decode(response, url), response)
    }

    /// What is at a URL: POST-as-GET (RFC 8555 §6.3).
    func read<Value: Decodable & Sendable>(_ url: String) async throws(ACMEError) -> (Value, ACMEResponse) {
        let response = try await post(url, nil)
        return (try Self.decode(response, url), response)
    }

    func post(_ url: String, _ value: (any Encodable & Sendable)?) async throws(ACMEError) -> ACMEResponse {
        let account = try await registered()
        return try await send(url, value.map { WebSignature.json($0) }, account)
    }

    /// For challenges: the token, and the hash of the account's key (RFC 8555 §8.1).
    func keyAuthorization(_ token: String) async throws(ACMEError) -> String {
        guard let key = try await registered().signingKey else { throw .file("\(accounts.path) holds no key") }
        return token + "." + WebKey(key.publicKey).thumbprint
    }

    /// The account, made or found by its key.
    @discardableResult
    func registered() async throws(ACMEError) -> ACMEAccount {
        if let account { return account }
        var stored = try accounts.readOrMake()
        if stored.url == nil {
            stored = try await register(stored)
        } else if stored.contact != contacts, let url = stored.url {
            _ = try await send(url, WebSignature.json(ContactUpdate(contact: contacts)), stored)
            stored.contact = contacts
            try accounts.write(stored)
        }
        account = stored
        return stored
    }

    /// The authority says that it does not know the account: it is made again, with the same key, when next needed.
    func forgetAccount() throws(ACMEError) {
        account = nil
        var stored = try accounts.readOrMake()
        stored.url = nil
        try accounts.write(stored)
    }

    private var contacts: [String] { options.contact.map { "mailto:\($0)" } }

    private func register(_ new: ACMEAccount) async throws(ACMEError) -> ACMEAccount {
        let directory = try await directory()
        if let terms = directory.meta?.termsOfService, !options.acceptsTerms {
            throw .configuration(
                "the certificate authority has terms of service, at \(terms): read them and, if you agree, set "
                    + "acme.accept-terms to on")
        }
        if directory.meta?.externalAccountRequired == true, options.externalAccount == nil {
            throw .problem(
                ACMEProblem(ProblemDocument(type: "urn:ietf:params:acme:error:externalAccountRequired"), status: 0))
        }
        guard let key = new.signingKey else { throw .file("\(accounts.path) holds no key") }
        var request = NewAccount(contact: contacts.isEmpty ? nil : contacts)
        if options.acceptsTerms { request.termsOfServiceAgreed = true }
        if let external = options.externalAccount {
            request.externalAccountBinding = WebSignature(
                binding: key.publicKey, to: external.identifier, macKey: external.macKey, url: directory.newAccount)
        }
        let response = try await send(directory.newAccount, WebSignature.json(request), new)
        guard let url = response.header("location") else { throw .malformed("a new account has no URL") }
        let object: AccountObject = try Self.decode(response, "the account")
        guard object.status == "valid" else { throw .configuration("the account is \(object.status) at the authority") }
        var made = new
        made.url = url
        made.contact = contacts
        try accounts.write(made)
        return made
    }

    // MARK: Requests

    /// Signed, with a nonce; again when the authority does not take the nonce (RFC 8555 §6.5).
    private func send(_ url: String, _ payload: [UInt8]?, _ account: ACMEAccount) async throws(ACMEError)
        -> ACMEResponse
    {
        guard let key = account.signingKey else { throw .file("\(accounts.path) holds no key") }
        var last = ACMEError.unreachable("no attempt")
        for _ in 0..<Self.nonceAttempts {
            let signed = try WebSignature(payload, key: key, account: account.url, nonce: try await nonce(), url: url)
            let response = try await transport.perform(
                ACMERequest(method: .post, url: url, body: WebSignature.json(signed)))
            keepNonce(response)
            if (200..<300).contains(response.status) { return response }
            last = Self.problem(response)
            guard case .problem(let problem) = last, problem.isBadNonce else { throw last }
        }
        throw last
    }

    private func nonce() async throws(ACMEError) -> String {
        if let nonce = nonces.popLast() { return nonce }
        let url = try await directory().newNonce
        keepNonce(try await transport.perform(ACMERequest(method: .head, url: url)))
        guard let nonce = nonces.popLast() else { throw .malformed("it gives no nonce") }
        return nonce
    }

    private func keepNonce(_ response: ACMEResponse) {
        guard let nonce = response.header("replay-nonce"), nonces.count < Self.maximumNonces,
            !nonce.isEmpty, nonce.utf8.count <= Self.maximumNonceLength, Base64URL.isText(nonce)
        else { return }
        nonces.append(nonce)
    }

    static func problem(_ response: ACMEResponse) -> ACMEError {
        let document = try? JSONDecoder().decode(ProblemDocument.self, from: Data(response.body))
        return .problem(
            ACMEProblem(
                document ?? ProblemDocument(), status: response.status, retryAfter: response.retryAfter(now: Date())))
    }

    static func decode<Value: Decodable>(_ response: ACMEResponse, _ what: String) throws(ACMEError) -> Value {
        do { return try JSONDecoder().decode(Value.self, from: Data(response.body)) } catch {
            throw .malformed("\(what) is not of the form that RFC 8555 has")
        }
    }
}
