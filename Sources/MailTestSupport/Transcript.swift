import TLSPolicy
import WireFraming

// A transcript is a dialogue of bytes, kept as a file that a person can compare with the RFC:
//
//     # RFC 1939 §10                 a comment
//     C: USER mrose                  what the client sends, CRLF added
//     S: +OK*                        what the server must answer; * stands for any octets within the line
//     S? …                           a line the server may leave out
//     C> text                        sent without CRLF; \r \n \0 \\ and \xHH are escapes there
//     TLS                            the handshake asked for by the command before
//     O> ann text                    another session, ann's, sends a command so written; it must succeed
//     CHANGE                         what other sessions did is delivered
//     END                            the server has closed
//
// What an answer is not known beforehand and needed later is written `$(name)` in its line, once, with what stands
// around it as it is; in a line of the client `$(name)` is what was read there.
//
// Server lines are compared in order with everything the session wrote since the client line before.

/// One step of a transcript.
package enum TranscriptStep: Sendable, Equatable {
    case client([UInt8])
    case other(user: String, [UInt8])
    case server(pattern: String, optional: Bool)
    case handshake
    case change
    case end
}

package struct TranscriptError: Error, CustomStringConvertible {
    package var line: Int
    package var problem: String
    package var description: String { "line \(line): \(problem)" }
}

package struct Transcript: Sendable {
    package var steps: [(line: Int, step: TranscriptStep)] = []

    package init(_ text: String) throws {
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            let line = raw.hasSuffix("\r") ? raw.dropLast() : raw
            guard !line.isEmpty, !line.hasPrefix("#") else { continue }
            guard let step = Transcript.step(line) else {
                throw TranscriptError(line: index + 1, problem: "not a transcript line: \(line)")
            }
            steps.append((index + 1, step))
        }
    }

    /// What the client sends, in order.
    package var said: [[UInt8]] {
        steps.compactMap { if case .client(let octets) = $0.step { octets } else { nil } }
    }

    private static func step(_ line: Substring) -> TranscriptStep? {
        if line == "TLS" { return .handshake }
        if line == "CHANGE" { return .change }
        if line == "END" { return .end }
        let mark = line.prefix(2)
        let rest = line.dropFirst(line.dropFirst(2).first == " " ? 3 : 2)
        switch mark {
        case "C:": return .client(Array(rest.utf8) + [0x0D, 0x0A])
        case "C>": return unescaped(rest).map(TranscriptStep.client)
        case "O>":
            let parts = rest.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, let text = unescaped(parts[1]) else { return nil }
            return .other(user: String(parts[0]), text)
        case "S:": return .server(pattern: String(rest), optional: false)
        case "S?": return .server(pattern: String(rest), optional: true)
        case _: return nil
        }
    }

    private static func unescaped(_ text: Substring) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "\\") else {
                result.append(byte)
                continue
            }
            switch rest.popFirst() {
            case UInt8(ascii: "r"): result.append(0x0D)
            case UInt8(ascii: "n"): result.append(0x0A)
            case UInt8(ascii: "0"): result.append(0)
            case UInt8(ascii: "\\"): result.append(UInt8(ascii: "\\"))
            case UInt8(ascii: "x"):
                guard let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else { return nil }
                result.append(value)
                rest = rest.dropFirst(2)
            case _: return nil
            }
        }
        return result
    }

    /// What a line has in the place of a pattern's `$(name)`; nil when it does not fit, or there is no such place.
    package static func kept(_ line: Substring, _ pattern: Substring) -> (name: String, text: String)? {
        guard let mark = pattern.firstRange(of: "$("), let end = pattern[mark.upperBound...].firstIndex(of: ")") else {
            return nil
        }
        let (head, tail) = (pattern[..<mark.lowerBound], pattern[pattern.index(after: end)...])
        guard line.count >= head.count + tail.count, line.hasPrefix(head), line.hasSuffix(tail) else { return nil }
        let text = line.dropFirst(head.count).dropLast(tail.count)
        return (String(pattern[mark.upperBound..<end]), String(text))
    }

    /// Whether a line fits a pattern in which `*` stands for any run of characters.
    package static func matches(_ line: Substring, _ pattern: Substring) -> Bool {
        guard let star = pattern.firstIndex(of: "*") else { return line == pattern }
        let head = pattern[..<star]
        guard line.hasPrefix(head) else { return false }
        let tail = pattern[pattern.index(after: star)...]
        var rest = line.dropFirst(head.count)
        while true {
            if matches(rest, tail) { return true }
            guard !rest.isEmpty else { return false }
            rest = rest.dropFirst()
        }
    }
}

extension SessionDriver where Session: ~Copyable {
    /// Plays a transcript, from the greeting on. `byByte` gives each client octet alone.
    ///
    /// Throws `TranscriptError` at the first line that the session answers otherwise.
    ///
    /// - Parameter other: has another session of a user do something; what is wrong with it, or nil.
    package mutating func play(
        _ transcript: Transcript, byByte: Bool = false,
        other: (_ user: String, [UInt8]) async -> String? = { _, _ in "there are no others" }
    ) async throws {
        var unread = lines(await connect())
        var kept: [String: String] = [:]
        for (line, step) in transcript.steps {
            switch step {
            case .client(let written):
                try expectNothing(unread, at: line)
                let bytes = filled(written, kept)
                if byByte {
                    var answer: [UInt8] = []
                    for byte in bytes { answer += await send([byte]) }
                    unread = lines(answer)
                } else {
                    unread = lines(await send(bytes))
                }
            case .other(let user, let bytes):
                try expectNothing(unread, at: line)
                if let problem = await other(user, bytes) { throw TranscriptError(line: line, problem: problem) }
            case .server(let pattern, let optional):
                if let first = unread.first, let found = Transcript.kept(first[...], pattern[...]) {
                    kept[found.name] = found.text
                    unread.removeFirst()
                } else if let first = unread.first, Transcript.matches(first[...], pattern[...]) {
                    unread.removeFirst()
                } else if !optional {
                    throw TranscriptError(
                        line: line, problem: "expected “\(pattern)”, got “\(unread.first ?? "nothing")”")
                }
            case .handshake:
                try expectNothing(unread, at: line)
                guard awaitsHandshake else { throw TranscriptError(line: line, problem: "no handshake was asked for") }
                unread = lines(await handshake())
            case .change:
                try expectNothing(unread, at: line)
                unread = lines(await deliverChanges())
            case .end:
                try expectNothing(unread, at: line)
                guard isClosed else { throw TranscriptError(line: line, problem: "the connection is still open") }
            }
        }
        try expectNothing(unread, at: transcript.steps.last?.line ?? 0)
    }

    private func lines(_ bytes: [UInt8]) -> [String] {
        var parts = String(decoding: bytes, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false)
        if parts.last == "" { parts.removeLast() }
        return parts.map(String.init)
    }

    private func filled(_ bytes: [UInt8], _ kept: [String: String]) -> [UInt8] {
        kept.reduce(bytes) { $0.replacing(Array("$(\($1.key))".utf8), with: Array($1.value.utf8)) }
    }

    private func expectNothing(_ unread: [String], at line: Int) throws {
        guard let first = unread.first else { return }
        throw TranscriptError(line: line, problem: "before this line the server also wrote “\(first)”")
    }
}
