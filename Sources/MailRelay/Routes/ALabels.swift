import Foundation
import MailVocabulary
import SMTPSyntax

/// Domains as DNS and servers without SMTPUTF8 know them (RFC 6531 §3.2, RFC 5891 §4).
enum ALabels {
    /// A domain with its U-labels written as A-labels; nil when it cannot be. Names are taken in lower case and composed
    /// form, as they are written; whether they are registered is for DNS to say.
    static func domain(_ name: String) -> String? {
        guard !name.utf8.allSatisfy({ $0 < 0x80 }) else { return name }
        let labels = name.lowercased().precomposedStringWithCanonicalMapping.split(
            separator: ".", omittingEmptySubsequences: false)
        var written: [String] = []
        for label in labels {
            if label.utf8.allSatisfy({ $0 < 0x80 }) {
                written.append(String(label))
                continue
            }
            // A label that claims to be one already, or has no U-label's characters, is neither (RFC 5890 §2.3.2.1).
            guard !label.hasPrefix("xn--"), label.unicodeScalars.allSatisfy(isLabelCharacter),
                let encoded = Punycode.encode(label), encoded.utf8.count <= 59
            else { return nil }
            written.append("xn--" + encoded)
        }
        return written.joined(separator: ".")
    }

    /// The mailbox as a server without SMTPUTF8 can be told; nil when its local part is not ASCII.
    static func mailbox(_ mailbox: SMTPMailbox) -> SMTPMailbox? {
        guard !mailbox.isASCII else { return mailbox }
        guard case .domain(let domain) = mailbox.host, mailbox.localPart.utf8.allSatisfy({ $0 < 0x80 }),
            let ascii = ALabels.domain(domain.name).flatMap({ Domain($0) })
        else { return nil }
        return SMTPMailbox(localPart: mailbox.localPart, host: .domain(ascii))
    }

    /// Letters, marks, digits and joiners: no symbols, separators or controls, which can look like others or nothing.
    private static func isLabelCharacter(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .lowercaseLetter, .otherLetter, .modifierLetter, .nonspacingMark, .spacingMark, .decimalNumber: true
        case _:
            scalar == "-" || scalar == "\u{200C}" || scalar == "\u{200D}" || scalar == "\u{B7}" || scalar == "\u{30FB}"
        }
    }
}
