import IMAPSyntax
import MailVocabulary
import WireFraming

/// Parses a command without its final CRLF.
func parse(_ text: String, _ encoding: MailboxEncoding = .modifiedUTF7) throws(SyntaxError) -> IMAPCommand {
    try parse(Array(text.utf8), encoding)
}

func parse(_ bytes: [UInt8], _ encoding: MailboxEncoding = .modifiedUTF7) throws(SyntaxError) -> IMAPCommand {
    try CommandParser.parse(bytes.span, encoding)
}

/// The request of `a <text>`, as text to compare by: every argument is in it, secrets are not.
func request(_ text: String, _ encoding: MailboxEncoding = .modifiedUTF7) -> String {
    do {
        return String(describing: try parse("a " + text, encoding).request)
    } catch {
        return "\(error.answer) \(error.message)"
    }
}

func error(_ text: String, _ encoding: MailboxEncoding = .modifiedUTF7) -> SyntaxError? {
    do {
        _ = try parse("a " + text, encoding)
        return nil
    } catch {
        return error
    }
}

func written(_ write: (inout OutputBuffer) -> Void) -> String {
    var buffer = OutputBuffer()
    write(&buffer)
    return String(decoding: buffer.take(), as: UTF8.self)
}

func name(_ text: String) -> MailboxName { MailboxName(text) ?? .inbox }

/// A seeded generator (SplitMix64): failures repeat.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
