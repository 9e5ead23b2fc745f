import TLSPolicy
import WireFraming

/// The smallest protocol: a line is echoed; `STARTTLS`, `WORK`, `FLOOD n`, `WATCH`, `STORM`, `COMPRESS`,
/// `PLAIN` and `QUIT` exercise each step.
struct EchoSession: ProtocolSession, ~Copyable {
    let context: SessionContext
    var tls: TLSDescription?
    var left = 0
    var isInStorm = false
    var isAuthenticated = false
    var patience: Duration

    init(_ context: SessionContext, patience: Duration = .seconds(30)) {
        self.context = context
        self.patience = patience
        tls = context.tls
    }

    mutating func connected(_ output: inout SessionOutput) -> SessionStep<String> {
        output.bytes.appendLine("hello \(summary)")
        return .ready
    }

    var summary: String {
        guard let tls else { return "cleartext" }
        return [
            tls.version.rawValue, tls.cipherSuite?.nameOrNumber ?? "?", tls.group?.name ?? "?",
            tls.isResumed ? "resumed" : "new", tls.serverName ?? "-", tls.applicationProtocol ?? "-",
        ].joined(separator: " ")
    }

    mutating func received(
        _ input: Span<UInt8>, consumed: inout Int, _ output: inout SessionOutput
    ) -> SessionStep<String> {
        var searched = 0
        guard case .line(let length, let used, _) = frameLine(input, limit: 1000, searched: &searched) else {
            return .needInput
        }
        consumed = used
        let line = String(decoding: (0..<length).map { input[$0] }, as: UTF8.self)
        switch line.split(separator: " ").first ?? "" {
        case "PEER":
            output.bytes.appendLine(context.peer)
            return .ready
        case "STARTTLS":
            if used < input.count {
                output.events.append(.violation("input behind STARTTLS"))
                output.bytes.appendLine("no")
                return .close
            }
            output.bytes.appendLine("go")
            return .startTLS
        case "COMPRESS":
            output.bytes.appendLine("squeezed")
            return .startCompression
        case "PLAIN":
            isAuthenticated = false
            output.events.append(.unauthenticated)
            output.bytes.appendLine("plain")
            return .stopCompression
        case "WORK": return .perform(line)
        case "WATCH": return .perform("watch")
        case "STORM":
            isInStorm = true
            return .perform("storm")
        case "FLOOD":
            left = Int(line.dropFirst(6)) ?? 0
            return .produce
        case "LOGIN":
            isAuthenticated = true
            output.events.append(.authenticated(login: "someone", mechanism: "TEST"))
            output.bytes.appendLine("in")
            return .ready
        case "QUIT":
            output.bytes.appendLine("bye")
            return .close
        case _:
            output.bytes.appendLine(line)
            return .ready
        }
    }

    mutating func completed(_ outcome: String, _ output: inout SessionOutput) -> SessionStep<String> {
        output.bytes.appendLine(outcome)
        return .ready
    }

    mutating func produce(_ output: inout SessionOutput) -> SessionStep<String> {
        let count = min(left, productionChunk)
        output.bytes.append([UInt8](repeating: UInt8(ascii: "x"), count: count))
        left -= count
        guard left == 0 else { return .produce }
        output.bytes.appendLineEnd()
        return .ready
    }

    mutating func secured(_ tls: TLSDescription, _ output: inout SessionOutput) -> SessionStep<String> {
        self.tls = tls
        return .ready
    }

    mutating func changed(_ output: inout SessionOutput) -> SessionStep<String> {
        output.bytes.appendLine("changed" + String(repeating: "!", count: isInStorm ? 4096 : 0))
        return .ready
    }

    mutating func timedOut(_ output: inout SessionOutput) { output.bytes.appendLine("too slow") }
    mutating func stopping(_ output: inout SessionOutput) { output.bytes.appendLine("stopping") }
}

struct EchoService: SessionService {
    let name = "echo"
    var applicationProtocols = ["echo"]

    // Both ways are taken.
    func isBrief(_ work: String) -> Bool { work.utf8.count.isMultiple(of: 2) }

    func perform(_ work: String, notify: @escaping @Sendable () -> Void) async -> String {
        if work == "watch" {
            Task {
                try await Task.sleep(for: .milliseconds(50))
                notify()
            }
            return "watching"
        }
        if work == "storm" {
            Task {
                let end = ContinuousClock.now + .seconds(1)
                while ContinuousClock.now < end {
                    notify()
                    await Task.yield()
                }
            }
            return "storming"
        }
        try? await Task.sleep(for: .milliseconds(work.contains("slowly") ? 300 : 5))
        return "done \(work)"
    }
}
