import Synchronization
package import TLSPolicy
package import WireFraming

/// How a scripted SMTP or LMTP server behaves.
package struct MailServerScript: Sendable {
    package var name = "mx.test"
    package var greeting: String?
    /// Behind the name in the answer to EHLO, in cleartext and inside TLS.
    package var features: [String] = []
    package var securedFeatures: [String] = []
    /// What is answered to lines that begin so, without regard to case, instead of the usual; the first that fits.
    /// `CLOSE` closes the connection. Behind `MESSAGE` stands the answer to the message.
    package var answers: [(line: String, reply: String)] = []
    package var isLMTP = false
    /// The connection is closed at a further MAIL.
    package var transactionsPerSession = Int.max

    package init() {}

    fileprivate func answer(to line: String) -> String? {
        answers.first { line.uppercased().hasPrefix($0.line.uppercased()) }?.reply
    }
}

/// What scripted servers heard; one for any number of sessions.
package final class MailServerRecord: Sendable {
    package struct Message: Sendable, Equatable {
        /// Lines of MAIL and RCPT.
        package var envelope: [String]
        /// Without dot-stuffing.
        package var octets: [UInt8]
        package var isSecured: Bool

        package var text: String { String(decoding: octets, as: UTF8.self) }
    }

    private struct State {
        var lines: [String] = []
        var messages: [Message] = []
        var sessions = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// Everything that clients said but messages.
    package var lines: [String] { state.withLock { $0.lines } }
    package var messages: [Message] { state.withLock { $0.messages } }
    package var sessions: Int { state.withLock { $0.sessions } }

    fileprivate func begin() { state.withLock { $0.sessions += 1 } }
    fileprivate func add(_ line: String) { state.withLock { $0.lines.append(line) } }
    fileprivate func add(_ message: Message) { state.withLock { $0.messages.append(message) } }
}

/// A server of SMTP or LMTP that does as its script says: what a client is tested with.
package struct ScriptedMailServer: ProtocolSession, ~Copyable {
    private let script: MailServerScript
    private let record: MailServerRecord
    private var isSecured: Bool
    private var envelope: [String] = []
    private var accepted = 0
    private var transactions = 0
    private var octets: [UInt8] = []
    /// Octets of a chunk that are still to come; nil outside one.
    private var chunkLeft: Int?
    private var isInMessage = false

    package init(_ context: SessionContext, _ script: MailServerScript, _ record: MailServerRecord) {
        self.script = script
        self.record = record
        isSecured = context.tls != nil
        record.begin()
    }

    package var patience: Duration { .seconds(60) }
    package var isAuthenticated: Bool { true }

    package mutating func connected(_ output: inout SessionOutput) -> SessionStep<String> {
        output.bytes.appendLine(script.greeting ?? "220 \(script.name) ready")
        return .ready
    }

    package mutating func received(
        _ input: Span<UInt8>, consumed: inout Int, _ output: inout SessionOutput
    ) -> SessionStep<String> {
        if let left = chunkLeft {
            for index in 0..<min(left, input.count) { octets.append(input[index]) }
            consumed = min(left, input.count)
            chunkLeft = left - consumed
            return chunkLeft == 0 ? endMessage(&output) : .needInput
        }
        var searched = 0
        guard case .line(let length, let used, _) = frameLine(input, limit: 1 << 20, searched: &searched) else {
            return .needInput
        }
        consumed = used
        let line = ByteCursor(input).array(0..<length)
        return isInMessage ? takeMessage(line, &output) : take(String(decoding: line, as: UTF8.self), &output)
    }

    private mutating func takeMessage(_ line: [UInt8], _ output: inout SessionOutput) -> SessionStep<String> {
        if line == [0x2E] { return endMessage(&output) }
        octets += (line.first == 0x2E ? line[1...] : line[...]) + [0x0D, 0x0A]
        return .ready
    }

    private mutating func endMessage(_ output: inout SessionOutput) -> SessionStep<String> {
        record.add(MailServerRecord.Message(envelope: envelope, octets: octets, isSecured: isSecured))
        let answer = script.answer(to: "MESSAGE") ?? "250 2.0.0 taken"
        guard answer != "CLOSE" else { return .close }
        for _ in 0..<(script.isLMTP ? accepted : 1) { output.bytes.appendLine(answer) }
        (envelope, octets, accepted, chunkLeft, isInMessage) = ([], [], 0, nil, false)
        return .ready
    }

    private mutating func take(_ line: String, _ output: inout SessionOutput) -> SessionStep<String> {
        record.add(line)
        let verb = line.prefix { $0 != " " }.uppercased()
        if let answer = script.answer(to: line) {
            guard answer != "CLOSE" else { return .close }
            if answer.hasPrefix("2") { note(verb, line) }
            output.bytes.appendLine(answer)
            return .ready
        }
        switch verb {
        case "EHLO", "LHLO": sayFeatures(&output)
        case "STARTTLS":
            output.bytes.appendLine("220 2.0.0 go")
            return .startTLS
        case "AUTH": output.bytes.appendLine("235 2.7.0 welcome")
        case "MAIL":
            transactions += 1
            guard transactions <= script.transactionsPerSession else { return .close }
            note(verb, line)
            output.bytes.appendLine("250 2.1.0 ok")
        case "RCPT" where envelope.isEmpty:
            output.bytes.appendLine("503 5.5.1 MAIL first")
        case "RCPT":
            note(verb, line)
            output.bytes.appendLine("250 2.1.5 ok")
        case "DATA" where accepted == 0:
            output.bytes.appendLine("503 5.5.1 no valid recipients")
        case "DATA":
            isInMessage = true
            output.bytes.appendLine("354 go")
        case "BDAT":
            chunkLeft = Int(line.split(separator: " ").dropFirst().first ?? "") ?? 0
            if chunkLeft == 0 { return endMessage(&output) }
        case "RSET":
            note(verb, line)
            output.bytes.appendLine("250 2.0.0 ok")
        case "QUIT":
            output.bytes.appendLine("221 2.0.0 bye")
            return .close
        case _: output.bytes.appendLine("250 2.0.0 ok")
        }
        return .ready
    }

    /// A command that was accepted.
    private mutating func note(_ verb: String, _ line: String) {
        switch verb {
        case "MAIL": (envelope, accepted) = ([line], 0)
        case "RCPT":
            envelope.append(line)
            accepted += 1
        case "RSET": (envelope, accepted) = ([], 0)
        case _: break
        }
    }

    private func sayFeatures(_ output: inout SessionOutput) {
        let lines = [script.name] + (isSecured ? script.securedFeatures : script.features)
        for (index, line) in lines.enumerated() {
            output.bytes.appendLine("250\(index + 1 < lines.count ? "-" : " ")\(line)")
        }
    }

    package mutating func completed(_ outcome: String, _ output: inout SessionOutput) -> SessionStep<String> { .ready }
    package mutating func produce(_ output: inout SessionOutput) -> SessionStep<String> { .ready }
    package mutating func changed(_ output: inout SessionOutput) -> SessionStep<String> { .ready }
    package mutating func timedOut(_ output: inout SessionOutput) {}
    package mutating func stopping(_ output: inout SessionOutput) {}

    package mutating func secured(_ tls: TLSDescription, _ output: inout SessionOutput) -> SessionStep<String> {
        isSecured = true
        return .ready
    }
}

/// The scripted server's work: there is none.
package struct ScriptedMailService: SessionService {
    package var name: String { "scripted" }
    package var applicationProtocols: [String] { [] }

    package init() {}

    package func perform(_ work: String, notify: @escaping @Sendable () -> Void) async -> String { work }
    package func isBrief(_ work: String) -> Bool { true }
}
