// C structures belong to either module, depending on which the compiler reads first.
import CoreFoundation
import Glibc
package import MailVocabulary

/// Where a new password comes from. Never the command line, which everyone on the machine can read.
package enum PasswordInput {
    /// The first line of a file.
    package static func file(_ path: String) throws(OperatorError) -> Secret {
        guard let line = try LineReader(path).next() else {
            throw OperatorError(.dataError, "\(path) is empty; its first line is to be the password")
        }
        return Secret(line.bytes)
    }

    /// From the person at the terminal, asked twice without echo; or the first line of standard input.
    package static func standardInput(for address: String) throws(OperatorError) -> Secret {
        guard isatty(STDIN_FILENO) == 1 else {
            guard let line = readLine(strippingNewline: true) else {
                throw OperatorError(.noInput, "no password on standard input; give one line, or use --generate")
            }
            return Secret(line)
        }
        let first = try ask("New password for \(address): ")
        guard try ask("Once more: ") == first else {
            throw OperatorError(.dataError, "the two passwords differ; nothing was changed")
        }
        return Secret(first)
    }

    private static func ask(_ question: String) throws(OperatorError) -> String {
        var settings = termios()
        guard tcgetattr(STDIN_FILENO, &settings) == 0 else {
            throw OperatorError(.osError, "the terminal cannot be silenced; give the password by --password-file")
        }
        var silent = settings
        silent.c_lflag &= ~tcflag_t(ECHO)
        tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent)
        defer { tcsetattr(STDIN_FILENO, TCSAFLUSH, &settings) }
        _ = LogWriter.write(question, to: STDERR_FILENO)
        let answer = readLine(strippingNewline: true)
        _ = LogWriter.write("\n", to: STDERR_FILENO)
        guard let answer else { throw OperatorError(.noInput, "no password was given") }
        return answer
    }

    /// Five groups of four letters and digits that are hard to take for one another: 98 bits.
    package static func generated() -> String {
        let alphabet = Array("abcdefghijkmnpqrstuvwxyz23456789")
        var generator = SystemRandomNumberGenerator()
        return (0..<5).map { _ in
            String((0..<4).map { _ in alphabet[Int.random(in: 0..<alphabet.count, using: &generator)] })
        }.joined(separator: "-")
    }
}
