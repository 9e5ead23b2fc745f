import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

extension IMAPSession {
    mutating func multiSearch(
        _ tag: String, _ sources: [MailboxFilter]?, _ request: SearchRequest, _ output: inout SessionOutput
    ) -> Step {
        refuse(tag, Refusal(status: .bad, text: "Unknown command"), &output)
    }

    mutating func cancelUpdate(_ tag: String, _ tags: [String], _ output: inout SessionOutput) -> Step {
        refuse(tag, Refusal(status: .bad, text: "Unknown command"), &output)
    }
}
