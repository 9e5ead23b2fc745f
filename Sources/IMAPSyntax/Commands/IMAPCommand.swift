package import MailVocabulary

/// A client's command: its tag, and what it asks for (RFC 9051 §6, RFC 3501 §6).
package struct IMAPCommand: Sendable {
    package var tag: String
    package var request: IMAPRequest
    /// Names of mailboxes that the client wrote otherwise than they are, in order.
    package var normalised: [NormalisedName]

    package init(tag: String, request: IMAPRequest, normalised: [NormalisedName] = []) {
        self.tag = tag
        self.request = request
        self.normalised = normalised
    }
}

/// A mailbox by another name than its own (RFC 9051 §6.3.9.7): `inbox`.
package struct NormalisedName: Sendable, Hashable {
    package var supplied: String
    package var name: MailboxName

    package init(supplied: String, name: MailboxName) {
        self.supplied = supplied
        self.name = name
    }
}

/// Every command with its arguments. `uid` tells the UID form of a command: its set names UIDs, not sequence numbers.
package enum IMAPRequest: Sendable {
    // In any state
    case capability
    case noop
    case logout
    /// RFC 2971; no field for `ID NIL`.
    case id([IDField])

    // Not authenticated
    case startTLS
    /// `mechanism` in upper case. The initial response (RFC 4959) is decoded; `=` gives an empty one.
    case authenticate(mechanism: String, initialResponse: Secret?)
    case login(userID: String, password: Secret)

    // Authenticated
    /// RFC 5161; capabilities in upper case.
    case enable([String])
    case select(MailboxName, SelectParameters)
    case examine(MailboxName, SelectParameters)
    /// A trailing separator is dropped (RFC 9051 §6.3.4).
    case create(MailboxName, uses: [SpecialUse])
    case delete(MailboxName)
    case rename(from: MailboxName, to: MailboxName)
    case subscribe(MailboxName)
    case unsubscribe(MailboxName)
    case list(ListRequest)
    case lsub(reference: String, pattern: String)
    case namespace
    case status(MailboxName, [StatusItem])
    /// ESEARCH (RFC 7377): without sources, in the selected mailbox.
    case multiSearch([MailboxFilter]?, SearchRequest)
    /// Whole, which it is when it has no literal that is a message: a server streams those (`CommandReader`).
    case append([AppendEvent])
    /// RFC 4467.
    case generateURLs([URLToAuthorise])
    case fetchURLs([String])
    /// Without a mailbox: of all of them. Without mechanisms: for all of them.
    case resetKey(MailboxName?, mechanisms: [String])
    /// RFC 9208 §4.1.
    case getQuota(root: String)
    case getQuotaRoot(MailboxName)
    case setQuota(root: String, [QuotaResource])
    /// RFC 2177; the client's next line is `DONE`.
    case idle
    /// RFC 4314. Identifiers as the client wrote them.
    case setACL(MailboxName, identifier: String, RightsChange)
    case deleteACL(MailboxName, identifier: String)
    case getACL(MailboxName)
    case listRights(MailboxName, identifier: String)
    case myRights(MailboxName)
    /// RFC 5464.
    case getMetadata(MetadataRequest)
    case setMetadata(AnnotatedPlace, [MetadataChange])
    /// RFC 5465.
    case notify(NotifyRequest)
    /// RFC 4978; the algorithm in upper case.
    case compress(algorithm: String)
    /// RFC 8437.
    case unauthenticate

    // Selected
    case check
    case close
    case unselect
    /// With a set: UID EXPUNGE (RFC 4315).
    case expunge(uids: SequenceSet?)
    case search(SearchRequest, uid: Bool)
    case sort([SortCriterion], SearchRequest, uid: Bool)
    case thread(ThreadAlgorithm, SearchRequest, uid: Bool)
    /// RFC 5267: tags of searches.
    case cancelUpdate([String])
    case fetch(SequenceSet, [FetchItem], FetchModifiers, uid: Bool)
    case store(SequenceSet, StoreAction, uid: Bool)
    /// RFC 8508; as `append`.
    case replace([AppendEvent], uid: Bool)
    case copy(SequenceSet, MailboxName, uid: Bool)
    case move(SequenceSet, MailboxName, uid: Bool)

    /// A name that no command here has, in upper case; its arguments were not read.
    case unknown(name: String)
}

/// The names of the commands: rows of a server's policy table.
package enum IMAPCommandName: String, Sendable, Hashable, CaseIterable {
    case capability = "CAPABILITY"
    case noop = "NOOP"
    case logout = "LOGOUT"
    case id = "ID"
    case startTLS = "STARTTLS"
    case authenticate = "AUTHENTICATE"
    case login = "LOGIN"
    case enable = "ENABLE"
    case select = "SELECT"
    case examine = "EXAMINE"
    case create = "CREATE"
    case delete = "DELETE"
    case rename = "RENAME"
    case subscribe = "SUBSCRIBE"
    case unsubscribe = "UNSUBSCRIBE"
    case list = "LIST"
    case lsub = "LSUB"
    case namespace = "NAMESPACE"
    case status = "STATUS"
    case append = "APPEND"
    case generateURLs = "GENURLAUTH"
    case fetchURLs = "URLFETCH"
    case resetKey = "RESETKEY"
    case getQuota = "GETQUOTA"
    case getQuotaRoot = "GETQUOTAROOT"
    case setQuota = "SETQUOTA"
    case idle = "IDLE"
    case setACL = "SETACL"
    case deleteACL = "DELETEACL"
    case getACL = "GETACL"
    case listRights = "LISTRIGHTS"
    case myRights = "MYRIGHTS"
    case getMetadata = "GETMETADATA"
    case setMetadata = "SETMETADATA"
    case notify = "NOTIFY"
    case compress = "COMPRESS"
    case unauthenticate = "UNAUTHENTICATE"
    case check = "CHECK"
    case close = "CLOSE"
    case unselect = "UNSELECT"
    case expunge = "EXPUNGE"
    case search = "SEARCH"
    case sort = "SORT"
    case thread = "THREAD"
    case multiSearch = "ESEARCH"
    case cancelUpdate = "CANCELUPDATE"
    case fetch = "FETCH"
    case store = "STORE"
    case replace = "REPLACE"
    case copy = "COPY"
    case move = "MOVE"

    /// In which states the grammar allows the command: `command-any` and its siblings (RFC 9051 §9).
    package var group: CommandGroup { grammar.group }

    /// Whether `UID` may stand before the name.
    package var hasUIDForm: Bool { grammar.hasUIDForm }

    private var grammar: (group: CommandGroup, hasUIDForm: Bool) {
        switch self {
        case .capability: (.any, false)
        case .noop: (.any, false)
        case .logout: (.any, false)
        case .id: (.any, false)
        case .startTLS: (.notAuthenticated, false)
        case .authenticate: (.notAuthenticated, false)
        case .login: (.notAuthenticated, false)
        case .enable: (.authenticated, false)
        case .select: (.authenticated, false)
        case .examine: (.authenticated, false)
        case .create: (.authenticated, false)
        case .delete: (.authenticated, false)
        case .rename: (.authenticated, false)
        case .subscribe: (.authenticated, false)
        case .unsubscribe: (.authenticated, false)
        case .list: (.authenticated, false)
        case .lsub: (.authenticated, false)
        case .namespace: (.authenticated, false)
        case .status: (.authenticated, false)
        case .append: (.authenticated, false)
        case .generateURLs: (.authenticated, false)
        case .fetchURLs: (.authenticated, false)
        case .resetKey: (.authenticated, false)
        case .getQuota: (.authenticated, false)
        case .getQuotaRoot: (.authenticated, false)
        case .setQuota: (.authenticated, false)
        case .idle: (.authenticated, false)
        case .setACL: (.authenticated, false)
        case .deleteACL: (.authenticated, false)
        case .getACL: (.authenticated, false)
        case .listRights: (.authenticated, false)
        case .myRights: (.authenticated, false)
        case .getMetadata: (.authenticated, false)
        case .setMetadata: (.authenticated, false)
        case .notify: (.authenticated, false)
        case .compress: (.authenticated, false)
        case .unauthenticate: (.authenticated, false)
        case .check: (.selected, false)
        case .close: (.selected, false)
        case .unselect: (.selected, false)
        case .expunge: (.selected, true)
        case .search: (.selected, true)
        case .sort: (.selected, true)
        case .thread: (.selected, true)
        case .multiSearch: (.authenticated, false)
        case .cancelUpdate: (.selected, false)
        case .fetch: (.selected, true)
        case .store: (.selected, true)
        case .replace: (.selected, true)
        case .copy: (.selected, true)
        case .move: (.selected, true)
        }
    }
}

/// RFC 9051 §9: `command = tag SP (command-any / command-auth / command-nonauth / command-select)`.
package enum CommandGroup: Sendable, Hashable {
    case any
    case notAuthenticated
    /// Authenticated or selected.
    case authenticated
    case selected
}

extension IMAPRequest {
    /// Nil for `.unknown`.
    package var name: IMAPCommandName? {
        switch self {
        case .capability: .capability
        case .noop: .noop
        case .logout: .logout
        case .id: .id
        case .startTLS: .startTLS
        case .authenticate: .authenticate
        case .login: .login
        case .enable: .enable
        case .select: .select
        case .examine: .examine
        case .create: .create
        case .delete: .delete
        case .rename: .rename
        case .subscribe: .subscribe
        case .unsubscribe: .unsubscribe
        case .list: .list
        case .lsub: .lsub
        case .namespace: .namespace
        case .status: .status
        case .append: .append
        case .generateURLs: .generateURLs
        case .fetchURLs: .fetchURLs
        case .resetKey: .resetKey
        case .getQuota: .getQuota
        case .getQuotaRoot: .getQuotaRoot
        case .setQuota: .setQuota
        case .idle: .idle
        case .setACL: .setACL
        case .deleteACL: .deleteACL
        case .getACL: .getACL
        case .listRights: .listRights
        case .myRights: .myRights
        case .getMetadata: .getMetadata
        case .setMetadata: .setMetadata
        case .notify: .notify
        case .compress: .compress
        case .unauthenticate: .unauthenticate
        case .check: .check
        case .close: .close
        case .unselect: .unselect
        case .expunge: .expunge
        case .search: .search
        case .sort: .sort
        case .thread: .thread
        case .multiSearch: .multiSearch
        case .cancelUpdate: .cancelUpdate
        case .fetch: .fetch
        case .store: .store
        case .replace: .replace
        case .copy: .copy
        case .move: .move
        case .unknown: nil
        }
    }
}

/// A URL of GENURLAUTH; `mechanism` in upper case.
package struct URLToAuthorise: Sendable, Hashable {
    package var url: String
    package var mechanism: String

    package init(url: String, mechanism: String) {
        self.url = url
        self.mechanism = mechanism
    }
}

/// One pair of RFC 2971's `ID`.
package struct IDField: Sendable, Hashable {
    package var name: String
    package var value: String?

    package init(name: String, value: String?) {
        self.name = name
        self.value = value
    }
}
