import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

extension NumberSet {
    /// All that a UID can be.
    static let everyUID = NumberSet(1...UInt32.max)
}

extension IMAPSession {
    /// Ends a command that the store did not carry out.
    ///
    /// - Parameter missing: the code for a mailbox that is not there: TRYCREATE where creating it would help.
    mutating func concludeFailed(
        _ tag: String, _ outcome: IMAPOutcome, missing: ResponseCode = .nonExistent,
        updates: UpdateRules = UpdateRules(), _ output: inout SessionOutput
    ) -> Step {
        let refusal = Refusal(outcome, missing: missing)
        guard case .failed(let error) = outcome else {
            return conclude(tag, refusal.status, refusal.code, refusal.text, updates: updates, &output)
        }
        switch error {
        case .damaged(let place): output.events.append(.notice("damaged store: \(place)"))
        case .unavailable(let reason): output.events.append(.notice("store unavailable: \(reason)"))
        case .noSpace: output.events.append(.notice("no space left for mail"))
        case .noSuchDomain, .domainExists, .domainInUse, .noSuchAccount, .accountExists, .noSuchMailbox,
            .mailboxExists, .mailboxNotDeletable, .specialUseTaken, .tooManyMailboxes, .invalidName, .tooManyKeywords,
            .noSuchAlias, .badAliasTargets, .noSuchSenderGrant, .tooManySenderGrants, .tooManyAccessEntries,
            .tooManyAnnotations, .annotationTooLarge, .messageTooLarge, .uidsExhausted,
            .overQuota, .noSuchBody:
            break
        }
        return conclude(tag, refusal.status, refusal.code, refusal.text, updates: updates, &output)
    }
}

extension IMAPSession {
    /// Ends a command that the user has not the right to.
    mutating func concludeDenied(
        _ tag: String, updates: UpdateRules = UpdateRules(), _ output: inout SessionOutput
    ) -> Step {
        concludeFailed(tag, .denied, updates: updates, &output)
    }
}

extension Refusal {
    /// Why a command was not carried out.
    init(_ outcome: IMAPOutcome, missing: ResponseCode = .nonExistent) {
        switch outcome {
        case .failed(let error): self.init(error, missing: missing)
        case .denied: self.init(status: .no, code: .noPermission, text: "You have not the right to do that")
        case .unknownIdentifier: self.init(status: .no, code: .cannot, text: "The domain has no such account")
        case .unusableUse:
            self.init(status: .no, code: .useAttribute, text: "A mailbox of your own has one use, of those known")
        case .overflown:
            self.init(status: .no, code: .notificationOverflow, text: "There is too much to be watched")
        case .unusableName: self.init(status: .no, code: .cannot, text: "That cannot be done with such a name")
        case _: self.init(status: .no, code: .serverBug, text: "Not done: internal error")
        }
    }

    fileprivate init(_ error: StoreError, missing: ResponseCode) {
        switch error {
        case .noSuchMailbox: self.init(status: .no, code: missing, text: "No such mailbox")
        case .mailboxExists: self.init(status: .no, code: .alreadyExists, text: "The mailbox exists")
        case .mailboxNotDeletable: self.init(status: .no, code: .cannot, text: "INBOX cannot be deleted")
        case .specialUseTaken: self.init(status: .no, code: .useAttribute, text: "Another mailbox has that use")
        case .tooManyMailboxes: self.init(status: .no, code: .limit, text: "Too many mailboxes")
        case .invalidName: self.init(status: .no, code: .cannot, text: "The name cannot be given")
        case .tooManyKeywords: self.init(status: .no, code: .limit, text: "Too many keywords in the mailbox")
        case .messageTooLarge: self.init(status: .no, code: .tooBig, text: "The message is too large")
        case .tooManyAccessEntries: self.init(status: .no, code: .limit, text: "The access control list is full")
        case .tooManyAnnotations:
            self.init(status: .no, code: .metadataTooMany, text: "There are too many annotations already")
        case .annotationTooLarge:
            self.init(
                status: .no, code: .metadataMaximumSize(StoreLimits.annotationSize), text: "The value is too large")
        case .uidsExhausted: self.init(status: .no, code: .limit, text: "The mailbox has no UID left")
        case .overQuota: self.init(status: .no, code: .overQuota, text: "The quota is exhausted")
        case .noSpace: self.init(status: .no, code: .overQuota, text: "No space left")
        case .noSuchBody: self.init(status: .no, code: .expungeIssued, text: "The message is gone")
        case .damaged: self.init(status: .no, code: .corruption, text: "Stored data is damaged")
        case .unavailable: self.init(status: .no, code: .unavailable, text: "Try again later")
        case .noSuchAccount, .noSuchDomain: self.init(status: .no, code: .expired, text: "The account is gone")
        case .accountExists, .domainExists, .domainInUse, .noSuchAlias, .badAliasTargets, .noSuchSenderGrant,
            .tooManySenderGrants:
            self.init(status: .no, code: .serverBug, text: "Not done: internal error")
        }
    }
}
