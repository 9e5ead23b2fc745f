package import WireFraming

/// The last two parts of an enhanced status code (RFC 3463 §2); the first is the reply code's first digit, so that the
/// two can never disagree (RFC 2034 §4).
package struct EnhancedStatus: Sendable, Hashable {
    package let subject: UInt16
    package let detail: UInt16

    package init(_ subject: UInt16, _ detail: UInt16) {
        self.subject = subject
        self.detail = detail
    }
}

/// A server's answer. Its text is this program's own, or a filter's: nothing a client sent goes into one.
package struct SMTPReply: Sendable, Hashable {
    /// 200...599
    package let code: UInt16
    /// Nil in greetings, answers to EHLO and HELO, and 3xx replies (RFC 2034 §4).
    package let status: EnhancedStatus?
    /// Never empty.
    package let lines: [String]

    package init(_ code: UInt16, _ status: EnhancedStatus?, _ text: String) {
        self.code = code
        self.status = status
        lines = [text]
    }

    /// - Parameter lines: at least one.
    package init(_ code: UInt16, _ status: EnhancedStatus?, lines: [String]) {
        self.code = code
        self.status = status
        self.lines = lines
    }

    /// Several lines without enhanced codes, as EHLO answers.
    package init(_ code: UInt16, lines: [String]) {
        self.code = code
        status = nil
        self.lines = lines
    }

    // Reply-line = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF      RFC 5321 §4.2
    // status-code ::= class "." subject "." detail, ahead of each line's text                     RFC 2034 §4
    package func write(to output: inout OutputBuffer) {
        for (index, line) in lines.enumerated() {
            output.append(decimal: Int(code))
            output.append(index + 1 < lines.count ? "-" : " ")
            if let status {
                output.append(decimal: Int(code / 100))
                output.append(".")
                output.append(decimal: Int(status.subject))
                output.append(".")
                output.append(decimal: Int(status.detail))
                output.append(" ")
            }
            output.appendLine(line)
        }
    }
}
