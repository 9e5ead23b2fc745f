/// Checks trace fields against RFC 5321 §4.4 with RFC 8314 §4.3's clauses, written down from the ABNF and sharing no
/// code with what builds them. Nil from `check` means that the field conforms.
struct TraceGrammar {
    private(set) var from = ""
    private(set) var by = ""
    private(set) var clauses: [(name: String, value: String)] = []
    private(set) var date = ""

    private struct Mismatch: Error { var text: String }

    private var rest: Substring

    /// Throws what is wrong, as text.
    init(_ field: String) throws {
        rest = field[...]
        try literal("Received:")
        try fws()
        try keyword("from")
        try fws()
        from = try extendedDomain()
        try cfws()
        try keyword("by")
        try fws()
        by = try extendedDomain()
        while !rest.hasPrefix(";") { try clause() }
        try literal(";")
        try fws()
        date = try dateTime()
        try literal("\r\n")
        guard rest.isEmpty else { throw Mismatch(text: "behind the field: \(rest)") }
        try order()
    }

    subscript(name: String) -> String? { clauses.first { $0.name == name }?.value }

    // Opt-info = [Via] [With] [ID] [For] [Additional-Registered-Clauses]; "group" only right behind "tls"
    private func order() throws {
        let names = clauses.map(\.name)
        let known = ["via", "with", "id", "for", "tls", "group"]
        guard names == known.filter(names.contains) else { throw Mismatch(text: "order of clauses: \(names)") }
        if let group = names.firstIndex(of: "group") {
            guard group > 0, names[group - 1] == "tls" else { throw Mismatch(text: "group without tls") }
        }
    }

    private mutating func clause() throws {
        try cfws()
        let name = try take("a clause's name") { $0.isASCII && $0.isLetter }.lowercased()
        try fws()
        let value: String
        switch name {
        case "for": value = try path()
        case "tls": value = try tlsCipher()
        case "group": value = try dhGroup()
        case "via", "with", "id": value = try take("an atom", Self.isAtomText)
        default: throw Mismatch(text: "unknown clause \(name)")
        }
        clauses.append((name, value))
    }

    // tls-cipher = tls-cipher-name / tls-cipher-hex
    // tls-cipher-name = ALPHA *(ALPHA / DIGIT / "_")         tls-cipher-hex = "0x" 4HEXDIG
    private mutating func tlsCipher() throws -> String {
        let value = try take("a cipher suite") { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") }
        if value.hasPrefix("0x") {
            guard value.count == 6, value.dropFirst(2).allSatisfy({ $0.isHexDigit && !$0.isLowercase }) else {
                throw Mismatch(text: "tls-cipher-hex: \(value)")
            }
        } else if value.first?.isLetter != true {
            throw Mismatch(text: "tls-cipher-name: \(value)")
        }
        return value
    }

    // dh-group = ALPHA *(ALPHA / DIGIT / "_" / "-")
    private mutating func dhGroup() throws -> String {
        let value = try take("a group") { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
        guard value.first?.isLetter == true else { throw Mismatch(text: "dh-group: \(value)") }
        return value
    }

    // Extended-Domain = Domain / ( Domain FWS "(" TCP-info ")" ) / ( address-literal FWS "(" TCP-info ")" )
    // TCP-info = address-literal / ( Domain FWS address-literal )
    private mutating func extendedDomain() throws -> String {
        let isLiteral = rest.hasPrefix("[")
        let name = isLiteral ? try addressLiteral() : try domain()
        let before = rest
        guard (try? fws()) != nil, rest.hasPrefix("(") else {
            rest = before
            guard !isLiteral else { throw Mismatch(text: "address literal without TCP-info") }
            return name
        }
        try literal("(")
        if !rest.hasPrefix("[") {
            _ = try domain()
            try fws()
        }
        let address = try addressLiteral()
        try literal(")")
        return "\(name) (\(address))"
    }

    private mutating func domain() throws -> String {
        let name = try take("a domain") { $0.isLetter || $0.isNumber || "-_.".contains($0) }
        guard
            name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy({ label in
                !label.isEmpty && label.first != "-" && label.last != "-"
            })
        else { throw Mismatch(text: "domain: \(name)") }
        return name
    }

    private mutating func addressLiteral() throws -> String {
        try literal("[")
        let content = try take("an address") { $0.isHexDigit || $0.isLetter || ".:-".contains($0) }
        try literal("]")
        let isIPv4 = content.split(separator: ".").count == 4 && content.allSatisfy { $0.isNumber || $0 == "." }
        guard isIPv4 || content.hasPrefix("IPv6:") else { throw Mismatch(text: "address-literal: \(content)") }
        return "[\(content)]"
    }

    // For = CFWS "FOR" FWS ( Path / Mailbox ); here always a Path
    private mutating func path() throws -> String {
        try literal("<")
        var inQuotes = false
        var local = ""
        while let next = rest.first, inQuotes || next != "@" {
            guard next != "\r", next != "\n" else { throw Mismatch(text: "line end in a path") }
            if next == "\\" { local.append(rest.removeFirst()) }
            if next == "\"" { inQuotes.toggle() }
            guard !rest.isEmpty else { break }
            local.append(rest.removeFirst())
        }
        try literal("@")
        let host = rest.hasPrefix("[") ? try addressLiteral() : try domain()
        try literal(">")
        guard !local.isEmpty else { throw Mismatch(text: "empty local part") }
        return "\(local)@\(host)"
    }

    // date-time = day-name "," SP 1*2DIGIT SP month SP 4DIGIT SP 2DIGIT ":" 2DIGIT ":" 2DIGIT SP ("+" / "-") 4DIGIT
    private mutating func dateTime() throws -> String {
        let text = String(rest.prefix { $0 != "\r\n" })
        rest = rest.dropFirst(text.count)
        let pattern =
            /(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d [+-]\d{4}/
        guard (try? pattern.wholeMatch(in: text)) != nil else { throw Mismatch(text: "date-time: \(text)") }
        return text
    }

    private mutating func literal(_ text: String) throws {
        guard rest.hasPrefix(text) else { throw Mismatch(text: "expected \(text) at \(rest.prefix(20))") }
        rest = rest.dropFirst(text.count)
    }

    private mutating func keyword(_ word: String) throws {
        guard rest.prefix(word.count).lowercased() == word else { throw Mismatch(text: "expected \(word)") }
        rest = rest.dropFirst(word.count)
    }

    /// FWS = ([*WSP CRLF] 1*WSP)
    private mutating func fws() throws {
        let start = rest
        rest = rest.drop { $0 == " " || $0 == "\t" }
        if rest.first == "\r\n" {
            rest = rest.dropFirst()
            let folded = rest.drop { $0 == " " || $0 == "\t" }
            guard folded.count < rest.count else { throw Mismatch(text: "fold without space") }
            rest = folded
        } else if rest.count == start.count {
            throw Mismatch(text: "expected FWS at \(rest.prefix(20))")
        }
    }

    /// No comments are written outside Extended-Domain.
    private mutating func cfws() throws { try fws() }

    private mutating func take(_ what: String, _ predicate: (Character) -> Bool) throws -> String {
        let taken = rest.prefix(while: predicate)
        guard !taken.isEmpty else { throw Mismatch(text: "expected \(what) at \(rest.prefix(20))") }
        rest = rest.dropFirst(taken.count)
        return String(taken)
    }

    private static func isAtomText(_ character: Character) -> Bool {
        character.isASCII && (character.isLetter || character.isNumber || "!#$%&'*+-/=?^_`{|}~".contains(character))
    }
}
