import MailStore
import MailVocabulary
import SMTPSyntax
import WireFraming

/// Why a message that was read to its end is not accepted.
enum MessageDefect: Equatable {
    case data(MessageDataDecoder.Defect)
    case tooLarge
    case badHeader
    case loop
    case store(DeliveryFailure)

    var reply: SMTPReply {
        switch self {
        case .data(.bareCR), .data(.bareLF): .badLineEnds
        case .data(.nul): .containsNUL
        case .data(.lineTooLong): .longLines
        case .tooLarge: .tooLarge
        case .badHeader: .badHeader
        case .loop: .loop
        case .store(.noSpace): .noSpace
        case .store(.overQuota): .mailboxFull
        case .store(.unavailable): .unavailable
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
        case .badHeader: "begins with a continuation line"
        case .loop: "too many Received fields"
        case .store(.noSpace): "no space"
        case .store(.overQuota): "a recipient's mailbox is full"
        case .store(.unavailable(let reason)): "store unavailable: \(reason)"
        }
    }

    /// What only attacks and broken software send.
    var isViolation: Bool {
        switch self {
        case .data(.bareCR), .data(.bareLF), .data(.nul): true
        case .data(.lineTooLong), .tooLarge, .badHeader, .loop, .store: false
        }
    }
}

/// A message on its way in: decoded, screened, counted and handed to the store's writer as it comes. Once something
/// is wrong with it nothing more is kept, but it is read to its end.
struct MessageReception {
    let identifier: String
    let date: Timestamp
    private let limit: Int
    private var decoder = MessageDataDecoder()
    private var screen = HeaderScreen()
    /// Nil when nothing is kept any more.
    private(set) var writer: (any BodyWriter)?
    private(set) var defect: MessageDefect?
    /// Octets the client sent, without dot-stuffing and the end.
    private(set) var size = 0

    /// - Parameter trace: fields this server puts ahead.
    init(_ start: MessageStart, trace: String, limit: Int) {
        identifier = start.identifier
        date = start.date
        self.limit = limit
        writer = start.writer
        start.writer.write(Array(trace.utf8).span)
    }

    /// Takes at most one run; true at the message's end.
    mutating func receive(_ input: Span<UInt8>, consumed: inout Int) -> Bool {
        let run = input.extracting(0..<min(input.count, SubmissionLimits.messageRun))
        while true {
            switch decoder.next(run, position: &consumed) {
            case .run(let range): take(run.extracting(range))
            case .lineEnd:
                let lineEnd: InlineArray<2, UInt8> = [0x0D, 0x0A]
                take(lineEnd.span)
            case .needInput: return false
            case .end:
                finish()
                return true
            }
            if let found = decoder.defect { refuse(.data(found)) }
        }
    }

    mutating func refuse(_ found: MessageDefect) {
        if defect == nil { defect = found }
        writer = nil
    }

    private mutating func take(_ bytes: Span<UInt8>) {
        guard let writer else { return }
        size += bytes.count
        guard size <= limit else { return refuse(.tooLarge) }
        screen.pass(bytes) { writer.write($0) }
        if screen.beginsWithContinuation { refuse(.badHeader) }
        if screen.receivedCount > SubmissionLimits.receivedFields { refuse(.loop) }
    }

    private mutating func finish() {
        if let found = decoder.defect { refuse(.data(found)) }
        if let writer { screen.finish { writer.write($0) } }
    }
}
