import MailStore
import SASL
import WireFraming

extension IMAPSession {
    /// What CAPABILITY tells in the present state (RFC 3501 §6.1.1). In cleartext no way to authenticate is offered;
    /// STARTTLS only where it can succeed.
    var capabilities: [String] {
        if let account = state.account {
            var capabilities = IMAPSession.authenticatedCapabilities
            capabilities.append(literals)
            capabilities.append("APPENDLIMIT=\(settings.maximumMessageSize)")
            if settings.urlAuthentication != nil { capabilities += ["URLAUTH", "URL-PARTIAL"] }
            // RFC 9738 §3: one of them.
            switch settings.messageLimit {
            case .processed(let limit): capabilities.append("MESSAGELIMIT=\(limit)")
            case .saved(let limit): capabilities.append("SAVELIMIT=\(limit)")
            case nil: break
            }
            if !isCompressed { capabilities.append("COMPRESS=DEFLATE") }
            if settings.offersUnauthenticate { capabilities.append("UNAUTHENTICATE") }
            // RFC 9208 §4.1.3: only where it will be carried out.
            if account.isAdministrator { capabilities.append("QUOTASET") }
            return capabilities
        }
        let common = ["IMAP4rev1", "IMAP4rev2", literals, "SASL-IR", "ID", "ENABLE"]
        let mechanisms = authenticator.mechanisms(for: authenticationContext)
        let ways = mechanisms.map { "AUTH=\($0.rawValue)" }
        let closed = mechanisms.contains { $0.revealsPassword } ? [] : ["LOGINDISABLED"]
        return common + (tls == nil && context.canStartTLS ? ["STARTTLS"] : []) + ways + closed
    }

    /// RFC 7888 §3.
    private var literals: String { settings.offersLongLiterals ? "LITERAL+" : "LITERAL-" }

    private static let authenticatedCapabilities = [
        "IMAP4rev1",
        "IMAP4rev2",
        "SASL-IR",
        "ID",
        "ENABLE",
        "IDLE",
        "NOTIFY",
        "NAMESPACE",
        "UIDPLUS",
        "UNSELECT",
        "MOVE",
        "CONDSTORE",
        "QRESYNC",
        "UIDONLY",
        "CHILDREN",
        "SPECIAL-USE",
        "CREATE-SPECIAL-USE",
        "LIST-EXTENDED",
        "LIST-STATUS",
        "ESEARCH",
        "SEARCHRES",
        "PARTIAL",
        "I18NLEVEL=1",
        "WITHIN",
        "SEARCH=FUZZY",
        "SORT",
        "SORT=DISPLAY",
        "ESORT",
        "CONTEXT=SEARCH",
        "CONTEXT=SORT",
        "THREAD=ORDEREDSUBJECT",
        "THREAD=REFERENCES",
        "THREAD=REFS",
        "MULTISEARCH",
        "INPROGRESS",
        "STATUS=SIZE",
        "ACL",
        "RIGHTS=texk",
        "LIST-MYRIGHTS",
        "METADATA",
        "LIST-METADATA",
        "BINARY",
        "MULTIAPPEND",
        "CATENATE",
        "REPLACE",
        "PREVIEW",
        "UTF8=ACCEPT",
        "OBJECTID",
        "SAVEDATE",
        "QUOTA",
        "QUOTA=RES-STORAGE",
        "QUOTA=RES-MESSAGE",
    ]
}
