import WireFraming

/// A command's tag and name, read before its arguments are there: to refuse it before a literal is invited.
package struct CommandPrefix: Sendable, Hashable {
    package var tag: String
    /// Nil when it is not (yet) a known one.
    package var name: IMAPCommandName?
    /// Whether `UID` stood before the name.
    package var isUID = false

    /// Nil when the bytes do not begin with a tag.
    package init?(_ bytes: Span<UInt8>) {
        var parser = CommandParser(bytes, .modifiedUTF7)
        guard let tag = try? parser.tag() else { return nil }
        self.tag = tag
        guard parser.cursor.take(UInt8(ascii: " ")), var word = try? parser.commandName() else { return }
        if word == "UID", parser.cursor.take(UInt8(ascii: " ")), let second = try? parser.commandName() {
            isUID = true
            word = second
        }
        name = IMAPCommandName(rawValue: word)
    }
}
