import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// QUOTA (RFC 9208): each account is a quota root, which has the account's address for its name. It counts octets
// (STORAGE, in units of 1024) and messages (MESSAGE), as STATUS does, over all the account's mailboxes.

extension IMAPSession {
    /// RFC 9208 §4.1.1. What others hold is confidential (§8): their roots are there for administrators only.
    mutating func getQuota(_ tag: String, _ root: String, _ output: inout SessionOutput) -> Step {
        guard let account = state.account else { return .ready }
        guard let address = account.address(ofRoot: root), address == account.address || account.isAdministrator
        else { return refuseQuotaRoot(tag, &output) }
        return perform(.quota(address)) { session, outcome, output in
            session.concludeQuota(tag, outcome, "GETQUOTA completed", &output)
        }
    }

    /// RFC 9208 §4.1.2. Each name is under one root, whether there is such a mailbox or not.
    mutating func getQuotaRoot(_ tag: String, _ mailbox: MailboxName, _ output: inout SessionOutput) -> Step {
        guard let account = state.account else { return .ready }
        return perform(.quotaRoot(mailbox, account)) { session, outcome, output in
            guard case .quota(let root, _) = outcome else { return session.concludeFailed(tag, outcome, &output) }
            var reply = OutputBuffer()
            reply.append(
                quotaRootsOf: mailbox, [root.description], session.enabled.mailboxEncoding,
                session.enabled.stringEncoding)
            session.enqueue(reply)
            return session.concludeQuota(tag, outcome, "GETQUOTAROOT completed", &output)
        }
    }

    /// RFC 9208 §4.1.3. Resources that are not listed are not limited any more.
    mutating func setQuota(
        _ tag: String, _ root: String, _ resources: [QuotaResource], _ output: inout SessionOutput
    ) -> Step {
        guard let account = state.account else { return .ready }
        guard account.isAdministrator else {
            return conclude(tag, .no, .noPermission, "Quotas are the administrator's to set", &output)
        }
        guard let address = account.address(ofRoot: root) else { return refuseQuotaRoot(tag, &output) }
        guard let limits = QuotaLimits(resources) else {
            return conclude(tag, .no, .cannot, "STORAGE and MESSAGE can be limited, each once", &output)
        }
        output.events.append(.notice("quota of \(address) changed"))
        return perform(.setQuota(address, limits)) { session, outcome, output in
            session.concludeQuota(tag, outcome, "SETQUOTA completed", &output)
        }
    }

    /// RFC 9208 §4.3.1: before the answer of the command that has added messages.
    mutating func warnOfQuota() {
        var reply = OutputBuffer()
        reply.append(status: .no, tag: nil, code: .overQuota, "The quota is nearly exhausted")
        enqueue(reply)
    }

    private mutating func refuseQuotaRoot(_ tag: String, _ output: inout SessionOutput) -> Step {
        conclude(tag, .no, .nonExistent, "No such quota root", &output)
    }

    private mutating func concludeQuota(
        _ tag: String, _ outcome: IMAPOutcome, _ text: String, _ output: inout SessionOutput
    ) -> Step {
        switch outcome {
        case .quota(let root, let quota):
            var reply = OutputBuffer()
            reply.append(quota: root.description, quota.resources, enabled.stringEncoding)
            enqueue(reply)
            return conclude(tag, .ok, text, &output)
        case .failed(.noSuchAccount): return refuseQuotaRoot(tag, &output)
        case _: return concludeFailed(tag, outcome, &output)
        }
    }
}

extension Account {
    /// Which account a quota root belongs to.
    fileprivate func address(ofRoot root: String) -> Address? {
        // One's own may be written with quotes, which an address as people write it is not.
        root == address.description ? address : Address(root)?.canonical
    }
}

extension QuotaLimits {
    /// Nil for a resource that cannot be limited, or stands twice.
    fileprivate init?(_ resources: [QuotaResource]) {
        self.init(storage: .unlimited, messages: .unlimited)
        for resource in resources {
            switch QuotaUsage.Resource(rawValue: resource.name) {
            case .storage where storage == .unlimited: storage = .limited(resource.limit.kibibytesAsOctets)
            case .message where messages == .unlimited: messages = .limited(resource.limit)
            case .storage, .message, nil: return nil
            }
        }
    }
}

extension Quota {
    /// What is limited.
    fileprivate var resources: [QuotaUsage] {
        var resources: [QuotaUsage] = []
        if let limit = storage.limit {
            resources.append(
                QuotaUsage(.storage, usage: storage.usage.octetsAsKibibytes, limit: limit.octetsAsKibibytes))
        }
        if let limit = messages.limit { resources.append(QuotaUsage(.message, usage: messages.usage, limit: limit)) }
        return resources
    }
}

extension UInt64 {
    /// Begun ones count.
    fileprivate var octetsAsKibibytes: UInt64 { self / 1024 + (self % 1024 > 0 ? 1 : 0) }

    /// The store's largest limit where there are too many.
    fileprivate var kibibytesAsOctets: UInt64 {
        let (octets, overflow) = multipliedReportingOverflow(by: 1024)
        return overflow ? UInt64(Int64.max) : Swift.min(octets, UInt64(Int64.max))
    }
}
