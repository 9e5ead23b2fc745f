import MailStore
import WireFraming

extension IMAPSession {
    /// What CAPABILITY tells in the present state (RFC 3501 §6.1.1). In cleartext no way to authenticate is offered;
    /// STARTTLS only where it can succeed.
    var capabilities: [String] {
        if let account = state.account {
            // RFC 9208 §4.1.3: only where it will be carried out.
            let own = account.isAdministrator ? ["QUOTASET"] : []
            return IMAPSession.authenticatedCapabilities + own
        }
        let common = ["IMAP4rev1", "LITERAL+", "SASL-IR", "ID", "ENABLE"]
        if tls != nil { return common + ["AUTH=PLAIN"] }
        return common + (context.canStartTLS ? ["STARTTLS", "LOGINDISABLED"] : ["LOGINDISABLED"])
    }

    private static let authenticatedCapabilities = [
        "IMAP4rev1",
        "LITERAL+",
        "SASL-IR",
        "ID",
        "ENABLE",
        "IDLE",
        "NAMESPACE",
        "UIDPLUS",
        "UNSELECT",
        "MOVE",
        "CONDSTORE",
        "QRESYNC",
        "CHILDREN",
        "SPECIAL-USE",
        "CREATE-SPECIAL-USE",
        "LIST-EXTENDED",
        "LIST-STATUS",
        "ESEARCH",
        "SEARCHRES",
        "STATUS=SIZE",
        "OBJECTID",
        "SAVEDATE",
        "QUOTA",
        "QUOTA=RES-STORAGE",
        "QUOTA=RES-MESSAGE",
    ]
}
