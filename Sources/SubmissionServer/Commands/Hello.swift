import MailDelivery
import MailVocabulary
import SASL
import SMTPSyntax
import WireFraming

// EHLO and HELO (RFC 5321 §4.1.1.1), LHLO (RFC 2033 §4.1). All end a transaction, none an authentication (RFC 4954 §3).
extension SubmissionSession {
    mutating func serveEhlo(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        guard let name = try? ClientName(parsing: arguments) else { return refuse(.badArgument, &output) }
        (client, isExtended) = (name, true)
        endTransaction()
        return offered.contains(.futureRelease) ? .perform(.time) : answer(greeting(at: nil), &output)
    }

    mutating func serveHelo(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        guard let name = try? ClientName(parsing: arguments) else { return refuse(.badArgument, &output) }
        (client, isExtended) = (name, false)
        endTransaction()
        return answer(SMTPReply(250, lines: [context.hostname]), &output)
    }

    mutating func endTransaction() { (transaction, reception) = (nil, nil) }

    /// Extensions that bring parameters or commands, where they hold: what a message's further way is asked of needs
    /// TLS and a queue that goes elsewhere.
    var offered: SMTPExtensions {
        guard !isLMTP else { return [.chunking, .binaryMIME] }
        guard isSecured else { return [] }
        var offered: SMTPExtensions = [.chunking, .binaryMIME]
        if !mechanisms.isEmpty { offered.insert(.authentication) }
        if offersURLs { offered.insert(.burl) }
        guard acceptance.settings.relaysElsewhere else { return offered }
        offered.formUnion([.notifications, .requireTLS, .deliverBy, .priority])
        if settings.maximumHold != nil { offered.insert(.futureRelease) }
        return offered
    }

    /// The answer to EHLO. STARTTLS only where it can succeed, AUTH only where nobody listens.
    func greeting(at time: Timestamp?) -> SMTPReply {
        var lines = [
            context.hostname, "PIPELINING", "SIZE \(settings.maximumMessageSize)", "8BITMIME", "ENHANCEDSTATUSCODES",
            "SMTPUTF8",
        ]
        let offered = offered
        if offered.contains(.chunking) {
            lines += ["CHUNKING", "BINARYMIME", "LIMITS RCPTMAX=\(settings.maximumRecipients)"]
        }
        if offered.contains(.notifications) { lines.append("DSN") }
        if offered.contains(.requireTLS) { lines.append("REQUIRETLS") }
        if offered.contains(.deliverBy) { lines.append("DELIVERBY \(settings.minimumDeliverBy)") }
        if offered.contains(.priority) { lines.append("MT-PRIORITY MIXER") }
        if let time, let hold = settings.maximumHold {
            let last = Timestamp(seconds: time.seconds + hold)
            lines.append("FUTURERELEASE \(hold) \(last.internetDate)")
        }
        if offered.contains(.burl) { lines.append("BURL imap") }
        if offered.contains(.authentication) {
            lines.append("AUTH " + mechanisms.map(\.rawValue).joined(separator: " "))
        }
        if !isLMTP, !isSecured, context.canStartTLS { lines.append("STARTTLS") }
        return SMTPReply(250, lines: lines)
    }
}
