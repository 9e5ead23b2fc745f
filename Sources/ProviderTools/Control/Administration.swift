package import MailRelay
package import MailStore
import MailTransfer
import MailVocabulary

/// Performs an operator's requests on a store.
package struct Administration: Administering {
    /// Users in one answer.
    private static let usersPerReply = 1000

    let store: any MailStore

    /// The running server's; nil when only the store is open.
    let queue: QueueRunner?

    /// Nil without ACME, and when only the store is open.
    let certificates: CertificateManager?

    package init(store: any MailStore, queue: QueueRunner? = nil, certificates: CertificateManager? = nil) {
        self.store = store
        self.queue = queue
        self.certificates = certificates
    }

    package func perform(
        _ request: ControlRequest, reply: @escaping @Sendable (ControlReply) -> Void
    ) async throws(OperatorError) {
        do {
            switch request {
            case .listDomains: reply(.domains(try await store.domains().map(\.name).sorted()))
            case .addDomain(let name): try await store.addDomain(domain(name))
            case .deleteDomain(let name): try await store.deleteDomain(domain(name))
            case .listUsers: try await listUsers(reply)
            case .addUsers(let users): try await addUsers(users)
            case .setCredentials(let address, let credentials): try await setCredentials(address, credentials)
            case .deleteUser(let address): try await store.deleteAccount(account(address).id)
            case .listAliases, .setAlias, .removeAlias, .listSenderGrants, .grantSender, .revokeSender:
                try await administerAddresses(request, reply)
            case .verify: try await verify(reply)
            case .quota(let address): reply(.quota(QuotaRecord(try await store.quota(of: account(address).id))))
            case .setQuota(let address, let storage, let messages, let isAdministrator):
                let id = try await account(address).id
                if storage != nil || messages != nil {
                    let limits = QuotaLimits(
                        storage: storage?.limit ?? .standard, messages: messages?.limit ?? .standard)
                    try await store.setQuota(limits, of: id)
                }
                if let isAdministrator { try await store.setAdministrator(isAdministrator, id) }
                reply(.quota(QuotaRecord(try await store.quota(of: id))))
            case .importMail, .exportMail: try await transfer(request, reply)
            case .queue(let request): try await perform(request, reply)
            case .certificate(let request):
                guard let certificates else {
                    throw OperatorError(
                        .configuration, "this server gets no certificates itself: acme.directory is not set")
                }
                try await certificates.perform(request) { reply(.certificate($0)) }
            }
        } catch let error as OperatorError {
            throw error
        } catch let problem as TransferError {
            throw OperatorError(.ioError, problem.description)
        } catch let error as StoreError {
            throw Administration.explain(error, request)
        } catch {
            throw OperatorError(.software, "the store failed: \(error)")
        }
    }

    private func listUsers(_ reply: @Sendable (ControlReply) -> Void) async throws {
        let users = try await store.accounts().map {
            UserRecord(address: $0.address.description, disabled: $0.isDisabled)
        }
        .sorted { $0.address < $1.address }
        for start in stride(from: 0, to: users.count, by: Self.usersPerReply) {
            reply(.users(Array(users[start..<min(start + Self.usersPerReply, users.count)])))
        }
    }

    private func addUsers(_ users: [NewUser]) async throws {
        let new = try users.map { user in
            guard let address = Address(user.address)?.canonical else { throw notAnAddress(user.address) }
            guard let credentials = user.credentials.stored else {
                throw OperatorError(.dataError, "the verifier for \(user.address) is not an argon2id one")
            }
            return (address, credentials)
        }
        _ = try await store.addAccounts(new)
    }

    private func setCredentials(_ address: String, _ credentials: CredentialsRecord) async throws {
        guard let credentials = credentials.stored else {
            throw OperatorError(.dataError, "the verifier for \(address) is not an argon2id one")
        }
        try await store.setCredentials(credentials, of: account(address).id)
    }

    private func verify(_ reply: @escaping @Sendable (ControlReply) -> Void) async throws {
        let damage = try await store.verify { reply(.progress(checked: $0.checked, total: $0.total)) }
        for item in damage { reply(.damage(place: item.place, problem: item.problem)) }
        if let state = try await store.textIndexState() {
            reply(.textIndex(indexed: state.indexed, messages: state.messages, octets: state.octets))
        }
    }

    private func domain(_ name: String) throws(OperatorError) -> Domain {
        guard let domain = Domain(name) else {
            throw OperatorError(.dataError, "“\(name)” is not a domain name; write it like example.org")
        }
        return domain
    }

    func account(_ text: String) async throws -> Account {
        guard let address = Address(text)?.canonical else { throw notAnAddress(text) }
        guard let account = try await store.account(address) else {
            throw OperatorError(.noUser, "there is no user \(address); “latchmaild user list” shows all")
        }
        return account
    }

    func notAnAddress(_ text: String) -> OperatorError {
        OperatorError(.dataError, "“\(text)” is not an address; write it like name@example.org")
    }

    /// One clear sentence, with the remedy.
    static func explain(_ error: StoreError, _ request: ControlRequest) -> OperatorError {
        switch error {
        case .noSuchDomain:
            if case .addUsers = request {
                return OperatorError(
                    .dataError, "the address's domain is not served here; “latchmaild domain add” adds it first")
            }
            return OperatorError(.dataError, "there is no such domain; “latchmaild domain list” shows all")
        case .domainExists: return OperatorError(.dataError, "the domain is there already")
        case .domainInUse: return OperatorError(.dataError, "the domain has users; delete them first")
        case .noSuchAccount: return OperatorError(.noUser, "there is no such user; “latchmaild user list” shows all")
        case .accountExists:
            return OperatorError(
                .dataError, "there is such a user already; “latchmaild user passwd” changes a password")
        case .noSpace: return OperatorError(.ioError, "the disk is full; nothing was changed")
        case .damaged(let place):
            return OperatorError(.ioError, "the store is damaged (\(place)); run “latchmaild verify”")
        case .unavailable(let reason): return OperatorError(.unavailable, "the store cannot be used now: \(reason)")
        case .overQuota:
            return OperatorError(.dataError, "the user's quota is exhausted; “latchmaild user quota” changes it")
        case .noSuchAlias:
            return OperatorError(.noUser, "there is no such alias; “latchmaild alias list” shows all")
        case .badAliasTargets:
            return OperatorError(
                .dataError, "an alias has from 1 to \(StoreLimits.aliasTargets) targets, each of them once")
        case .noSuchSenderGrant:
            return OperatorError(.dataError, "that was not granted; “latchmaild user grants” shows what is")
        case .tooManySenderGrants:
            return OperatorError(
                .dataError, "one user can be granted \(StoreLimits.senderGrantsPerAccount) addresses; grant a domain")
        case .invalidName, .noSuchMailbox, .mailboxExists, .mailboxNotDeletable, .specialUseTaken, .tooManyMailboxes,
            .tooManyKeywords, .tooManyAccessEntries, .tooManyAnnotations, .annotationTooLarge, .messageTooLarge,
            .uidsExhausted, .noSuchBody:
            return OperatorError(.software, "the store refused: \(error)")
        }
    }
}
