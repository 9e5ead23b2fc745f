package import MailVocabulary
package import TLSPolicy

/// The trace that this server puts ahead of a message (RFC 5321 §4.4).
package struct ReceivedField: Sendable {
    /// How the message came (RFC 3848, RFC 6531 §4.3).
    package struct Transmission: Sendable, Hashable {
        package var isSecured: Bool
        package var isAuthenticated: Bool
        package var isInternationalized: Bool
        /// RFC 2033.
        package var isLMTP: Bool

        package init(isSecured: Bool, isAuthenticated: Bool, isInternationalized: Bool, isLMTP: Bool = false) {
            self.isSecured = isSecured
            self.isAuthenticated = isAuthenticated
            self.isInternationalized = isInternationalized
            self.isLMTP = isLMTP
        }

        /// `ESMTP`, `ESMTPS`, `ESMTPA`, `ESMTPSA`, or the same with `LMTP`, `UTF8SMTP` or `UTF8LMTP`.
        package var name: String {
            let base =
                isLMTP
                ? (isInternationalized ? "UTF8LMTP" : "LMTP") : (isInternationalized ? "UTF8SMTP" : "ESMTP")
            return base + (isSecured ? "S" : "") + (isAuthenticated ? "A" : "")
        }
    }

    /// Nil to tell nothing of the client, neither its name nor its address.
    package var client: ClientName?
    /// The peer's address as the socket gives it.
    package var peer: String
    package var hostname: String
    package var transmission: Transmission
    /// An atom: letters, digits and "-".
    package var identifier: String
    /// Only when there is one recipient: the field shows it to whoever reads the message.
    package var recipient: SMTPMailbox?
    package var tls: TLSDescription?
    package var date: Timestamp

    package init(
        client: ClientName?, peer: String, hostname: String, transmission: Transmission, identifier: String,
        recipient: SMTPMailbox?, tls: TLSDescription?, date: Timestamp
    ) {
        self.client = client
        self.peer = peer
        self.hostname = hostname
        self.transmission = transmission
        self.identifier = identifier
        self.recipient = recipient
        self.tls = tls
        self.date = date
    }

    // Time-stamp-line = "Received:" FWS Stamp <CRLF>
    // Stamp = From-domain By-domain Opt-info [CFWS] ";" FWS date-time         RFC 5321 §4.4
    /// The whole field, folded, with its CRLF.
    package var text: String {
        var lines = ["Received: from \(extendedDomain)", "by \(hostname) with \(transmission.name) id \(identifier)"]
        if let recipient { lines.append("for <\(recipient)>") }
        if let clause = tlsClause { lines.append(clause) }
        lines[lines.count - 1] += ";"
        lines.append(date.messageDate)
        return lines.joined(separator: "\r\n\t") + "\r\n"
    }

    // Extended-Domain = Domain / ( Domain FWS "(" TCP-info ")" ) / ( address-literal FWS "(" TCP-info ")" )
    private var extendedDomain: String {
        // The grammar wants a name; this one is nobody's (RFC 6761 §6.4).
        guard let client else { return "client.invalid" }
        let address = AddressLiteral(peer: peer)
        return switch (client, address) {
        case (.domain(let name), let address?): "\(name) (\(address))"
        case (.domain(let name), nil): name
        case (.literal(let literal), let address?): "\(literal) (\(address))"
        case (.malformed, let address?): "\(address) (\(address))"
        case (.literal, nil), (.malformed, nil): "unknown"
        }
    }

    // tls-cipher-clause   = CFWS "tls" FWS tls-cipher [ CFWS tls-dh-group-clause ]         RFC 8314 §4.3
    // tls-dh-group-clause = "group" FWS dh-group
    private var tlsClause: String? {
        guard let tls, let suite = tls.cipherSuite else { return nil }
        guard let group = tls.group?.name else { return "tls \(suite.nameOrNumber)" }
        return "tls \(suite.nameOrNumber) group \(group)"
    }
}

extension Timestamp {
    // date-time = day-of-week "," SP day month year SP hour ":" minute ":" second SP zone         RFC 5322 §3.3
    /// As in `Date` and trace fields: `Fri, 21 Nov 1997 09:55:06 -0600`.
    package var messageDate: String {
        let date = local
        let zone = abs(Int(zoneMinutes))
        return CivilDate.weekdayNames[date.weekday] + ", \(date.day) "
            + CivilDate.monthNames[date.month - 1] + " \(padded(date.year, 4)) "
            + "\(padded(date.hour, 2)):\(padded(date.minute, 2)):\(padded(date.second, 2)) "
            + (zoneMinutes < 0 ? "-" : "+") + padded(zone / 60, 2) + padded(zone % 60, 2)
    }

    private func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
