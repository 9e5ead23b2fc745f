package import MailVocabulary

/// A delivery status notification (RFC 3464, RFC 6533): what became of some recipients of one message, all of them the
/// same. Lines end with CRLF and have no octet above 127 unless that is allowed.
package struct DeliveryReport: Sendable {
    package enum Action: String, Sendable {
        case failed, delayed, delivered, relayed, expanded
    }

    package struct Recipient: Sendable {
        /// As in the envelope, without brackets.
        package var address: String
        /// ORCPT with its type: `rfc822;user@example.net`.
        package var original: String?
        /// X.Y.Z (RFC 3463).
        package var status: String
        /// The peer's reply, or the server's own words.
        package var diagnostic: String?
        package var remoteHost: String?
        package var lastAttempt: Timestamp?

        package init(
            address: String, original: String? = nil, status: String, diagnostic: String? = nil,
            remoteHost: String? = nil, lastAttempt: Timestamp? = nil
        ) {
            self.address = address
            self.original = original
            self.status = status
            self.diagnostic = diagnostic
            self.remoteHost = remoteHost
            self.lastAttempt = lastAttempt
        }
    }

    package var action: Action
    /// The host that reports.
    package var host: String
    /// Whom it is for.
    package var sender: String
    package var recipients: [Recipient]
    package var date: Timestamp
    /// Without brackets.
    package var messageID: String
    /// Must not be guessable by who wrote the message that is returned.
    package var boundary: String
    /// ENVID, decoded.
    package var envelopeIdentifier: String?
    /// When the message came.
    package var arrival: Timestamp
    /// For delays: until when delivery will be tried.
    package var retryUntil: Timestamp?
    /// What is returned of the message, beginning with its header.
    package var returned: [UInt8]
    /// Whether `returned` is the whole message, and that is to be returned; its header otherwise.
    package var returnsAll = false
    package var allowsEightBit = false
    /// Of a failure of which the message's sender cannot be told.
    package var isForPostmaster = false

    package init(
        _ action: Action, host: String, sender: String, recipients: [Recipient], date: Timestamp, messageID: String,
        boundary: String, arrival: Timestamp, returned: [UInt8]
    ) {
        self.action = action
        self.host = host
        self.sender = sender
        self.recipients = recipients
        self.date = date
        self.messageID = messageID
        self.boundary = boundary
        self.arrival = arrival
        self.returned = returned
    }

    /// Its own header needs SMTPUTF8.
    package var isInternationalized: Bool { !sender.utf8.allSatisfy { $0 < 0x80 } }

    package func encoded() -> [UInt8] {
        var writer = ReportWriter()
        writeHeader(&writer)
        writer.line("--\(boundary)")
        writeExplanation(&writer)
        writer.line("--\(boundary)")
        writer.line("Content-Type: message/delivery-status")
        writer.line("")
        writeStatus(&writer)
        writer.line("--\(boundary)")
        ReturnedPart(returned, isWhole: returnsAll, allowsEightBit: allowsEightBit).write(to: &writer)
        writer.line("--\(boundary)--")
        return writer.bytes
    }

    private func writeHeader(_ writer: inout ReportWriter) {
        writer.line("From: Mail Delivery System <MAILER-DAEMON@\(host)>")
        writer.line("To: <\(sender)>")
        writer.line("Subject: \(subject)")
        writer.line("Date: \(date.messageDate)")
        writer.line("Message-ID: <\(messageID)>")
        if let original = originalMessageID {
            writer.line("In-Reply-To: \(original)")
            writer.line("References: \(original)")
        }
        writer.line("Auto-Submitted: auto-replied")
        writer.line("MIME-Version: 1.0")
        writer.line("Content-Type: multipart/report; report-type=delivery-status;")
        writer.line("\tboundary=\"\(boundary)\"")
        writer.line("")
        writer.line("This is a delivery status notification in MIME format.")
        writer.line("")
    }

    private var subject: String {
        switch action {
        case .failed where isForPostmaster: "A message could not be delivered, and its sender cannot be told"
        case .failed: "Your message could not be delivered"
        case .delayed: "Your message is delayed"
        case .delivered: "Your message has been delivered"
        case .relayed, .expanded: "Your message has been handed on"
        }
    }

    /// Nil unless there is one that fits a line and is of printable ASCII.
    private var originalMessageID: String? {
        guard let value = headerValue(Array("message-id".utf8), in: returned.span) else { return nil }
        let text = String(decoding: value, as: UTF8.self).split(separator: " ").joined()
        guard text.utf8.count <= 900, text.hasPrefix("<"), text.hasSuffix(">"),
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return text
    }

    // per-message-fields =
    //     [ original-envelope-id-field CRLF ] reporting-mta-field CRLF [ dsn-gateway-field CRLF ]
    //     [ received-from-mta-field CRLF ] [ arrival-date-field CRLF ] *( extension-field CRLF )     RFC 3464 §2.2
    private func writeStatus(_ writer: inout ReportWriter) {
        if let envelopeIdentifier { writer.field("Original-Envelope-Id", envelopeIdentifier) }
        // RFC 3461 §6.3: "dns" is for full names only.
        writer.field("Reporting-MTA", "\(host.contains(".") ? "dns" : "x-local-hostname"); \(host)")
        writer.field("Arrival-Date", arrival.messageDate)
        writer.line("")
        for recipient in recipients {
            write(recipient, &writer)
            writer.line("")
        }
    }

    // per-recipient-fields =
    //     [ original-recipient-field CRLF ] final-recipient-field CRLF action-field CRLF status-field CRLF
    //     [ remote-mta-field CRLF ] [ diagnostic-code-field CRLF ] [ last-attempt-date-field CRLF ]
    //     [ final-log-id-field CRLF ] [ will-retry-until-field CRLF ] *( extension-field CRLF )     RFC 3464 §2.3
    private func write(_ recipient: Recipient, _ writer: inout ReportWriter) {
        if let original = recipient.original { writer.field("Original-Recipient", ReportWriter.asciiAddress(original)) }
        let isASCII = recipient.address.utf8.allSatisfy { $0 < 0x80 }
        // RFC 6533 §3: utf-8-addr-xtext, which any transport carries.
        writer.field(
            "Final-Recipient",
            "\(isASCII ? "rfc822" : "utf-8"); \(ReportWriter.asciiAddress(recipient.address))")
        writer.field("Action", action.rawValue)
        writer.field("Status", recipient.status)
        if let host = recipient.remoteHost {
            let isName = Domain(host) != nil || host.hasPrefix("[")
            writer.field("Remote-MTA", "\(isName ? "dns" : "x-local-hostname"); \(host)")
        }
        if let diagnostic = recipient.diagnostic, !diagnostic.isEmpty {
            let isReply = recipient.remoteHost != nil && diagnostic.utf8.prefix(3).allSatisfy { 0x30...0x39 ~= $0 }
            writer.field("Diagnostic-Code", "\(isReply ? "smtp" : "x-latchmail"); \(diagnostic)")
        }
        if let time = recipient.lastAttempt { writer.field("Last-Attempt-Date", time.messageDate) }
        if action == .delayed, let retryUntil { writer.field("Will-Retry-Until", retryUntil.messageDate) }
    }

    // The human part

    private func writeExplanation(_ writer: inout ReportWriter) {
        let text = explanation
        guard text.utf8.allSatisfy({ $0 < 0x80 }) else {
            writer.line("Content-Type: text/plain; charset=utf-8")
            writer.line("Content-Transfer-Encoding: base64")
            writer.line("")
            return writer.base64(Array(text.utf8))
        }
        writer.line("Content-Type: text/plain; charset=us-ascii")
        writer.line("")
        writer.raw(Array(text.utf8))
    }

    private var explanation: String {
        var lines = ["This is the mail system at \(host).", ""]
        lines += wrapped(introduction)
        lines.append("")
        for recipient in recipients {
            lines.append("  <\(recipient.address)>")
            let said = recipient.remoteHost.map { " (\($0) said so)" } ?? ""
            if action != .delivered, let diagnostic = recipient.diagnostic, !diagnostic.isEmpty {
                lines += wrapped(ReportWriter.printable(diagnostic) + said).map { "      \($0)" }
            }
        }
        lines.append("")
        if let retryUntil, action == .delayed {
            lines += wrapped("You need not send it again: delivery will be tried until \(retryUntil.messageDate).")
            lines.append("")
        }
        return lines.map { $0 + "\r\n" }.joined()
    }

    private var introduction: String {
        switch action {
        case .failed where isForPostmaster:
            "A message could not be delivered to these recipients. It has no sender who could be told, or the sender's "
                + "mailbox takes no mail, so you are."
        case .failed:
            "Your message could not be delivered to these recipients, and will not be tried again. "
                + "What is known of the reason stands below each."
        case .delayed:
            "Your message has not been delivered to these recipients yet."
        case .delivered:
            "Your message has been delivered to these recipients, as you asked to be told."
        case .relayed, .expanded:
            "Your message has been handed on to a mail system that sends no confirmation of delivery to these "
                + "recipients. You may hear of it only if something goes wrong."
        }
    }

    /// Lines of at most 72 octets where words allow it, and 900 at most.
    private func wrapped(_ text: String) -> [String] {
        var lines = [""]
        for word in text.split(separator: " ").flatMap({ ReportWriter.pieces(String($0)) }) {
            let last = lines[lines.count - 1]
            if last.isEmpty {
                lines[lines.count - 1] = word
            } else if last.utf8.count + word.utf8.count < 72 {
                lines[lines.count - 1] = last + " " + word
            } else {
                lines.append(word)
            }
        }
        return lines
    }
}
