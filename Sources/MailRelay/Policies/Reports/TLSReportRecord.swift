import MailVocabulary

/// The record at `_smtp._tls.DOMAIN`: where a domain wants reports to go (RFC 8460 §3).
struct TLSReportRecord: Sendable, Hashable {
    enum Destination: Sendable, Hashable {
        case mail(Address)
        case web(host: String, port: Int, path: String)
    }

    /// More would make this server send someone's reports to everyone.
    static let maximumDestinations = 5

    /// At least one; those of schemes that are not known are left out.
    var destinations: [Destination]

    /// The domain's one record among all of its texts.
    init?(_ texts: [[UInt8]]) {
        let candidates = texts.filter { $0.starts(with: Array("v=TLSRPTv1".utf8)) }
        guard candidates.count == 1, let record = TLSReportRecord(candidates[0]) else { return nil }
        self = record
    }

    // tlsrpt-record = tlsrpt-version 1*(field-delim tlsrpt-field) [field-delim]
    // tlsrpt-rua = %s"rua=" tlsrpt-uri *(*WSP "," *WSP tlsrpt-uri)
    // tlsrpt-uri = URI        ; "!", "," and ";" are encoded
    init?(_ text: [UInt8]) {
        guard let fields = PolicyText.fields(text, allowsSpaces: true), fields.first?.name == "v",
            fields.first?.value == "TLSRPTv1", let list = fields.first(where: { $0.name == "rua" })?.value
        else { return nil }
        let texts = list.utf8.split(separator: UInt8(ascii: ",")).map { part in
            String(decoding: PolicyText.trimmed(Array(part)[...]), as: UTF8.self)
        }
        destinations = Array(texts.compactMap(Self.destination).prefix(Self.maximumDestinations))
        if destinations.isEmpty { return nil }
    }

    private static func destination(_ text: String) -> Destination? {
        let lower = text.asciiLowercased()
        if lower.hasPrefix("mailto:") {
            let part = text.dropFirst("mailto:".count).prefix { $0 != "?" }
            return decoded(part).flatMap { Address($0) }.map { .mail($0) }
        }
        guard lower.hasPrefix("https://") else { return nil }
        return web(text.dropFirst("https://".count))
    }

    private static func web(_ text: Substring) -> Destination? {
        let authority = text.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let path = text[authority.endIndex...].prefix { $0 != "#" }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let host = Domain(parts[0]),
            path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        guard parts.count == 2 else { return .web(host: host.name, port: 443, path: slashed(path)) }
        guard let port = UInt16(parts[1]), port > 0 else { return nil }
        return .web(host: host.name, port: Int(port), path: slashed(path))
    }

    private static func slashed(_ path: Substring) -> String { path.hasPrefix("/") ? String(path) : "/" + path }

    // pct-encoded = "%" HEXDIG HEXDIG        RFC 3986 §2.1
    private static func decoded(_ text: Substring) -> String? {
        var octets: [UInt8] = []
        var rest = text.utf8[...]
        while let first = rest.popFirst() {
            guard first == UInt8(ascii: "%") else {
                octets.append(first)
                continue
            }
            let digits = rest.prefix(2)
            guard digits.count == 2, let octet = UInt8(String(decoding: digits, as: UTF8.self), radix: 16),
                octet > 0x20, octet < 0x7F
            else { return nil }
            octets.append(octet)
            rest = rest.dropFirst(2)
        }
        return String(decoding: octets, as: UTF8.self)
    }
}
