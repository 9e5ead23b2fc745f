import MailDNS
import MailVocabulary
import SMTPSyntax

/// Domains as DNS and servers without SMTPUTF8 know them (RFC 6531 §3.2, RFC 5891 §4).
enum ALabels {
    /// The mailbox as a server without SMTPUTF8 can be told; nil when its local part is not ASCII.
    static func mailbox(_ mailbox: SMTPMailbox) -> SMTPMailbox? {
        guard !mailbox.isASCII else { return mailbox }
        guard case .domain(let domain) = mailbox.host, mailbox.localPart.utf8.allSatisfy({ $0 < 0x80 }),
            let ascii = DNSName.ascii(domain.name).flatMap({ Domain($0) })
        else { return nil }
        return SMTPMailbox(localPart: mailbox.localPart, host: .domain(ascii))
    }
}
