/// The record at `_mta-sts.DOMAIN` (RFC 8461 §3.1).
struct STSRecord: Sendable, Hashable {
    /// 1 to 32 letters and digits: another one, another policy.
    var id: String

    /// The domain's one record among all of its texts; nil when it has none or several, or the one is malformed.
    init?(_ texts: [[UInt8]]) {
        let candidates = texts.filter { $0.starts(with: Array("v=STSv1".utf8)) }
        guard candidates.count == 1, let record = STSRecord(candidates[0]) else { return nil }
        self = record
    }

    // sts-text-record = sts-version 1*(sts-field-delim sts-field) [sts-field-delim]
    // sts-field-delim = *WSP ";" *WSP
    // sts-field = sts-id / sts-extension
    // sts-id = %s"id=" 1*32(ALPHA / DIGIT)
    init?(_ text: [UInt8]) {
        guard let fields = PolicyText.fields(text), fields.first?.name == "v", fields.first?.value == "STSv1" else {
            return nil
        }
        guard let id = fields.first(where: { $0.name == "id" })?.value else { return nil }
        guard (1...32).contains(id.utf8.count), id.utf8.allSatisfy(PolicyText.isAlphanumeric) else { return nil }
        self.id = id
    }
}

/// What the records of MTA-STS and TLS reporting have in common.
enum PolicyText {
    /// A TXT record of policies longer than this is none; both have a few dozen octets.
    static let maximumOctets = 4096

    struct Field {
        var name: String
        var value: String
    }

    // sts-extension = sts-ext-name "=" sts-ext-value
    // sts-ext-name = (ALPHA / DIGIT) *31(ALPHA / DIGIT / "_" / "-" / ".")
    // sts-ext-value = 1*(%x21-3A / %x3C / %x3E-7E)        ; no "=", ";", SP, controls
    /// `name=value` fields with semicolons between them, one may follow the last.
    /// - Parameter allowsSpaces: in values, as between the addresses of TLS reporting.
    static func fields(_ text: [UInt8], allowsSpaces: Bool = false) -> [Field]? {
        guard text.count <= maximumOctets else { return nil }
        var parts = text.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map(trimmed)
        if parts.last?.isEmpty == true { parts.removeLast() }
        var fields: [Field] = []
        for part in parts {
            guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let name = part[..<equals]
            let value = part[part.index(after: equals)...]
            guard let first = name.first, isAlphanumeric(first), name.count <= 32, name.allSatisfy(isNameOctet),
                !value.isEmpty,
                value.allSatisfy({ (0x21...0x7E).contains($0) || allowsSpaces && ($0 == 0x20 || $0 == 0x09) })
            else { return nil }
            fields.append(
                Field(name: String(decoding: name, as: UTF8.self), value: String(decoding: value, as: UTF8.self)))
        }
        return fields
    }

    static func isAlphanumeric(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        case _: false
        }
    }

    private static func isNameOctet(_ octet: UInt8) -> Bool {
        isAlphanumeric(octet) || octet == UInt8(ascii: "_") || octet == UInt8(ascii: "-") || octet == UInt8(ascii: ".")
    }

    static func trimmed(_ part: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var part = part
        while let first = part.first, first == 0x20 || first == 0x09 { part.removeFirst() }
        while let last = part.last, last == 0x20 || last == 0x09 { part.removeLast() }
        return part
    }
}
