import MailStore
import MessageFormat
import SMTPSyntax

/// What is known of a message before it goes anywhere: its octets, read once.
struct OutgoingContent: Sendable {
    /// Octets read at a time.
    static let pieceSize = 64 * 1024
    /// Of a header; longer ones say nothing here.
    static let headerLimit = 256 * 1024
    /// Octets of a line without CRLF (RFC 5321 §4.5.3.1.6): no server needs to take more, and some cut what is longer.
    static let longestLine = 998

    let scan: BodyScan
    let header: OutgoingHeader

    init(_ message: OutgoingMessage, _ store: any MailStore) async throws {
        var scan = BodyScan()
        var header: [UInt8] = []
        let source = BodySource(store, message.body, size: message.size)
        while let piece = try await source.next() {
            scan.add(piece.span)
            if header.count < Self.headerLimit { header += piece.prefix(Self.headerLimit - header.count) }
        }
        scan.finish()
        self.scan = scan
        self.header = OutgoingHeader(header)
    }

    enum Preparation {
        case ready(PreparedContent)
        /// Re-encoded, if that can be done.
        case converted(CommandWriter.MailParameters, ReencodingTarget)
        /// It can never go to such a server: X.Y.Z and why.
        case refused(status: String, String)
    }

    /// How it goes to a server with these extensions. Lines that are longer than SMTP has them go as binary (RFC 3030 §3)
    /// where that is taken, and encoded where it is not.
    func prepare(_ message: OutgoingMessage, for features: ServerFeatures, now: Int64) -> Preparation {
        let isInternationalized = features.offers(.smtpUTF8) && needsSMTPUTF8(message)
        if !features.offers(.smtpUTF8), scan.headerHas8Bit || !canBeASCII(message.envelope.reversePath) {
            return .refused(status: "5.6.7", "SMTPUTF8 is needed, and the server does not support it")
        }
        if let limit = features.maximumSize, UInt64(message.size) > limit {
            return .refused(status: "5.3.4", "the message has \(message.size) octets, and the server takes \(limit)")
        }
        guard let kind = kind(message) else {
            return .refused(status: "5.6.0", "the message has line ends that are not CRLF, or NULs")
        }
        return preparation(kind, message.size, isInternationalized, features, now)
    }

    /// Nil for lone CRs and LFs, which are no mail unless somebody said that it is binary: nothing is guessed (RFC 5321
    /// §2.3.8).
    private func kind(_ message: OutgoingMessage) -> BodyKind? {
        if message.envelope.body?.rawValue == "BINARYMIME" { return .binary }
        return scan.isLines ? scan.has8Bit ? .eightBit : .sevenBit : nil
    }

    private func preparation(
        _ kind: BodyKind, _ size: Int, _ isInternationalized: Bool, _ features: ServerFeatures, _ now: Int64
    ) -> Preparation {
        let takesBinary = features.offers(.binaryMIME) && features.offers(.chunking)
        let hasLongLines = scan.longestLine > Self.longestLine
        let way = hasLongLines && takesBinary ? BodyKind.binary : kind
        let isFit =
            switch way {
            case .sevenBit: !hasLongLines
            case .eightBit: !hasLongLines && features.offers(.eightBitMIME)
            case .binary: takesBinary
            }
        var parameters = CommandWriter.MailParameters(
            size: size, body: way, isInternationalized: isInternationalized, now: now)
        guard isFit else {
            let target: ReencodingTarget = features.offers(.eightBitMIME) ? .eightBit : .sevenBit
            parameters.size = nil
            parameters.body = kind != .sevenBit && target == .eightBit ? .eightBit : .sevenBit
            return .converted(parameters, target)
        }
        return .ready(PreparedContent(parameters: parameters))
    }

    private func canBeASCII(_ path: ReversePath) -> Bool {
        switch path {
        case .null: true
        case .mailbox(let mailbox): ALabels.mailbox(mailbox) != nil
        }
    }

    /// SMTPUTF8 is asked for only where it is needed: it closes ways (RFC 6531 §3.4, §3.7.1).
    private func needsSMTPUTF8(_ message: OutgoingMessage) -> Bool {
        scan.headerHas8Bit || !message.envelope.reversePath.isASCII || message.envelope.isInternationalized
            || message.recipients.contains { !$0.mailbox.isASCII }
    }
}

/// What was read of messages whose recipients are at several destinations.
actor ContentCache {
    private struct Key: Hashable {
        var id: QueueID
        var body: BodyID
    }

    /// Each has some tens of octets.
    private static let capacity = 256
    private var known: [Key: OutgoingContent] = [:]

    func content(of message: OutgoingMessage, _ store: any MailStore) async throws -> OutgoingContent {
        let key = Key(id: message.id, body: message.body)
        if let found = known[key] { return found }
        let content = try await OutgoingContent(message, store)
        if known.count >= Self.capacity { known.removeAll() }
        known[key] = content
        return content
    }
}

/// What a message's header says of its way.
struct OutgoingHeader: Sendable, Hashable {
    /// `TLS-Required: No` (RFC 8689 §3).
    var waivesTLS = false

    init(_ header: [UInt8]) {
        guard let value = headerValue(Array("TLS-Required".utf8), in: header.span) else { return }
        waivesTLS = String(decoding: value, as: UTF8.self).lowercased() == "no"
    }
}

/// A message as one server is to get it.
struct PreparedContent: Sendable {
    var parameters: CommandWriter.MailParameters
    /// How it is re-encoded; nil: it goes as it is.
    var plan: ReencodingPlan?

    init(parameters: CommandWriter.MailParameters) { self.parameters = parameters }

    /// Reads the message to see how it can be converted.
    init(
        _ message: OutgoingMessage, _ store: any MailStore, _ parameters: CommandWriter.MailParameters,
        _ target: ReencodingTarget
    ) async throws {
        self.parameters = parameters
        var plan = ReencodingPlan(target, longestLine: OutgoingContent.longestLine)
        let source = BodySource(store, message.body, size: message.size)
        while let piece = try await source.next() { try plan.add(piece.span) }
        try plan.finish()
        self.plan = plan
    }

    func source(_ store: any MailStore, _ message: OutgoingMessage) -> BodySource {
        BodySource(store, message.body, size: message.size, plan)
    }
}

extension ReencodingFailure {
    /// For a notice.
    var text: String {
        switch self {
        case .signed: "to convert it would break its signature"
        case .unencodable: "it has octets, or lines of more than 998, where no encoding reaches"
        case .tooComplex: "its parts cannot be told apart"
        }
    }
}

/// A stored message in pieces; one reader, from its start to its end.
actor BodySource {
    private let store: any MailStore
    private let body: BodyID
    private let size: Int
    private var position = 0
    private var reencoder: MessageReencoder?

    init(_ store: any MailStore, _ body: BodyID, size: Int, _ plan: ReencodingPlan? = nil) {
        self.store = store
        self.body = body
        self.size = size
        reencoder = plan.map { MessageReencoder($0) }
    }

    /// Nil at the end.
    func next() async throws -> [UInt8]? {
        guard reencoder != nil else { return try await read() }
        while let piece = try await read() {
            let converted = try reencoder?.convert(piece.span) ?? []
            if !converted.isEmpty { return converted }
        }
        let last = try reencoder?.finish() ?? []
        // Read to its end: from here on there is nothing.
        reencoder = nil
        return last.isEmpty ? nil : last
    }

    private func read() async throws -> [UInt8]? {
        guard position < size else { return nil }
        let piece = try await store.read(body, position..<min(position + OutgoingContent.pieceSize, size))
        guard !piece.isEmpty else { throw BodyTooShort() }
        position += piece.count
        return piece
    }
}

/// The store has fewer octets than it said.
struct BodyTooShort: Error {}
