import IMAPSyntax

/// A command's policy: where and how it may be given.
struct CommandRule: Sendable {
    /// In which states (RFC 3501 §6): the command's group in the grammar.
    var group: CommandGroup
    /// Whether it is carried out on a cleartext connection. What reveals a password is not.
    var isAllowedBeforeTLS = true
    /// Whether bytes behind it in the same batch are an attack: they would cross from cleartext into TLS, or from
    /// one form of the connection's octets into another.
    var mustBeLastInBatch = false
    /// Whether its answer may announce EXPUNGE (RFC 3501 §7.4.1); its UID form may.
    var mayAnnounceExpunge = true
}

extension IMAPCommandName {
    /// The command table: what differs from a plain row of the command's group.
    var rule: CommandRule {
        switch self {
        case .capability: CommandRule(group: group)
        case .noop: CommandRule(group: group)
        case .logout: CommandRule(group: group)
        case .id: CommandRule(group: group)
        case .startTLS: CommandRule(group: group, mustBeLastInBatch: true)
        case .authenticate: CommandRule(group: group, isAllowedBeforeTLS: false)
        case .login: CommandRule(group: group, isAllowedBeforeTLS: false)
        case .enable: CommandRule(group: group)
        case .select: CommandRule(group: group)
        case .examine: CommandRule(group: group)
        case .create: CommandRule(group: group)
        case .delete: CommandRule(group: group)
        case .rename: CommandRule(group: group)
        case .subscribe: CommandRule(group: group)
        case .unsubscribe: CommandRule(group: group)
        case .list: CommandRule(group: group)
        case .lsub: CommandRule(group: group)
        case .namespace: CommandRule(group: group)
        case .status: CommandRule(group: group)
        case .append: CommandRule(group: group)
        case .generateURLs: CommandRule(group: group)
        case .fetchURLs: CommandRule(group: group)
        case .resetKey: CommandRule(group: group)
        case .getQuota: CommandRule(group: group)
        case .getQuotaRoot: CommandRule(group: group)
        case .setQuota: CommandRule(group: group)
        case .idle: CommandRule(group: group)
        case .setACL: CommandRule(group: group)
        case .deleteACL: CommandRule(group: group)
        case .getACL: CommandRule(group: group)
        case .listRights: CommandRule(group: group)
        case .myRights: CommandRule(group: group)
        case .getMetadata: CommandRule(group: group)
        case .setMetadata: CommandRule(group: group)
        case .notify: CommandRule(group: group)
        case .compress: CommandRule(group: group, mustBeLastInBatch: true)
        case .unauthenticate: CommandRule(group: group)
        case .check: CommandRule(group: group)
        case .close: CommandRule(group: group)
        case .unselect: CommandRule(group: group)
        case .expunge: CommandRule(group: group)
        case .search: CommandRule(group: group, mayAnnounceExpunge: false)
        case .sort: CommandRule(group: group, mayAnnounceExpunge: false)
        case .thread: CommandRule(group: group, mayAnnounceExpunge: false)
        case .multiSearch: CommandRule(group: group)
        case .cancelUpdate: CommandRule(group: group)
        case .fetch: CommandRule(group: group, mayAnnounceExpunge: false)
        case .store: CommandRule(group: group, mayAnnounceExpunge: false)
        case .replace: CommandRule(group: group)
        case .copy: CommandRule(group: group)
        case .move: CommandRule(group: group)
        }
    }
}

extension UpdateRules {
    /// How changes are told at the end of a command that has a UID form.
    init(after name: IMAPCommandName, uid: Bool) {
        self.init(mayAnnounceExpunge: uid || name.rule.mayAnnounceExpunge, tellsUIDs: uid)
    }
}

/// Why a command is not carried out.
struct Refusal: Sendable {
    var status: StatusKind
    var code: ResponseCode?
    var text: String
}

extension IMAPSession {
    /// What the table says against a command in the present state; nil when nothing.
    func refusal(of name: IMAPCommandName) -> Refusal? {
        let rule = name.rule
        switch (rule.group, state) {
        case (.any, _), (.notAuthenticated, .notAuthenticated), (.authenticated, .authenticated),
            (.authenticated, .selected), (.selected, .selected):
            break
        case (.notAuthenticated, .authenticated), (.notAuthenticated, .selected):
            return Refusal(status: .bad, text: "Already authenticated")
        case (.authenticated, .notAuthenticated), (.selected, .notAuthenticated):
            return Refusal(status: .bad, text: "Authenticate first")
        case (.selected, .authenticated):
            return Refusal(status: .bad, text: "Select a mailbox first")
        case (_, .logout):
            return Refusal(status: .bad, text: "The session is over")
        }
        guard rule.isAllowedBeforeTLS || tls != nil else {
            return Refusal(status: .no, code: .privacyRequired, text: "Use TLS first")
        }
        return nil
    }
}
