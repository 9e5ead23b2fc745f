import MailTestSupport
import MailVocabulary
import SASL
import SMTPSyntax
import WireFraming

@testable import MailClient

// A client's transcript is a dialogue of bytes as the servers' are (MailTestSupport/Transcript.swift), seen from the
// other side:
//
//     OPTIONS smtp starttls auth     dialect (smtp, lmtp), security (implicit, starttls, opportunistic, cleartext)
//     S: 220 mx.example              what the server sends, CRLF added; S> is sent as it is, with escapes \r \n \0
//     C: EHLO client.example         what the client must say
//     TLS                            the handshake that the client must ask for now, done
//     READY                          the client must be ready for a transaction
//     SEND ann@x.org b@y.org,c@y.org 8bit requiretls      a transaction begins
//     BODY text\r\n.more\r\n         the client must ask for the message: this is one, in pieces of 3 octets
//     = taken 250 2.0.0 ok           a recipient's answer, in order; * stands for any text
//     FAILED *STARTTLS*              the session must have failed so
//     QUIT, EOF, END                 goodbye is to be said; the server closes; the session must be over

struct ClientTranscriptError: Error, CustomStringConvertible {
    var line: Int
    var problem: String
    var description: String { "line \(line): \(problem)" }
}

/// Plays one.
struct ClientTranscript: ~Copyable {
    private var session = SMTPClientSession(SMTPClientSettings(security: .cleartext, name: "client.example"))
    private var input: [UInt8] = []
    private var output = OutputBuffer()
    private var said: [String] = []
    private var step = SMTPClientStep.needInput
    private var answers: [SMTPRecipientAnswer] = []
    private let isByByte: Bool

    /// - Parameter byByte: the client is given each of the server's octets alone.
    init(byByte: Bool) { isByByte = byByte }

    mutating func play(_ text: String) throws {
        for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            guard !raw.isEmpty, !raw.hasPrefix("#") else { continue }
            do { try play(line: raw) } catch let problem as Problem {
                throw ClientTranscriptError(line: index + 1, problem: problem.text)
            }
        }
        guard said.isEmpty, answers.isEmpty else {
            throw ClientTranscriptError(line: 0, problem: "left: \(said) \(answers)")
        }
    }

    private struct Problem: Error { var text: String }

    private func require(_ condition: Bool, _ problem: @autoclosure () -> String) throws {
        if !condition { throw Problem(text: problem()) }
    }

    private mutating func play(line: Substring) throws {
        let word = line.prefix { $0 != " " }
        let rest = line.dropFirst(word.count + 1)
        switch word {
        case "C:":
            let first = said.isEmpty ? nil : said.removeFirst()
            try require(
                first.map { Transcript.matches($0[...], rest) } ?? false,
                "expected “\(rest)”, got \(first ?? "nothing")")
            return
        case "=":
            let first = answers.isEmpty ? nil : ClientTranscript.text(answers.removeFirst())
            try require(first.map { Transcript.matches($0[...], rest) } ?? false, "the answer is \(first ?? "none")")
            return
        case _: break
        }
        try require(said.isEmpty, "the client also said \(said)")
        switch word {
        case "OPTIONS": try setOptions(rest)
        case "S:": feed(Array(rest.utf8) + [0x0D, 0x0A])
        case "S>": feed(ClientTranscript.unescaped(rest))
        case "EOF": step = session.disconnected()
        case "TLS":
            try require(step == .startTLS, "the client asks for no handshake: \(step)")
            step = session.secured(&output)
            input = []
        case "READY": try require(step == .ready && input.isEmpty, "the client is not ready: \(step)")
        case "SEND": try begin(rest)
        case "BODY": try giveBody(ClientTranscript.unescaped(rest))
        case "QUIT": step = session.quit(&output)
        case "END": try require(step == .ended, "the session is not over: \(step)")
        case "FAILED":
            guard case .failed(let error) = step else { throw Problem(text: "the session did not fail: \(step)") }
            try require(Transcript.matches(error.text[...], rest), "it failed otherwise: \(error.text)")
        case _: throw Problem(text: "not a transcript line")
        }
        collect()
    }

    /// What the client said, and what its transaction led to.
    private mutating func collect() {
        var lines = String(decoding: output.take(), as: UTF8.self)
            .split(separator: "\r\n", omittingEmptySubsequences: false).map(String.init)
        if lines.last == "" { lines.removeLast() }
        said += lines
        switch step {
        case .ready, .failed: answers += session.takeAnswers()
        case .needInput, .startTLS, .sendBody, .ended: break
        }
    }

    private mutating func setOptions(_ text: Substring) throws {
        let words = text.split(separator: " ").map(String.init)
        let securities: [String: SMTPClientSettings.Security] = [
            "implicit": .implicitTLS, "starttls": .startTLS, "opportunistic": .opportunistic, "cleartext": .cleartext,
        ]
        guard words.count >= 2, let security = securities[words[1]] else { throw Problem(text: "unknown options") }
        let credentials = PasswordCredentials(authenticationIdentity: "ann", password: Secret("secret"))
        session = SMTPClientSession(
            SMTPClientSettings(
                dialect: words[0] == "lmtp" ? .lmtp : .smtp, security: security, name: "client.example",
                credentials: words.contains("auth") ? credentials : nil))
    }

    private mutating func feed(_ bytes: [UInt8]) {
        for piece in isByByte ? bytes.map({ [$0] }) : [bytes] {
            input += piece
            // A driver gives nothing to a session that waits for something else.
            guard step == .needInput || step == .ready else { continue }
            var consumed = 0
            let given = input
            step = session.received(given.span, consumed: &consumed, &output)
            input.removeFirst(consumed)
        }
    }

    private mutating func begin(_ text: Substring) throws {
        let words = text.split(separator: " ").map(String.init)
        let addresses = ([words[0]] + words[1].split(separator: ",").map(String.init)).map { Address($0) }
        var envelope = SMTPEnvelope(reversePath: words[0] == "<>" ? .null : .null)
        if let sender = addresses[0] { envelope.reversePath = .mailbox(SMTPMailbox(sender)) }
        envelope.requiresTLS = words.contains("requiretls")
        let recipients = addresses.dropFirst().compactMap { $0.map { SMTPRecipient(mailbox: SMTPMailbox($0)) } }
        let kind: BodyKind = words.contains("binary") ? .binary : words.contains("8bit") ? .eightBit : .sevenBit
        let size = words.first { $0.hasPrefix("size=") }.flatMap { Int($0.dropFirst(5)) }
        let parameters = CommandWriter.MailParameters(
            size: size, body: kind, isInternationalized: words.contains("utf8"))
        step = session.begin(
            SMTPTransaction(envelope: envelope, recipients: recipients, parameters: parameters), &output)
    }

    private mutating func giveBody(_ message: [UInt8]) throws {
        try require(step == .sendBody, "the client asks for no message: \(step)")
        var start = 0
        while start < message.count, step == .sendBody {
            step = session.body(Array(message[start..<min(start + 3, message.count)]).span, &output)
            start += 3
        }
        if step == .sendBody { step = session.bodyEnded(&output) }
    }

    private static func text(_ answer: SMTPRecipientAnswer) -> String {
        switch answer {
        case .taken(let reply): "taken \(reply.text)"
        case .refused(let reply): "refused \(reply.text)"
        case .unsendable: "unsendable"
        case .unanswered(let error): "unanswered \(error.text)"
        }
    }

    private static func unescaped(_ text: Substring) -> [UInt8] {
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
            case let other: result.append(other ?? byte)
            }
        }
        return result
    }
}
