import MailStore

/// A search in a view.
package struct SearchTask: Sendable {
    let program: SearchProgram
    let view: MailboxSnapshot
}
