/// A command that cannot be carried out as it is written.
package struct SyntaxError: Error, Sendable, Hashable {
    package enum Answer: Sendable, Hashable {
        /// Against the grammar.
        case bad
        /// Grammatical, but asks for what cannot be: a name no mailbox can have, a flag too long.
        case no
    }

    /// Nil when not even the tag could be read: the answer is then an untagged BAD.
    package var tag: String?
    package var answer: Answer
    package var code: ResponseCode?
    /// For people, ASCII; says what was expected, and never repeats what the client sent.
    package var message: String

    package init(_ message: String, answer: Answer = .bad, code: ResponseCode? = nil, tag: String? = nil) {
        self.tag = tag
        self.answer = answer
        self.code = code
        self.message = message
    }
}
