/// What is wrong with a command's arguments. The reply is chosen by whoever serves the command.
package enum SMTPSyntaxError: Error, Sendable, Hashable {
    /// An argument is missing, superfluous or malformed.
    case badArgument
    /// The path after `FROM:` or `TO:` is not one.
    case badPath
    /// A parameter that is known has no value, too much of one, a wrong one, or comes twice.
    case badParameter
    /// A parameter that no offered extension defines (RFC 5321 §4.1.1.11).
    case unknownParameter
    /// An address has non-ASCII characters and the command lacks SMTPUTF8 (RFC 6531 §3.5).
    case needsSMTPUTF8
}
