import MailVocabulary
import WireFraming

// command = tag SP (command-any / command-auth / command-nonauth / command-select) CRLF          RFC 9051 §9
extension CommandParser {
    mutating func request() throws(SyntaxError) -> IMAPRequest {
        let name = try commandName()
        guard name != "UID" else { return try uidRequest() }
        guard let command = IMAPCommandName(rawValue: name) else {
            cursor.position = cursor.bytes.count
            return .unknown(name: name)
        }
        return try arguments(of: command)
    }

    // uid = "UID" SP (copy / move / fetch / search / sort / store / thread / uid-expunge / replace)
    private mutating func uidRequest() throws(SyntaxError) -> IMAPRequest {
        try space()
        let name = try commandName()
        guard let command = IMAPCommandName(rawValue: name), command.hasUIDForm else {
            throw SyntaxError(
                "UID stands before COPY, EXPUNGE, FETCH, MOVE, REPLACE, SEARCH, SORT, STORE and THREAD only")
        }
        return try messageArguments(of: command, uid: true)
    }

    private mutating func arguments(of command: IMAPCommandName) throws(SyntaxError) -> IMAPRequest {
        switch command {
        case .capability: return .capability
        case .noop: return .noop
        case .logout: return .logout
        case .startTLS: return .startTLS
        case .namespace: return .namespace
        case .idle: return .idle
        case .unauthenticate: return .unauthenticate
        case .check: return .check
        case .close: return .close
        case .unselect: return .unselect
        case .resetKey: return try resetKey()
        case .expunge, .search, .sort, .thread, .fetch, .store, .copy, .move, .replace:
            return try messageArguments(of: command, uid: false)
        case .multiSearch:
            try space()
            return try multiSearch()
        case .cancelUpdate:
            try space()
            return try cancelUpdate()
        case .notify:
            try space()
            return try notify()
        case .id, .authenticate, .login, .enable, .compress, .generateURLs, .fetchURLs:
            return try sessionArguments(of: command)
        case .getQuota, .getQuotaRoot, .setQuota: return try quotaArguments(of: command)
        case .select, .examine, .create, .delete, .rename, .subscribe, .unsubscribe, .list, .lsub, .status, .append:
            return try mailboxArguments(of: command)
        case .setACL, .deleteACL, .getACL, .listRights, .myRights, .getMetadata, .setMetadata:
            return try accessArguments(of: command)
        }
    }

    private mutating func sessionArguments(of command: IMAPCommandName) throws(SyntaxError) -> IMAPRequest {
        try space()
        switch command {
        case .id: return .id(try idFields())
        case .authenticate: return try authenticate()
        case .login: return try login()
        case .compress: return .compress(algorithm: try commandName())
        case .generateURLs: return try urlsToAuthorise()
        case .fetchURLs: return try urlsToFetch()
        case _: return .enable(try capabilities())
        }
    }

    private mutating func mailboxArguments(of command: IMAPCommandName) throws(SyntaxError) -> IMAPRequest {
        try space()
        switch command {
        case .select: return .select(try mailbox(), try selectParameters())
        case .examine: return .examine(try mailbox(), try selectParameters())
        case .create: return .create(try newMailbox(), uses: try createUses())
        case .delete: return .delete(try mailbox())
        case .rename: return try rename()
        case .subscribe: return .subscribe(try mailbox())
        case .unsubscribe: return .unsubscribe(try mailbox())
        case .list: return .list(try listRequest())
        case .lsub: return try lsub()
        case .status: return try status()
        case _: return .append(try append(isReplace: false, uid: false))
        }
    }

    private mutating func messageArguments(
        of command: IMAPCommandName, uid: Bool
    ) throws(SyntaxError) -> IMAPRequest {
        // uid-expunge = "EXPUNGE" SP sequence-set          RFC 4315 §2.1
        guard command != .expunge || uid else { return .expunge(uids: nil) }
        try space()
        switch command {
        case .expunge: return .expunge(uids: try sequenceSet())
        case .search: return .search(try searchRequest(), uid: uid)
        case .sort: return try sort(uid: uid)
        case .thread: return try thread(uid: uid)
        case .fetch: return try fetch(uid: uid)
        case .store: return try store(uid: uid)
        case .replace: return .replace(try append(isReplace: true, uid: uid), uid: uid)
        case .copy:
            let set = try messagesBeforeMailbox()
            return .copy(set, try mailbox(), uid: uid)
        case _:
            let set = try messagesBeforeMailbox()
            return .move(set, try mailbox(), uid: uid)
        }
    }

    private mutating func append(isReplace: Bool, uid: Bool) throws(SyntaxError) -> [AppendEvent] {
        var parser = AppendParser()
        guard let events = try parser.parse(&self, behind: (isReplace, uid)) else {
            throw SyntaxError("A literal is cut short")
        }
        return events
    }

    // copy = "COPY" SP sequence-set SP mailbox
    // move = "MOVE" SP sequence-set SP mailbox
    private mutating func messagesBeforeMailbox() throws(SyntaxError) -> SequenceSet {
        let set = try sequenceSet()
        try space()
        return set
    }

    // rename = "RENAME" SP mailbox SP mailbox
    private mutating func rename() throws(SyntaxError) -> IMAPRequest {
        let from = try mailbox()
        try space()
        return .rename(from: from, to: try newMailbox())
    }
}
