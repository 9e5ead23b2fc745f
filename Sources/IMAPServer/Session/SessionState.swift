import MailStore
import MailVocabulary

/// Where a session is (RFC 3501 §3). A state owns its data: there is no mailbox without an account.
///
///     greeting → notAuthenticated → authenticated ⇄ selected → logout
///
/// STARTTLS is not in the RFC's picture: it leads from `notAuthenticated` to itself and forgets all that was learnt.
enum SessionState: Sendable {
    case notAuthenticated
    case authenticated(Account)
    case selected(Account, SelectedMailbox)
    /// BYE is said; nothing more is read.
    case logout

    var account: Account? {
        switch self {
        case .authenticated(let account), .selected(let account, _): account
        case .notAuthenticated, .logout: nil
        }
    }

    var mailbox: SelectedMailbox? {
        switch self {
        case .selected(_, let mailbox): mailbox
        case .notAuthenticated, .authenticated, .logout: nil
        }
    }

    /// Puts the selected mailbox's new view in place; without one there is nothing to replace.
    mutating func replaceMailbox(_ mailbox: SelectedMailbox) {
        guard let account, self.mailbox != nil else { return }
        self = .selected(account, mailbox)
    }

    /// Something was expunged: HIGHESTMODSEQ is to be told (RFC 7162 §3.2.7).
    mutating func owesModSeq() {
        guard var mailbox else { return }
        mailbox.owesModSeq = true
        replaceMailbox(mailbox)
    }

    /// The session has put messages into a mailbox, perhaps the one that is selected.
    mutating func noteAdded(_ uids: [UID], to id: MailboxID) {
        guard var mailbox, mailbox.id == id else { return }
        mailbox.added = mailbox.added.union(NumberSet(numbers: uids.lazy.map(\.value)))
        replaceMailbox(mailbox)
    }

    /// Back to `authenticated`, if a mailbox is selected.
    mutating func deselect() {
        guard let account else { return }
        self = .authenticated(account)
    }
}

/// A mailbox as the client was told of it.
struct SelectedMailbox: Sendable {
    let id: MailboxID
    let name: MailboxName
    let isExamined: Bool
    /// False in IMAP4rev2, which has no `\Recent` (RFC 9051 appendix E).
    let tellsRecent: Bool
    /// Whether the session's account owns it, and so has every right, always.
    let isOwn: Bool
    /// The session's account's on it, as of `accessGeneration`.
    var rights: MailboxRights
    var accessGeneration: UInt64
    /// EXAMINE, or no right to change anything: nothing in it is changed, nothing claimed as recent.
    var isReadOnly: Bool { isExamined || rights.isDisjoint(with: .changing) }
    /// The kinds of flags that may be changed.
    var changeableFlags: FlagClasses { isReadOnly ? [] : rights.flagClasses }
    /// What the client believes, so what sequence numbers mean. Messages that others removed stay in it until the
    /// client may be told (RFC 3501 §7.4.1).
    var view: MailboxSnapshot
    /// The MODSEQ of the store's snapshot that the view was last compared with.
    var comparedAt: ModSeq
    /// Whether the view holds messages that are gone.
    var holdsExpunged = false
    /// Up to which MODSEQ the client has been told of everything, what was expunged too. What it is told as
    /// HIGHESTMODSEQ is never more, or it would miss an EXPUNGE if it had to come back (RFC 7162 §3.2, §6).
    var toldModSeq: ModSeq
    /// Whether expunged messages were told since `toldModSeq` was last told, which EXPUNGE and VANISHED do not do.
    var owesModSeq = false
    /// Whether messages have come that are kept from the view (RFC 5465: of which the client does not want to hear).
    var holdsNew = false
    /// UIDs of messages whose flags the client has not been told of, as it does not want to hear.
    var untold = NumberSet()
    /// Whether keywords have come that FLAGS has not told.
    var owesKeywords = false
    /// UIDs of messages that this session has added, and of those that came and are still to be told with what was
    /// asked for.
    var added = NumberSet()
    var arrived = NumberSet()
    /// UIDs this session was told of first (`\Recent`, RFC 3501 §2.3.2).
    var recent: NumberSet
    /// Searches that are kept up to date (RFC 5267), and UIDs of messages that may have come into or out of them.
    var contexts: [SearchContext] = []
    var touched = NumberSet()
    /// UIDs that the last search saved: what `$` means (RFC 5182).
    var saved = NumberSet()
    /// RECENT as last announced.
    var announcedRecent: Int

    /// Whether new messages are taken as recent, away from other sessions.
    var claimsRecent: Bool { tellsRecent && !isReadOnly }

    /// Whether something is kept from the client: HIGHESTMODSEQ stays behind it then.
    var holdsBack: Bool { holdsExpunged || holdsNew || !untold.isEmpty }

    /// Takes the HIGHESTMODSEQ that is to be told with the next tagged response; nil when FETCH answers tell enough.
    mutating func takeModSeqToTell() -> ModSeq? {
        guard owesModSeq || holdsBack else { return nil }
        owesModSeq = false
        return toldModSeq
    }

    var recentCount: Int { view.positions(ofUIDs: recent).reduce(0) { $0 + $1.count } }

    /// `*` among UIDs: the last message's; 0 in an empty mailbox.
    var lastUID: UInt32 { view.isEmpty ? 0 : view[view.count - 1].uid.value }
}
