import IMAPSyntax
import MailVocabulary
import WireFraming

extension OutputBuffer {
    /// FLAGS and PERMANENTFLAGS: the system flags and the mailbox's keywords.
    mutating func appendFlagLists(_ keywords: KeywordTable, isReadOnly: Bool) {
        let flags: [Flag] = [.answered, .flagged, .deleted, .seen, .draft] + keywords.keywords.map(Flag.keyword)
        append(mailboxFlags: flags)
        let isFull = keywords.keywords.count >= KeywordTable.maximumCount
        append(
            status: .ok, tag: nil,
            code: .permanentFlags(isReadOnly ? [] : flags, canCreateKeywords: !isReadOnly && !isFull),
            isReadOnly ? "Nothing can be changed here" : "Flags are kept")
    }
}
