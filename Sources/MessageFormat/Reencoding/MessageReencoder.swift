/// What a way takes (RFC 2045 §2.7, §2.8).
package enum ReencodingTarget: Sendable, Hashable {
    /// ASCII lines.
    case sevenBit
    /// Lines of any octets but NUL.
    case eightBit
}

/// What has to be done to a message's parts so that it can go a way. Made by reading it once; it is then read again to be
/// converted by a `MessageReencoder`. What is held is a few octets for each part.
package struct ReencodingPlan: Sendable {
    enum Change: Sendable {
        case none
        case quotedPrintable(isASCII: Bool)
        case base64(isASCII: Bool)
    }

    let target: ReencodingTarget
    /// Octets that a line may have, without its CRLF.
    let longestLine: Int
    /// By part, in order.
    private(set) var changes: [Change] = []

    private var walker = EntityWalker()
    private var scan = BodyScan()
    /// Of what stands between parts: a long line comes in pieces.
    private var around = BodyScan()
    private var header: EntityHeader?
    private var signatures = SignatureTracker()

    /// - Parameter longestLine: octets without CRLF that a line may have on the way.
    package init(_ target: ReencodingTarget, longestLine: Int = .max) {
        self.target = target
        self.longestLine = longestLine
    }

    package mutating func add(_ piece: Span<UInt8>) throws(ReencodingFailure) {
        // Taken out, so that it is changed in place.
        var walker = walker
        self.walker = EntityWalker()
        try walker.add(piece) { (event) throws(ReencodingFailure) in try note(event) }
        self.walker = walker
    }

    package mutating func finish() throws(ReencodingFailure) {
        // Taken out, so that it is changed in place.
        var walker = walker
        self.walker = EntityWalker()
        try walker.finish { (event) throws(ReencodingFailure) in try note(event) }
        around.finish()
        try check(around)
    }

    private mutating func note(_ event: EntityWalker.Event) throws(ReencodingFailure) {
        switch event {
        case .header(let found):
            try check(found.scan)
            signatures.enter(found)
            header = found
            scan = BodyScan()
            changes.append(.none)
        case .content(let octets):
            scan.add(Array(octets).span)
        case .between(let octets):
            around.add(Array(octets).span)
            // A line cut in pieces may end amid its CRLF nowhere: the walker keeps them together.
            if octets.last == 0x0A { around.finish() }
            try check(around)
            if octets.starts(with: Array("--".utf8)) { signatures.delimiter(Array(octets)) }
        case .endOfContent:
            scan.finish()
            if let header { changes[changes.count - 1] = try change(header) }
        }
    }

    private func check(_ scan: BodyScan) throws(ReencodingFailure) {
        if !scan.isLines || (scan.has8Bit && target == .sevenBit) || scan.longestLine > longestLine {
            throw .unencodable
        }
    }

    private func change(_ header: EntityHeader) throws(ReencodingFailure) -> Change {
        let isFit = scan.isLines && (!scan.has8Bit || target == .eightBit) && scan.longestLine <= longestLine
        guard !isFit else { return .none }
        guard header.kind != .rigid, header.encoding != .encoded, header.encoding != .unknown else {
            throw .unencodable
        }
        guard !signatures.isSigned else { throw .signed }
        let isASCII = !scan.has8Bit && scan.isLines
        return header.kind == .text && scan.isLines ? .quotedPrintable(isASCII: isASCII) : .base64(isASCII: isASCII)
    }
}

/// Which entities around the present one are signed.
struct SignatureTracker: Sendable {
    private var open: [(delimiter: [UInt8], isSigned: Bool)] = []
    /// Of the present part, or of the message around that has not been left.
    private(set) var isSigned = false

    mutating func enter(_ header: EntityHeader) {
        isSigned = isSigned || header.isSigned
        if case .multipart(let boundary, _) = header.kind {
            open.append((Array("--".utf8) + boundary, isSigned))
        }
    }

    mutating func delimiter(_ line: [UInt8]) {
        guard let level = open.indices.reversed().first(where: { line.starts(with: open[$0].delimiter) }) else {
            return
        }
        open.removeLast(open.count - level - 1)
        isSigned = open[level].isSigned
    }
}

/// Converts a message as its octets pass: parts that the way does not take are encoded, labels are changed with them, and
/// what they decode to stays the same (RFC 6152 §3, RFC 3030 §3).
package struct MessageReencoder: Sendable {
    private enum Body: Sendable {
        case asIs
        case quotedPrintable(QuotedPrintableEncoder)
        case base64(Base64BodyEncoder)
    }

    private let plan: ReencodingPlan
    private var walker = EntityWalker()
    private var part = 0
    private var body = Body.asIs
    private var signatures = SignatureTracker()
    private var output: [UInt8] = []

    /// - Parameter plan: made of the same message, finished.
    package init(_ plan: ReencodingPlan) { self.plan = plan }

    /// What the piece becomes.
    package mutating func convert(_ piece: Span<UInt8>) throws(ReencodingFailure) -> [UInt8] {
        // Taken out, so that it is changed in place.
        var walker = walker
        self.walker = EntityWalker()
        try walker.add(piece) { (event) throws(ReencodingFailure) in write(event) }
        self.walker = walker
        return take()
    }

    package mutating func finish() throws(ReencodingFailure) -> [UInt8] {
        // Taken out, so that it is changed in place.
        var walker = walker
        self.walker = EntityWalker()
        try walker.finish { (event) throws(ReencodingFailure) in write(event) }
        return take()
    }

    private mutating func take() -> [UInt8] {
        defer { output = [] }
        return output
    }

    private mutating func write(_ event: EntityWalker.Event) {
        switch event {
        case .header(let header): writeHeader(header)
        case .between(let octets):
            if octets.starts(with: Array("--".utf8)) { signatures.delimiter(Array(octets)) }
            output += octets
        case .content(let octets):
            switch body {
            case .asIs: output += octets
            case .quotedPrintable(var encoder):
                encoder.encode(octets, to: &output)
                body = .quotedPrintable(encoder)
            case .base64(var encoder):
                encoder.encode(octets, to: &output)
                body = .base64(encoder)
            }
        case .endOfContent(let isLast):
            switch body {
            case .asIs: break
            case .quotedPrintable(var encoder): encoder.finish(&output)
            case .base64(var encoder):
                encoder.finish(&output)
                if isLast { output += [0x0D, 0x0A] }
            }
            body = .asIs
        }
    }

    private mutating func writeHeader(_ header: EntityHeader) {
        signatures.enter(header)
        let change = part < plan.changes.count ? plan.changes[part] : .none
        part += 1
        switch change {
        case .quotedPrintable(let isASCII):
            body = .quotedPrintable(QuotedPrintableEncoder())
            output += header.replacingEncoding(by: "quoted-printable", isTyped: !isASCII)
        case .base64(let isASCII):
            body = .base64(Base64BodyEncoder())
            output += header.replacingEncoding(by: "base64", isTyped: !isASCII)
        case .none:
            output += needsLabel(header) ? relabelled(header) : header.octets
        }
    }

    /// It says more than the way takes, where nobody vouches for what it says.
    private func needsLabel(_ header: EntityHeader) -> Bool {
        guard !signatures.isSigned else { return false }
        switch header.encoding {
        case .binary: return true
        case .eightBit: return plan.target == .sevenBit
        case .sevenBit, .encoded, .unknown: return false
        }
    }

    private func relabelled(_ header: EntityHeader) -> [UInt8] {
        header.replacingEncoding(by: plan.target == .eightBit ? "8bit" : nil, isTyped: false)
    }
}
