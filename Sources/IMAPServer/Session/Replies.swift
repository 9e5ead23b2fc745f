import IMAPSyntax
import MailVocabulary
import WireFraming

extension OutputBuffer {
    /// FLAGS and PERMANENTFLAGS: the system flags and the mailbox's keywords; those that may be changed.
    mutating func appendFlagLists(_ keywords: KeywordTable, _ changeable: FlagClasses) {
        let flags: [Flag] = [.answered, .flagged, .deleted, .seen, .draft] + keywords.keywords.map(Flag.keyword)
        append(mailboxFlags: flags)
        let isFull = keywords.keywords.count >= KeywordTable.maximumCount
        append(
            status: .ok, tag: nil,
            code: .permanentFlags(
                changeable.filter(flags), canCreateKeywords: changeable.contains(.other) && !isFull),
            changeable.isEmpty ? "Nothing can be changed here" : "Flags are kept")
    }
}
