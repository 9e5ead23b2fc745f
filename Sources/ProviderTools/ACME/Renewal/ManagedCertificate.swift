import MailDNS
import MailVocabulary

/// One certificate that is kept valid: its names, the first of which names it too.
package struct ManagedCertificate: Sendable, Hashable {
    /// Lower case, ASCII; wildcards as `*.example.org`.
    package var names: [String]

    /// Reads names with spaces between. Nil for what are none, too many, or one of them twice.
    package init?(_ text: String) {
        names = []
        for word in text.split(separator: " ") {
            guard let name = Self.name(String(word)), !names.contains(name) else { return nil }
            names.append(name)
        }
        guard !names.isEmpty, names.count <= CertificateOrder.maximumNames else { return nil }
    }

    /// How commands and files call it.
    package var name: String { names[0].replacing("*", with: "_") }

    package var hasWildcard: Bool { names.contains { $0.hasPrefix("*.") } }

    private static func name(_ text: String) -> String? {
        let isWildcard = text.hasPrefix("*.")
        let host = isWildcard ? String(text.dropFirst(2)) : text
        // Domain names are ASCII when they have been read; a single label gets no certificate from anybody.
        guard let domain = Domain(host), domain.name.contains("."), DNSName.isAskable(domain.name), !host.hasPrefix("[")
        else { return nil }
        return (isWildcard ? "*." : "") + domain.name.lowercased()
    }
}
