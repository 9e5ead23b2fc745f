import Foundation
package import MailVocabulary

/// A report as mail, to be taken in like users' mail: filters sign it (RFC 8460 §3 wants DKIM).
package struct TLSReportMail: Sendable, Hashable {
    /// The contact; also the envelope's reverse-path.
    package var sender: Address
    package var recipients: [Address]
    /// A whole message: lines end with CRLF, and are short.
    package var content: [UInt8]
}

extension TLSReportMail {
    /// RFC 8460 §5.3. `TLS-Required: No`: a domain whose TLS is broken must still get to know of it.
    init(_ report: TLSReport, sender: Address, recipients: [Address], gzip: [UInt8], at now: Int64) {
        self.sender = sender
        self.recipients = recipients
        let boundary = "=_report_\(report.identifier)"
        let encoded = Data(gzip).base64EncodedString(options: [
            .lineLength76Characters, .endLineWithCarriageReturn, .endLineWithLineFeed,
        ])
        let lines =
            Self.header(report, sender, recipients, boundary, now) + [
                "",
                "--\(boundary)",
                "Content-Type: text/plain; charset=us-ascii",
                "",
                "This is a report on how TLS went when \(report.submitter) sent mail to",
                "\(report.domain), as asked for at _smtp._tls.\(report.domain) (RFC 8460).",
                "",
                "--\(boundary)",
                "Content-Type: application/tlsrpt+gzip",
                "Content-Transfer-Encoding: base64",
                "Content-Disposition: attachment;",
                " filename=\"\(report.fileName)\"",
                "",
                encoded,
                "--\(boundary)--",
                "",
            ]
        content = Array(lines.joined(separator: "\r\n").utf8)
    }

    private static func header(
        _ report: TLSReport, _ sender: Address, _ recipients: [Address], _ boundary: String, _ now: Int64
    ) -> [String] {
        [
            "From: <\(sender)>",
            "To: " + recipients.map { "<\($0)>" }.joined(separator: ",\r\n "),
            "Date: \(date(now))",
            "Message-ID: <\(report.identifier)@\(report.submitter)>",
            "Subject: Report Domain: \(report.domain)",
            " Submitter: \(report.submitter)",
            " Report-ID: <\(report.identifier)@\(report.submitter)>",
            "TLS-Report-Domain: \(report.domain)",
            "TLS-Report-Submitter: \(report.submitter)",
            "TLS-Required: No",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: multipart/report; report-type=\"tlsrpt\";",
            " boundary=\"\(boundary)\"",
        ]
    }

    // date-time = [ day-of-week "," ] date time [CFWS]        RFC 5322 §3.3
    private static func date(_ now: Int64) -> String {
        let date = CivilDate(secondsSinceEpoch: now)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(CivilDate.weekdayNames[date.weekday]), \(date.day) \(CivilDate.monthNames[date.month - 1]) \(date.year) "
            + "\(two(date.hour)):\(two(date.minute)):\(two(date.second)) +0000"
    }
}
