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

    // uid = "UID" SP (copy / move / fetch / search / store / uid-expunge)
    private mutating func uidRequest() throws(SyntaxError) -> IMAPRequest {
        try space()
        let name = try commandName()
        guard let command = IMAPCommandName(rawValue: name), command.hasUIDForm else {
            throw SyntaxError("UID stands before COPY, EXPUNGE, FETCH, MOVE, SEARCH and STORE only")
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
        case .check: return .check
        case .close: return .close
        case .unselect: return .unselect
        case .expunge, .search, .fetch, .store, .copy, .move: return try messageArguments(of: command, uid: false)
        case .getQuota, .getQuotaRoot, .setQuota: return try quotaArguments(of: command)
        case .id, .authenticate, .login, .enable: return try sessionArguments(of: command)
        case .select, .examine, .create, .delete, .rename, .subscribe, .unsubscribe, .list, .lsub, .status, .append:
            return try mailboxArguments(of: command)
        }
    }

    private mutating func sessionArguments(of command: IMAPCommandName) throws(SyntaxError) -> IMAPRequest {
        try space()
        switch command {
        case .id: return .id(try idFields())
        case .authenticate: return try authenticate()
        case .login: return try login()
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
        case _: return try append()
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
        case .fetch: return try fetch(uid: uid)
        case .store: return try store(uid: uid)
        case .copy:
            let set = try messagesBeforeMailbox()
            return .copy(set, try mailbox(), uid: uid)
        case _:
            let set = try messagesBeforeMailbox()
            return .move(set, try mailbox(), uid: uid)
        }
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
