import MessageFormat

/// A message written in lines: every LF of the text becomes CRLF.
func message(_ text: String) -> [UInt8] {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        if byte == 0x0A { bytes.append(0x0D) }
        bytes.append(byte)
    }
    return bytes
}

func octets(_ text: String) -> [UInt8] { Array(text.utf8) }

func text(_ octets: [UInt8]?) -> String? { octets.map { String(decoding: $0, as: UTF8.self) } }

func summary(_ text: String) -> MessageSummary { MessageSummary(parsing: message(text).span) }

func parse(_ bytes: [UInt8]) -> MessageSummary { MessageSummary(parsing: bytes.span) }

/// The structure in one line: `MULTIPART/MIXED(TEXT/PLAIN"body" …)`, leaves with their bodies.
func shape(_ bytes: [UInt8]) -> String {
    func describe(_ part: BodyPart) -> String {
        let name = String(decoding: part.type + octets("/") + part.subtype, as: UTF8.self)
        switch part.kind {
        case .single, .text: return "\(name)\"\(String(decoding: bytes[part.bodyRange], as: UTF8.self))\""
        case .message(_, let inner): return "\(name)(\(describe(inner)))"
        case .multipart(let children): return "\(name)(\(children.map(describe).joined(separator: " ")))"
        }
    }
    return describe(parse(bytes).structure)
}

func shape(_ text: String) -> String { shape(message(text)) }

/// An address list in one line: `name <route:mailbox@host>`, nil as `-`.
func addresses(_ list: String) -> [String] {
    summary("From: \(list)\n\n").envelope.from.map { address in
        let route = text(address.route).map { "\($0):" } ?? ""
        return "\(text(address.name) ?? "-") <\(route)\(text(address.mailbox) ?? "-")@\(text(address.host) ?? "-")>"
    }
}

/// Every range lies in the message, and every child in its parent's body.
func rangesAreNested(_ part: BodyPart, in outer: Range<Int>) -> Bool {
    let header = part.headerRange
    let body = part.bodyRange
    guard header.lowerBound >= outer.lowerBound, body.upperBound <= outer.upperBound,
        header.upperBound <= body.lowerBound, part.lineCount >= 0, part.lineCount <= body.count
    else { return false }
    switch part.kind {
    case .single, .text: return true
    case .message(_, let inner): return rangesAreNested(inner, in: body)
    case .multipart(let children): return !children.isEmpty && children.allSatisfy { rangesAreNested($0, in: body) }
    }
}

/// A small generator with a seed (SplitMix64), so that a failure can be repeated.
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
