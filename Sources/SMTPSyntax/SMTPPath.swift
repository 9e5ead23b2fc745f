package import MailVocabulary
package import WireFraming

/// A mailbox as it stands in a path (RFC 5321 §4.1.2, RFC 6531 §3.3).
package struct SMTPMailbox: Sendable, Hashable, CustomStringConvertible {
    package enum Host: Sendable, Hashable {
        case domain(Domain)
        case literal(AddressLiteral)
    }

    /// Unquoted.
    package let localPart: String
    package let host: Host

    package init(localPart: String, host: Host) {
        self.localPart = localPart
        self.host = host
    }

    package init(_ address: Address) { self.init(localPart: address.localPart, host: .domain(address.domain)) }

    /// Nil at an address literal.
    package var address: Address? {
        switch host {
        case .domain(let domain): Address(localPart: localPart, domain: domain)
        case .literal: nil
        }
    }

    package var isASCII: Bool { description.utf8.allSatisfy { $0 < 0x80 } }

    /// `local@host`, quoted where needed: fit for a path or a trace field.
    package var description: String {
        switch host {
        case .domain(let domain):
            return Address(localPart: localPart, domain: domain).description
        case .literal(let literal):
            // Quoting does not depend on the domain: borrow Address's.
            guard !Address.isDotAtom(localPart), let stand = Domain("x") else { return "\(localPart)@\(literal)" }
            return Address(localPart: localPart, domain: stand).description.dropLast(1) + literal.description
        }
    }
}

package enum ReversePath: Sendable, Hashable {
    /// `<>`: notifications, which must not be answered by others (RFC 5321 §4.5.5).
    case null
    case mailbox(SMTPMailbox)

    /// Nil without one, and at an address literal.
    package var address: Address? {
        switch self {
        case .null: nil
        case .mailbox(let mailbox): mailbox.address
        }
    }

    /// As in `Return-Path`, with brackets.
    package var text: String {
        switch self {
        case .null: "<>"
        case .mailbox(let mailbox): "<\(mailbox)>"
        }
    }

    package var isASCII: Bool {
        switch self {
        case .null: true
        case .mailbox(let mailbox): mailbox.isASCII
        }
    }
}

package enum ForwardPath: Sendable, Hashable {
    /// `<Postmaster>` without a domain (RFC 5321 §4.5.1).
    case postmaster
    case mailbox(SMTPMailbox)

    package var isASCII: Bool {
        switch self {
        case .postmaster: true
        case .mailbox(let mailbox): mailbox.isASCII
        }
    }
}

extension ByteCursor {
    /// RFC 5321 §4.5.3.1.3, with brackets and source route.
    static var maximumPathLength: Int { 256 }

    // Reverse-path = Path / "<>"                                              RFC 5321 §4.1.2
    @_lifetime(self: copy self)
    package mutating func reversePath() throws(SMTPSyntaxError) -> ReversePath {
        let start = position
        guard take(UInt8(ascii: "<")) else { throw .badPath }
        if take(UInt8(ascii: ">")) { return .null }
        return .mailbox(try restOfPath(from: start))
    }

    // Forward-path = Path         "<Postmaster>" / "<Postmaster@" Domain ">"  RFC 5321 §4.1.1.3
    @_lifetime(self: copy self)
    package mutating func forwardPath() throws(SMTPSyntaxError) -> ForwardPath {
        let start = position
        guard take(UInt8(ascii: "<")) else { throw .badPath }
        if take(word: "POSTMASTER>") { return .postmaster }
        return .mailbox(try restOfPath(from: start))
    }

    // Path = "<" [ A-d-l ":" ] Mailbox ">"         A-d-l = At-domain *( "," At-domain )
    // The source route is accepted and ignored (RFC 5321 §3.6.1).
    @_lifetime(self: copy self)
    private mutating func restOfPath(from start: Int) throws(SMTPSyntaxError) -> SMTPMailbox {
        if peek == UInt8(ascii: "@") {
            repeat {
                guard take(UInt8(ascii: "@")), domain() != nil else { throw .badPath }
            } while take(UInt8(ascii: ","))
            guard take(UInt8(ascii: ":")) else { throw .badPath }
        }
        let mailbox = try smtpMailbox()
        guard take(UInt8(ascii: ">")), position - start <= Self.maximumPathLength else { throw .badPath }
        return mailbox
    }

    // Mailbox = Local-part "@" ( Domain / address-literal )
    @_lifetime(self: copy self)
    mutating func smtpMailbox() throws(SMTPSyntaxError) -> SMTPMailbox {
        let localPart = peek == UInt8(ascii: "\"") ? quotedString() : dotString()
        guard let localPart, localPart.utf8.count <= Address.maximumLocalPartLength, take(UInt8(ascii: "@"))
        else { throw .badPath }
        if let literal = addressLiteral() { return SMTPMailbox(localPart: localPart, host: .literal(literal)) }
        guard let domain = domain() else { throw .badPath }
        return SMTPMailbox(localPart: localPart, host: .domain(domain))
    }

    // Dot-string = Atom *("."  Atom)         atext =/ UTF8-non-ascii (RFC 6531 §3.3)
    @_lifetime(self: copy self)
    private mutating func dotString() -> String? {
        let range = take { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "@") && $0 != UInt8(ascii: ">") }
        guard range.count <= Address.maximumLocalPartLength,
            let text = String(validating: array(range), as: UTF8.self), Address.isDotAtom(text)
        else { return nil }
        return text
    }

    // Quoted-string = DQUOTE *QcontentSMTP DQUOTE         quoted-pairSMTP = %d92 %d32-126
    // qtextSMTP = %d32-33 / %d35-91 / %d93-126 / UTF8-non-ascii
    @_lifetime(self: copy self)
    private mutating func quotedString() -> String? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        var content: [UInt8] = []
        while let byte = peek, content.count <= Address.maximumLocalPartLength {
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                return String(validating: content, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard let escaped = peek, (32...126).contains(escaped) else { return nil }
                position += 1
                content.append(escaped)
            case 32...126, 0x80...0xFF:
                content.append(byte)
            case _:
                return nil
            }
        }
        return nil
    }

    // Domain = sub-domain *("." sub-domain)         sub-domain =/ U-label (RFC 6531 §3.3)
    @_lifetime(self: copy self)
    mutating func domain() -> Domain? {
        let range = take { isLetter($0) || isDigit($0) || $0 >= 0x80 || "-_.".utf8.contains($0) }
        guard range.count <= Domain.maximumLength, let text = String(validating: array(range), as: UTF8.self)
        else { return nil }
        return Domain(text)
    }

    /// Nil, with nothing taken, when there is none.
    @_lifetime(self: copy self)
    mutating func addressLiteral() -> AddressLiteral? {
        let start = position
        guard take(UInt8(ascii: "[")) else { return nil }
        let range = take { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "]") }
        guard range.count <= AddressLiteral.maximumLength, take(UInt8(ascii: "]")),
            let literal = AddressLiteral(content: text(range))
        else {
            position = start
            return nil
        }
        return literal
    }
}
