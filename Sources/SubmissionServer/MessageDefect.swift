import MailDelivery
import SMTPSyntax

/// Why a message that was read to its end is not accepted.
enum MessageDefect: Equatable {
    case data(MessageDataDecoder.Defect)
    case tooLarge
    case headerTooLarge
    case badHeader
    case loop
    /// `From` or `Sender` without an address, or with one that is none.
    case badAuthor
    /// `From` or `Sender` is somebody else's.
    case notOwnAuthor
    case badURL
    case filtered(SMTPReply)
    case delivery(DeliveryFailure)

    var reply: SMTPReply {
        switch self {
        case .data(.bareCR), .data(.bareLF): .badLineEnds
        case .data(.nul): .containsNUL
        case .data(.lineTooLong): .longLines
        case .tooLarge: .tooLarge
        case .headerTooLarge: .headerTooLarge
        case .badHeader: .badHeader
        case .loop: .loop
        case .badAuthor: .badAuthor
        case .notOwnAuthor: .notOwnAuthor
        case .badURL: .badURL
        case .filtered(let reply): reply
        case .delivery(let failure): failure.reply
        }
    }

    /// For the log.
    var text: String {
        switch self {
        case .data(.bareCR): "CR alone"
        case .data(.bareLF): "LF alone"
        case .data(.nul): "NUL"
        case .data(.lineTooLong): "line too long"
        case .tooLarge: "too large"
        case .headerTooLarge: "header too large"
        case .badHeader: "begins with a continuation line"
        case .loop: "too many Received fields"
        case .badAuthor: "From or Sender is no address"
        case .notOwnAuthor: "From or Sender is another's"
        case .badURL: "a URL that names nothing, or is not authorised"
        case .filtered: "by a filter"
        case .delivery(.noSpace): "no space"
        case .delivery(.overQuota): "a recipient's mailbox is full"
        case .delivery(.tooMuch): "the user's limit is reached"
        case .delivery(.unavailable(let reason)): "store unavailable: \(reason)"
        }
    }

    /// What only attacks and broken software send.
    var isViolation: Bool {
        switch self {
        case .data(.bareCR), .data(.bareLF), .data(.nul): true
        case .data(.lineTooLong), .tooLarge, .headerTooLarge, .badHeader, .loop, .badAuthor, .notOwnAuthor, .badURL,
            .filtered, .delivery:
            false
        }
    }
}

extension DeliveryFailure {
    var reply: SMTPReply {
        switch self {
        case .noSpace: .noSpace
        case .overQuota: .mailboxFull
        case .tooMuch(.messages): .tooManyMessages
        case .tooMuch(.recipients): .recipientRate
        case .unavailable: .unavailable
        }
    }
}
