import MailDelivery
import MailStore
import MailVocabulary
import SMTPSyntax
import WireFraming

/// A message on its way in: decoded, checked, counted, and handed to the store's writer as it comes. Its header is held
/// back until it is whole. Once something is wrong with the message nothing more is kept, but it is read to its end.
struct MessageReception {
    enum Progress {
        /// The run is used.
        case more
        /// The header is whole: `begin` must be called, or `refuse`, before more is given.
        case header
        /// The message's end.
        case ended
    }

    let identifier: String
    let date: Timestamp
    private let limit: Int
    private var decoder = MessageDataDecoder()
    private var screen: ChunkScreen
    private var collector = HeaderCollector()
    private var hasBegun = false
    private(set) var isOver = false
    /// Nil when nothing is kept any more.
    private(set) var writer: (any BodyWriter)?
    private(set) var defect: MessageDefect?
    /// Octets the client sent, without dot-stuffing and the end.
    private(set) var size = 0
    /// It was written with `Return-Path` ahead.
    private(set) var hasReturnPath = false

    /// - Parameter isBinary: the body may hold anything (BINARYMIME).
    init(_ start: MessageStart, limit: Int, isBinary: Bool) {
        identifier = start.identifier
        date = start.date
        self.limit = limit
        writer = start.writer
        screen = ChunkScreen(isBinary: isBinary)
    }

    var fields: [UInt8] { collector.fields }
    var beginsWithContinuation: Bool { collector.beginsWithContinuation }

    /// Of DATA: takes at most one run.
    mutating func receive(_ input: Span<UInt8>, consumed: inout Int) -> Progress {
        let run = input.extracting(0..<min(input.count, SubmissionLimits.messageRun))
        while true {
            switch decoder.next(run, position: &consumed) {
            case .run(let range):
                if take(run.extracting(range)) { return .header }
            case .lineEnd:
                let lineEnd: InlineArray<2, UInt8> = [0x0D, 0x0A]
                if take(lineEnd.span) { return .header }
            case .needInput: return .more
            case .end:
                if let found = decoder.defect { refuse(.data(found)) }
                return finish()
            }
            if let found = decoder.defect { refuse(.data(found)) }
        }
    }

    /// Of a chunk or a URL's content.
    mutating func receiveChunk(_ bytes: Span<UInt8>) -> Progress {
        screen.check(bytes)
        if let found = screen.defect { refuse(.data(found)) }
        return take(bytes) ? .header : .more
    }

    /// The last chunk is there.
    mutating func finishChunks() -> Progress {
        guard !isOver else { return .ended }
        screen.finish()
        if let found = screen.defect { refuse(.data(found)) }
        // What goes on in lines must end with one.
        if screen.lacksLineEnd, writer != nil {
            let lineEnd: InlineArray<2, UInt8> = [0x0D, 0x0A]
            _ = take(lineEnd.span)
        }
        return finish()
    }

    mutating func refuse(_ found: MessageDefect) {
        if defect == nil { defect = found }
        writer = nil
    }

    /// True when the header is whole by it.
    private mutating func take(_ bytes: Span<UInt8>) -> Bool {
        guard let writer else { return false }
        size += bytes.count
        guard size <= limit else {
            refuse(.tooLarge)
            return false
        }
        guard !hasBegun else {
            writer.write(bytes)
            return false
        }
        collector.take(bytes)
        switch collector.state {
        case .collecting: return false
        case .ended:
            // A body may hold anything, a header is lines.
            var lines = ChunkScreen(isBinary: false)
            lines.check(collector.fields.span)
            if let found = lines.defect { refuse(.data(found)) }
            return defect == nil
        case .tooLong:
            refuse(.headerTooLarge)
            return false
        }
    }

    private mutating func finish() -> Progress {
        isOver = true
        guard writer != nil, !hasBegun else { return .ended }
        collector.finish()
        return .header
    }

    /// Writes what was held back.
    ///
    /// - Parameters:
    ///   - trace: fields this server puts ahead.
    ///   - fields: the header's, as they are to be.
    ///   - separates: whether a blank line is put where the header has none.
    mutating func begin(trace: String, fields: [UInt8], separates: Bool, hasReturnPath: Bool) {
        guard let writer, !hasBegun, case .ended(let rest) = collector.state else { return }
        hasBegun = true
        self.hasReturnPath = hasReturnPath
        writer.write(Array(trace.utf8).span)
        writer.write(fields.span)
        let isSeparate = rest.first == 0x0A || rest.starts(with: [0x0D, 0x0A])
        if separates, !rest.isEmpty, !isSeparate { writer.write([0x0D, 0x0A].span) }
        writer.write(rest.span)
        collector = HeaderCollector()
    }
}
