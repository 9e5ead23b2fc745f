package import WireFraming

/// The commands this implementation knows.
package enum SMTPVerb: String, Sendable, Hashable, CaseIterable {
    case ehlo = "EHLO"
    case helo = "HELO"
    /// RFC 2033 §4.1.
    case lhlo = "LHLO"
    case startTLS = "STARTTLS"
    case auth = "AUTH"
    case mail = "MAIL"
    case rcpt = "RCPT"
    case data = "DATA"
    /// RFC 3030 §2.
    case bdat = "BDAT"
    /// RFC 4468 §3.1.
    case burl = "BURL"
    case rset = "RSET"
    case noop = "NOOP"
    case quit = "QUIT"
    case vrfy = "VRFY"
    case expn = "EXPN"
    case help = "HELP"
}

/// The first word of a line.
package enum SMTPCommandWord: Sendable, Hashable {
    case verb(SMTPVerb)
    /// A request line of HTTP: a browser was led here (the ALPACA attack).
    case http
    case unknown

    /// Longest word that can be a verb.
    static let maximumLength = 8
    private static let httpMethods: Set<String> = [
        "GET", "POST", "PUT", "HEAD", "OPTIONS", "CONNECT", "DELETE", "PATCH", "TRACE", "PRI",
    ]

    /// Takes the word, and the space behind it if there is one, from the line.
    package init(_ cursor: inout ByteCursor) {
        let range = cursor.take { $0 != 0x20 }
        guard range.count <= Self.maximumLength else {
            self = .unknown
            return
        }
        let word = cursor.text(range)
        let isWhole = cursor.isAtEnd
        _ = cursor.take(0x20)
        if let verb = SMTPVerb(rawValue: word.asciiUppercased()) {
            self = .verb(verb)
        } else {
            // Methods are case-sensitive, and a request line has a target.
            self = Self.httpMethods.contains(word) && !isWhole ? .http : .unknown
        }
    }
}

extension String {
    func asciiUppercased() -> String {
        String(decoding: utf8.map { $0 >= 0x61 && $0 <= 0x7A ? $0 & 0xDF : $0 }, as: UTF8.self)
    }
}
