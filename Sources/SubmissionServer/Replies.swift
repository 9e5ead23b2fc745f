import MailVocabulary
import SMTPSyntax

/// Every reply there is, so that codes are compared in one place. None holds anything the client sent.
extension SMTPReply {
    // Greetings and service
    static func greeting(_ hostname: String, _ role: SubmissionRole) -> SMTPReply {
        SMTPReply(220, nil, "\(hostname) \(role == .lmtp ? "LMTP" : "ESMTP") ready")
    }
    static let closing = SMTPReply(221, .init(0, 0), "Bye")
    static let ok = SMTPReply(250, .init(0, 0), "OK")
    static func help(_ role: SubmissionRole) -> SMTPReply {
        let text =
            role == .lmtp
            ? "Local delivery by RFC 2033: LHLO, MAIL, RCPT, DATA, BDAT, RSET, NOOP, QUIT"
            : "Mail submission by RFC 6409: EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA, BDAT, RSET, NOOP, QUIT"
        return SMTPReply(214, .init(0, 0), text)
    }
    static let cannotVerify = SMTPReply(252, .init(1, 5), "Cannot verify users; send mail and see")
    static let notImplemented = SMTPReply(502, .init(5, 1), "Command not implemented")
    static let timeout = SMTPReply(421, .init(4, 2), "Timeout, closing connection")
    static let stopping = SMTPReply(421, .init(3, 2), "Service is stopping, closing connection")

    // Lines and commands
    static let unknownCommand = SMTPReply(500, .init(5, 1), "Command not recognized")
    static let lineTooLong = SMTPReply(500, .init(5, 2), "Line too long")
    static let badCharacters = SMTPReply(500, .init(5, 2), "Control characters are not allowed")
    static let bareLF = SMTPReply(521, .init(5, 2), "Lines must end with CRLF, closing connection")
    static let tooManyErrors = SMTPReply(421, .init(7, 0), "Too many errors, closing connection")
    static let tooManyCommands = SMTPReply(421, .init(7, 0), "Too many commands, closing connection")
    static let notHTTP = SMTPReply(421, .init(7, 0), "This is not a web server, closing connection")
    static let badArgument = SMTPReply(501, .init(5, 4), "Syntax error in arguments")
    static let noParameters = SMTPReply(501, .init(5, 4), "Syntax error (no parameters allowed)")
    static let badParameter = SMTPReply(501, .init(5, 4), "Syntax error in a parameter")
    static let unknownParameter = SMTPReply(555, .init(5, 4), "Parameter not recognized")
    static let badSender = SMTPReply(501, .init(1, 7), "Syntax error in sender address")
    static let badRecipient = SMTPReply(501, .init(1, 3), "Syntax error in recipient address")
    static let needsSMTPUTF8 = SMTPReply(553, .init(6, 7), "This address needs the SMTPUTF8 parameter")
    static let sendEHLO = SMTPReply(503, .init(5, 1), "Send EHLO first")
    static let sendLHLO = SMTPReply(503, .init(5, 1), "Send LHLO first")
    static let badSequence = SMTPReply(503, .init(5, 1), "Bad sequence of commands")
    static let sendMail = SMTPReply(503, .init(5, 1), "Send MAIL first")

    // STARTTLS and AUTH
    static let needsTLS = SMTPReply(530, .init(7, 0), "Must issue a STARTTLS command first")
    static let startTLS = SMTPReply(220, .init(0, 0), "Ready to start TLS")
    static let cannotStartTLS = SMTPReply(454, .init(7, 0), "TLS not available due to temporary reason")
    static let alreadySecured = SMTPReply(503, .init(5, 1), "TLS is already active")
    static let inputBehindStartTLS = SMTPReply(
        554, .init(7, 0), "Nothing may follow STARTTLS, closing connection")
    static let inputBehindRefused = SMTPReply(
        421, .init(7, 0), "Input followed a command that was refused, closing connection")
    static let needsAuthentication = SMTPReply(530, .init(7, 0), "Authentication required")
    static let unknownMechanism = SMTPReply(504, .init(5, 4), "Mechanism not supported")
    static let authenticated = SMTPReply(235, .init(7, 0), "Authentication successful")
    static let authenticationFailed = SMTPReply(535, .init(7, 8), "Authentication credentials invalid")
    static let notPermitted = SMTPReply(535, .init(7, 0), "Authentication is not permitted from here")
    // RFC 4954 §6, RFC 5248's registry: X.7.11.
    static let encryptionNeeded = SMTPReply(538, .init(7, 11), "The connection needs better protection")
    // X.7.13 is a disabled account, X.7.8 anything else that is wrong with credentials.
    static let passwordExpired = SMTPReply(535, .init(7, 8), "Choose a new password")
    static let authenticationUnavailable = SMTPReply(454, .init(7, 0), "Temporary authentication failure")
    static let authenticationCancelled = SMTPReply(501, .init(7, 0), "Authentication cancelled")
    static let notBase64 = SMTPReply(501, .init(5, 2), "Not valid base64")
    static let malformedResponse = SMTPReply(501, .init(5, 2), "Response does not fit the mechanism")
    static let responseTooLong = SMTPReply(500, .init(5, 6), "Authentication exchange line is too long")
    static let tooManyFailures = SMTPReply(421, .init(7, 0), "Too many authentication failures, closing connection")

    // Transactions
    static let senderOK = SMTPReply(250, .init(1, 0), "Sender OK")
    static let notOwnSender = SMTPReply(
        550, .init(7, 1), "You may not send as this address: log in as its owner, or ask for it to be granted")
    static let recipientOK = SMTPReply(250, .init(1, 5), "Recipient OK")
    static let noSuchUser = SMTPReply(550, .init(1, 1), "No such user here")
    static let disabledUser = SMTPReply(550, .init(2, 1), "This mailbox does not accept mail")
    static let notLocal = SMTPReply(550, .init(7, 1), "This server does not relay to other domains")
    static let noSuchDomain = SMTPReply(550, .init(1, 2), "This domain is not served here")
    // RFC 3463 §3.5: X.4.6 is a routing loop.
    static let aliasLoop = SMTPReply(550, .init(4, 6), "This address leads to itself or to too many others")
    static let tooManyRecipients = SMTPReply(452, .init(5, 3), "Too many recipients")
    static let noValidRecipients = SMTPReply(554, .init(5, 1), "No valid recipients")
    static let sendData = SMTPReply(354, nil, "End data with <CR><LF>.<CR><LF>")
    static let needsBDAT = SMTPReply(503, .init(5, 1), "A message with BODY=BINARYMIME is sent with BDAT")
    static func chunkOK(_ size: Int) -> SMTPReply { SMTPReply(250, .init(0, 0), "\(size) octets received") }
    static let badChunk = SMTPReply(501, .init(5, 4), "Syntax error in the chunk's size")
    static let chunkBehindRefused = SMTPReply(
        421, .init(7, 0), "A chunk that was refused cannot be read, closing connection")
    // RFC 4468 §5.
    static let badURL = SMTPReply(554, .init(6, 6), "The URL's content is not available")
    static let headerTooLarge = SMTPReply(552, .init(3, 4), "The message's header is too large")
    static let badAuthor = SMTPReply(554, .init(6, 0), "From or Sender has no address, or one that is none")
    static let notOwnAuthor = SMTPReply(
        550, .init(7, 1), "From or Sender is an address that you may not send as")
    static let tooManyMessages = SMTPReply(
        450, .init(7, 1), "You have sent as many messages as are allowed for now; try again later")
    static let recipientRate = SMTPReply(
        452, .init(7, 1), "You have written to as many recipients as are allowed for now; try again later")
    static let badRelease = SMTPReply(501, .init(5, 4), "A message cannot be held until then")
    // RFC 2852 §4.
    static let cannotDeliverBy = SMTPReply(555, .init(5, 4), "BY asks for less time than mail may need")
    /// RFC 6710 §9.
    static func priorityLowered(_ priority: Int) -> SMTPReply {
        SMTPReply(250, .init(3, 6), "\(priority) is the priority it gets")
    }
    static let tooLarge = SMTPReply(552, .init(3, 4), "Message size exceeds the limit")
    static let badLineEnds = SMTPReply(554, .init(6, 0), "Message contains CR or LF alone")
    static let containsNUL = SMTPReply(554, .init(6, 0), "Message contains NUL")
    static let longLines = SMTPReply(554, .init(6, 0), "Message contains a line that is too long")
    static let badHeader = SMTPReply(554, .init(6, 0), "Message begins with a continuation line")
    static let loop = SMTPReply(554, .init(4, 6), "Too many Received fields: mail loop")
    static let noSpace = SMTPReply(452, .init(3, 1), "Insufficient system storage")
    // RFC 3463 §3.3 has X.2.2 for a full mailbox: the recipient can make room, unless the message is larger than all.
    static let mailboxFull = SMTPReply(452, .init(2, 2), "The recipient's mailbox is full")
    static let mailboxTooSmall = SMTPReply(552, .init(2, 2), "The message is larger than the recipient's quota")
    static let unavailable = SMTPReply(451, .init(3, 0), "Mail system cannot serve now, try again later")

    static func accepted(_ identifier: String) -> SMTPReply {
        SMTPReply(250, .init(0, 0), "Message accepted as \(identifier)")
    }
}
