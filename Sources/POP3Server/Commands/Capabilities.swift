import MailVocabulary
import POP3Syntax
import SASL
import WireFraming

// What the server tells of itself and how it speaks: CAPA, UTF8, LANG, NOOP, and words that are no command.
extension POP3Session {
    // "CAPA"          RFC 2449 §5
    mutating func listCapabilities(_ output: inout SessionOutput) -> Step {
        output.bytes.ok("capabilities follow")
        for capability in capabilities { capability.write(to: &output.bytes) }
        output.bytes.appendTerminator()
        return .ready
    }

    /// What may be used now: a client that has no TLS is not told of ways to show a password.
    private var capabilities: [POP3Capability] {
        let always: [POP3Capability] = [
            .top, .uidl, .respCodes, .authRespCode, .pipelining, .expireNever, .loginDelay(seconds: 0), .utf8User,
            .lang, .implementation("latchmaild"),
        ]
        let mechanisms = mechanisms
        var ways: [POP3Capability] = tls == nil && context.canStartTLS ? [.stls] : []
        if mechanisms.contains(where: { $0.revealsPassword }) { ways.append(.user) }
        if !mechanisms.isEmpty { ways.append(.sasl(mechanisms)) }
        return ways + always
    }

    // "UTF8"          RFC 6856 §2.1
    mutating func enableUTF8(_ output: inout SessionOutput) -> Step {
        guard case .authorization(var client) = takeState() else { return .close }
        client.isUTF8 = true
        state = .authorization(client)
        output.bytes.ok("UTF-8 enabled")
        return .ready
    }

    // "LANG" [SP (language-range / "*")]          RFC 6856 §3.2
    /// All texts are English, which is what both tags stand for: there is nothing to remember.
    mutating func chooseLanguage(_ range: String?, _ output: inout SessionOutput) -> Step {
        switch range?.asciiLowercased() {
        case nil:
            output.bytes.ok("languages follow")
            output.bytes.appendLine("en English")
            output.bytes.appendLine("i-default Default language, English")
            output.bytes.appendTerminator()
        case "*", "en": output.bytes.ok("en language selected")
        case "i-default": output.bytes.ok("i-default language selected")
        case .some: output.bytes.error("no such language")
        }
        return .ready
    }

    // "NOOP"          RFC 1939 §5
    mutating func noop(_ output: inout SessionOutput) -> Step {
        output.bytes.ok("nothing done")
        return .ready
    }

    mutating func unknownCommand(_ line: Span<UInt8>, in phase: Phase, _ output: inout SessionOutput) -> Step {
        switch phase {
        case .authorization where isHTTPMethod(line):
            // A browser that was made to connect here: it gets no byte more.
            state = .closed
            output.events.append(.violation("HTTP request"))
            return .close
        case .authorization, .transaction:
            return mistake("unknown command", &output)
        }
    }
}

/// Whether the first word is a method of HTTP (RFC 9110 §9, RFC 5789), or begins the preface of HTTP/2.
private func isHTTPMethod(_ line: Span<UInt8>) -> Bool {
    var cursor = ByteCursor(line)
    let word = cursor.text(cursor.take(while: { $0 != 0x20 })).asciiLowercased()
    return ["get", "post", "head", "put", "delete", "options", "connect", "trace", "patch", "pri"].contains(word)
}
