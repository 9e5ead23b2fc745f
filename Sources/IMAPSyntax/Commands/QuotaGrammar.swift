import MailVocabulary
import WireFraming

/// One limit of SETQUOTA (RFC 9208 §4.1.3).
package struct QuotaResource: Sendable, Hashable {
    /// `STORAGE`, `MESSAGE`, or one that is not known here; in upper case.
    package var name: String
    /// Of STORAGE in units of 1024 octets.
    package var limit: UInt64

    package init(name: String, limit: UInt64) {
        self.name = name
        self.limit = limit
    }
}

extension CommandParser {
    // getquota        = "GETQUOTA" SP quota-root-name
    // getquotaroot    = "GETQUOTAROOT" SP mailbox
    // setquota        = "SETQUOTA" SP quota-root-name SP setquota-list
    // quota-root-name = astring          RFC 9208 §7
    mutating func quotaArguments(of command: IMAPCommandName) throws(SyntaxError) -> IMAPRequest {
        try space()
        switch command {
        case .getQuota: return .getQuota(root: try textArgument("a quota root"))
        case .getQuotaRoot: return .getQuotaRoot(try mailbox())
        case _:
            let root = try textArgument("a quota root")
            try space()
            return .setQuota(root: root, try quotaResources())
        }
    }

    // setquota-list     = "(" [setquota-resource *(SP setquota-resource)] ")"
    // setquota-resource = resource-name SP resource-limit
    // resource-name     = "STORAGE" / "MESSAGE" / "MAILBOX" / "ANNOTATION-STORAGE" / resource-name-ext
    // resource-limit    = number64
    private mutating func quotaResources() throws(SyntaxError) -> [QuotaResource] {
        try list("limits", limit: IMAPLimits.shortList, mayBeEmpty: true) { parser throws(SyntaxError) in
            let name = try parser.word("a resource")
            try parser.space()
            return QuotaResource(name: name, limit: try parser.number("a limit"))
        }
    }
}
