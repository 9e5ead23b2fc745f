/// Reads a message's structure in one pass over its lines, by recursive descent:
///
///     entity    header, then by its type
///       text and others   lines up to a delimiter of any open boundary
///       message/rfc822    an entity
///       multipart         opens its boundary; preamble, entities between its delimiters, epilogue; closes it
///
/// Whoever meets a delimiter stops before it and leaves it in `pending`; whose boundary it is decides how many levels
/// return. So a missing close-delimiter ends at the next outer one, and every line is looked at once.
struct StructureParser: ~Escapable {
    private let bytes: Span<UInt8>
    private var position = 0
    /// Line feeds before `position`.
    private var lineFeeds = 0
    /// Of the multiparts around the position, outermost first.
    private var boundaries: [[UInt8]] = []
    private var pending: Delimiter?
    private var partCount = 0
    private var budget = RetentionBudget()
    /// Octets looked at, for the test that work is linear.
    private(set) var work = 0

    private struct Delimiter {
        /// Which of `boundaries`.
        var level: Int
        var isClose: Bool
    }

    @_lifetime(copy bytes)
    init(_ bytes: Span<UInt8>) { self.bytes = bytes }

    @_lifetime(self: copy self)
    mutating func parse() -> (Envelope, references: [[UInt8]], BodyPart) {
        let (fields, headerRange) = readHeader()
        let envelope = Envelope(bytes, fields, &budget)
        let references = fields[.references].map { budget.messageIDs(bytes, $0) } ?? []
        return (envelope, references, parseEntity(fields, headerRange, default: .plainText, depth: 0))
    }

    @_lifetime(self: copy self)
    private mutating func parseMessage(depth: Int) -> (Envelope, BodyPart) {
        let (fields, headerRange) = readHeader()
        let envelope = Envelope(bytes, fields, &budget)
        return (envelope, parseEntity(fields, headerRange, default: .plainText, depth: depth))
    }

    /// The part whose header has been read.
    @_lifetime(self: copy self)
    private mutating func parseEntity(
        _ fields: KnownFields, _ headerRange: Range<Int>, default: MediaType, depth: Int
    ) -> BodyPart {
        partCount += 1
        let isLast = partCount >= MessageLimits.parts
        // Nothing ends the part that reaches the limit: no delimiter is known any more.
        if isLast { boundaries.removeAll() }
        if isLast { pending = nil }
        var part = BodyPart(bytes, fields, default: `default`, headerRange: headerRange, &budget)
        let media = part.mediaType
        let (start, feeds) = (position, lineFeeds)
        let isContainer = media.isMultipart || media.isMessage
        // What is encoded has to be decoded before it is a message, and a part is a range of octets.
        let isEncoded = media.isMessage && part.isEncoded
        if isEncoded {
            (part.type, part.subtype) = (MediaType.opaque.type, MediaType.opaque.subtype)
            scanToDelimiter()
        } else if isContainer, isLast || depth >= MessageLimits.depth {
            part.mediaType = .opaque
            scanToDelimiter()
        } else if media.isMessage {
            let (envelope, inner) = parseMessage(depth: depth + 1)
            part.kind = .message(envelope, inner)
        } else if media.isMultipart {
            parseMultipart(&part, depth: depth)
        } else {
            part.kind = media.type == MediaType.text ? .text : .single
            scanToDelimiter()
        }
        setBody(of: &part, from: start, lineFeeds: feeds)
        return part
    }

    /// The body is what was read since `start`, without the line end before the delimiter that ended it; but with
    /// it where it belongs to the header of a part inside, whose blank line is missing.
    private func setBody(of part: inout BodyPart, from start: Int, lineFeeds feeds: Int) {
        var (end, count) = (position, lineFeeds - feeds)
        if pending != nil, end > start, bytes[end - 1] == 0x0A {
            let shorter = end - 1 > start && bytes[end - 2] == 0x0D ? end - 2 : end - 1
            if shorter >= part.endOfLastChild { (end, count) = (shorter, count - 1) }
        }
        part.bodyRange = start..<end
        part.lineCount = count
    }

    // multipart-body := [preamble CRLF] dash-boundary transport-padding CRLF body-part *encapsulation
    //                   close-delimiter transport-padding [CRLF epilogue]        RFC 2046 §5.1.1
    /// Without a boundary, or without any delimiter in the body, it is read as text/plain (RFC 2045 §5.2), so that
    /// what it holds can be seen; IMAP has no multipart without parts.
    @_lifetime(self: copy self)
    private mutating func parseMultipart(_ part: inout BodyPart, depth: Int) {
        guard let boundary = part.mediaType.boundary, !boundary.isEmpty else {
            part.readAsPlainText()
            return scanToDelimiter()
        }
        let level = boundaries.count
        let childDefault: MediaType = part.subtype.isWord("DIGEST") ? .encapsulated : .plainText
        boundaries.append(boundary)
        var children: [BodyPart] = []
        scanToDelimiter()
        while let delimiter = pending, delimiter.level == level {
            consumeDelimiter()
            guard !delimiter.isClose, position < bytes.count else { break }
            let (fields, headerRange) = readHeader()
            children.append(parseEntity(fields, headerRange, default: childDefault, depth: depth + 1))
        }
        if level < boundaries.count { boundaries.removeSubrange(level...) }
        scanToDelimiter()
        if children.isEmpty { part.readAsPlainText() } else { part.kind = .multipart(children) }
    }

    /// Reads header fields; a delimiter among them ends the header, for the blank line may be missing.
    @_lifetime(self: copy self)
    private mutating func readHeader() -> (KnownFields, Range<Int>) {
        var known = KnownFields()
        let start = position
        var header = HeaderFields(bytes, at: position)
        while pending == nil {
            if header.startsWithDashes, let delimiter = delimiter(at: header.position) {
                pending = delimiter
                break
            }
            guard let field = header.next() else { break }
            if let name = KnownField(bytes, field.nameRange) { known.note(name, field.valueRange) }
        }
        work += header.position - position
        position = header.position
        lineFeeds += header.lineFeeds
        return (known, start..<position)
    }

    /// Passes over lines up to one that is a delimiter of an open boundary, or the end.
    @_lifetime(self: copy self)
    private mutating func scanToDelimiter() {
        guard pending == nil else { return }
        while position < bytes.count {
            if !boundaries.isEmpty, bytes[position] == UInt8(ascii: "-"), let found = delimiter(at: position) {
                pending = found
                return
            }
            passLine()
        }
    }

    @_lifetime(self: copy self)
    private mutating func consumeDelimiter() {
        pending = nil
        passLine()
    }

    @_lifetime(self: copy self)
    private mutating func passLine() {
        let feed = bytes.lineFeed(from: position)
        if feed < bytes.count { lineFeeds += 1 }
        let next = min(feed + 1, bytes.count)
        work += next - position
        position = next
    }

    // delimiter := CRLF "--" boundary        close-delimiter := delimiter "--"        transport-padding := *LWSP-char
    /// Which open boundary the line at `start` delimits. The whole line has to match, so that a boundary that begins
    /// like another is told apart from it.
    @_lifetime(self: copy self)
    private mutating func delimiter(at start: Int) -> Delimiter? {
        guard start + 2 < bytes.count, bytes[start] == UInt8(ascii: "-"), bytes[start + 1] == UInt8(ascii: "-") else {
            return nil
        }
        var end = bytes.lineFeed(from: start)
        while end > start + 2, isBlank(bytes[end - 1]) || bytes[end - 1] == 0x0D { end -= 1 }
        work += end - start
        let isMarked = end - start >= 4 && bytes[end - 1] == UInt8(ascii: "-") && bytes[end - 2] == UInt8(ascii: "-")
        for level in boundaries.indices.reversed() {
            let boundary = boundaries[level]
            let isOpen = boundary.count == end - start - 2
            guard isOpen || isMarked && boundary.count == end - start - 4, bytes.holds(boundary, at: start + 2) else {
                continue
            }
            return Delimiter(level: level, isClose: !isOpen)
        }
        return nil
    }
}

extension BodyPart {
    /// Whether it is in an encoding that changes octets. A message may not be (RFC 2046 §5.2.1), but a message/global
    /// may (RFC 6532 §3.7).
    fileprivate var isEncoded: Bool { (TransferEncoding(encoding) ?? .identity) != .identity }

    fileprivate var endOfLastChild: Int {
        switch kind {
        case .single, .text: 0
        case .message(_, let inner): inner.bodyRange.upperBound
        case .multipart(let children): children.last?.bodyRange.upperBound ?? 0
        }
    }
}
