package import MailVocabulary
import WireFraming

/// A URL of a message or a part of one on an IMAP server (RFC 5092), with what authorises its use (RFC 4467, RFC 5593).
package struct IMAPURL: Sendable, Hashable {
    /// Nil for a relative URL.
    package var server: Server?
    /// Nil for a URL relative to the selected mailbox.
    package var mailbox: MailboxName?
    package var uidValidity: UInt32?
    /// Nil when the URL names a mailbox only.
    package var uid: UInt32?
    package var section: BodySection
    package var partial: Partial?
    package var authorization: Authorization?

    package struct Server: Sendable, Hashable {
        /// Decoded; nil for an anonymous URL.
        package var user: String?
        /// In lower case, without port.
        package var host: String
    }

    /// `;PARTIAL=offset.count`; without a count to the end (RFC 5092 §6).
    package struct Partial: Sendable, Hashable {
        package var offset: UInt64
        package var count: UInt64?
    }

    package struct Authorization: Sendable, Hashable {
        package var expiry: Timestamp?
        package var access: Access
        /// What a server adds to a URL that it authorises: nil in one that is still to be authorised.
        package var token: Token?
        /// The URL up to the token, as it was written: what the token vouches for.
        package var rump: String
    }

    /// Who may use the URL (RFC 4467 §3.1.3, RFC 5593 §2).
    package enum Access: Sendable, Hashable {
        /// Decoded, as the others.
        case user(String)
        case submission(onBehalfOf: String)
        case application(String, user: String?)
        case authenticatedUser
        case anonymous
    }

    package struct Token: Sendable, Hashable {
        /// In upper case.
        package var mechanism: String
        package var octets: [UInt8]
    }

    /// Octets of a URL: the longest mailbox name, each octet in three, with room for what stands around it.
    package static let maximumLength = 4096

    // imapurl = "imap://" iserver ipath-query          RFC 5092 §11
    /// Nil for what is no such URL.
    package init?(_ text: String) {
        let octets = Array(text.utf8)
        guard octets.count <= Self.maximumLength, octets.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        var rest = octets[...]
        section = BodySection()
        if rest.takePrefix("imap://") || rest.takePrefix("//") {
            guard let server = Server(&rest) else { return nil }
            self.server = server
        }
        guard readAuthorization(&rest, whole: octets), readParts(&rest), readMailbox(rest) else { return nil }
        guard uid != nil || section == BodySection() && partial == nil else { return nil }
        guard server == nil || mailbox != nil else { return nil }
    }

    // iurlauth      = iurlauth-rump iua-verifier
    // iurlauth-rump = [expire] ";URLAUTH=" access
    // iua-verifier  = ":" uauth-mechanism ":" enc-urlauth
    private mutating func readAuthorization(_ rest: inout ArraySlice<UInt8>, whole: [UInt8]) -> Bool {
        guard let start = rest.index(ofIgnoringCase: ";URLAUTH=") else { return true }
        let fields = rest[(start + 9)...].split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard fields.count == 1 || fields.count == 3, let access = Access(fields[0]) else { return false }
        let rump = String(decoding: whole[..<fields[0].endIndex], as: UTF8.self)
        var found = Authorization(expiry: nil, access: access, token: nil, rump: rump)
        if fields.count == 3 {
            guard let token = Token(mechanism: fields[1], hex: fields[2]) else { return false }
            found.token = token
        }
        rest = rest[..<start]
        if let place = rest.index(ofIgnoringCase: ";EXPIRE=") {
            guard let expiry = Timestamp(internet: Array(rest[(place + 8)...].droppingSlash)) else { return false }
            found.expiry = expiry
            rest = rest[..<place]
        }
        authorization = found
        return true
    }

    // imessagepart = imailbox-ref iuid [isection] [ipartial]
    // iuid         = "/" ";UID=" nz-number
    // isection     = "/" ";SECTION=" enc-section
    // ipartial     = "/" ";PARTIAL=" partial-range
    private mutating func readParts(_ rest: inout ArraySlice<UInt8>) -> Bool {
        if let start = rest.index(ofIgnoringCase: ";PARTIAL=") {
            guard let partial = Partial(rest[(start + 9)...]) else { return false }
            self.partial = partial
            rest = rest[..<start].droppingSlash
        }
        if let start = rest.index(ofIgnoringCase: ";SECTION=") {
            guard let text = rest[(start + 9)...].percentDecoded, let section = BodySection(specification: text) else {
                return false
            }
            self.section = section
            rest = rest[..<start].droppingSlash
        }
        if let start = rest.index(ofIgnoringCase: ";UID=") {
            guard let uid = rest[(start + 5)...].droppingSlash.nonzero else { return false }
            self.uid = uid
            rest = rest[..<start].droppingSlash
        }
        return true
    }

    // imailbox-ref = enc-mailbox [uidvalidity]
    // uidvalidity  = ";UIDVALIDITY=" nz-number
    private mutating func readMailbox(_ octets: ArraySlice<UInt8>) -> Bool {
        var rest = octets
        if rest.first == UInt8(ascii: "/") { rest = rest.dropFirst() }
        if let start = rest.index(ofIgnoringCase: ";UIDVALIDITY=") {
            guard let validity = rest[(start + 13)...].droppingSlash.nonzero else { return false }
            uidValidity = validity
            rest = rest[..<start]
        }
        rest = rest.droppingSlash
        guard !rest.isEmpty else { return uidValidity == nil }
        guard let decoded = rest.percentDecoded, let text = String(validating: decoded, as: UTF8.self),
            let name = MailboxName(text)
        else { return false }
        mailbox = name
        return true
    }
}

extension IMAPURL.Server {
    // iserver   = [iuserinfo "@"] host [":" port]
    // iuserinfo = enc-user [iauth] / [enc-user] iauth
    fileprivate init?(_ rest: inout ArraySlice<UInt8>) {
        let end = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        var authority = rest[..<end]
        rest = rest[end...]
        if let at = authority.lastIndex(of: UInt8(ascii: "@")) {
            let info = authority[..<at]
            let name = info[..<(info.firstIndex(of: UInt8(ascii: ";")) ?? info.endIndex)]
            guard let decoded = name.percentDecoded, let text = String(validating: decoded, as: UTF8.self) else {
                return nil
            }
            user = text.isEmpty ? nil : text
            authority = authority[(at + 1)...]
        } else {
            user = nil
        }
        let host = authority[..<(authority.lastIndex(of: UInt8(ascii: ":")) ?? authority.endIndex)]
        guard !host.isEmpty else { return nil }
        self.host = String(decoding: host, as: UTF8.self).asciiLowercased()
    }
}

extension IMAPURL.Access {
    // access  = ("submit+" enc-user) / ("user+" enc-user) / "authuser" / "anonymous"
    // access =/ application / (application "+" enc-user)          RFC 5593 §2
    fileprivate init?(_ octets: ArraySlice<UInt8>) {
        let plus = octets.firstIndex(of: UInt8(ascii: "+"))
        let word = String(decoding: octets[..<(plus ?? octets.endIndex)], as: UTF8.self).asciiLowercased()
        var user: String?
        if let plus {
            guard let decoded = octets[(plus + 1)...].percentDecoded, !decoded.isEmpty,
                let text = String(validating: decoded, as: UTF8.self)
            else { return nil }
            user = text
        }
        switch (word, user) {
        case ("user", .some(let user)): self = .user(user)
        case ("submit", .some(let user)): self = .submission(onBehalfOf: user)
        case ("authuser", nil): self = .authenticatedUser
        case ("anonymous", nil): self = .anonymous
        case ("user", nil), ("submit", nil), ("authuser", _), ("anonymous", _): return nil
        case _:
            guard !word.isEmpty, word.utf8.allSatisfy({ Self.isApplication($0) }) else { return nil }
            self = .application(word, user: user)
        }
    }

    private static func isApplication(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
            UInt8(ascii: "."):
            true
        case _: false
        }
    }
}

extension IMAPURL.Token {
    // uauth-mechanism = "INTERNAL" / 1*(ALPHA / DIGIT / "-" / ".")
    // enc-urlauth     = 32*HEXDIG
    fileprivate init?(mechanism: ArraySlice<UInt8>, hex: ArraySlice<UInt8>) {
        let digits = Array(hex)
        guard !mechanism.isEmpty, digits.count >= 32, digits.count % 2 == 0 else { return nil }
        var octets: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = hexValue(digits[index]), let low = hexValue(digits[index + 1]) else { return nil }
            octets.append(high << 4 | low)
        }
        self.mechanism = String(decoding: mechanism, as: UTF8.self).uppercased()
        self.octets = octets
    }
}

extension IMAPURL.Partial {
    // partial-range = number ["." nz-number]
    fileprivate init?(_ octets: ArraySlice<UInt8>) {
        let text = Array(octets.droppingSlash)
        var cursor = ByteCursor(text.span)
        guard let offset = cursor.number(upTo: UInt64(Int64.max)) else { return nil }
        self.offset = offset
        if cursor.take(UInt8(ascii: ".")) {
            guard let count = cursor.number(upTo: UInt64(Int64.max)), count > 0 else { return nil }
            self.count = count
        }
        guard cursor.isAtEnd else { return nil }
    }

    package func range(of size: Int) -> Range<Int> {
        let low = Int(min(offset, UInt64(size)))
        return low..<low + Int(min(count ?? .max, UInt64(size - low)))
    }
}

private func hexValue(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - 0x30
    case UInt8(ascii: "A")...UInt8(ascii: "F"), UInt8(ascii: "a")...UInt8(ascii: "f"): (byte | 0x20) - 0x61 + 10
    case _: nil
    }
}

extension ArraySlice<UInt8> {
    fileprivate mutating func takePrefix(_ word: String) -> Bool {
        guard prefix(word.utf8.count).map({ Self.lower($0) }) == Array(word.utf8) else { return false }
        self = dropFirst(word.utf8.count)
        return true
    }

    private static func lower(_ byte: UInt8) -> UInt8 { byte &- 0x41 < 26 ? byte | 0x20 : byte }

    /// Where the word begins, without regard to ASCII case. `word` is in upper case.
    fileprivate func index(ofIgnoringCase word: String) -> Int? {
        let folded = word.utf8.map { Self.lower($0) }
        guard count >= folded.count else { return nil }
        return (startIndex...(endIndex - folded.count)).first { start in
            zip(self[start...], folded).allSatisfy { Self.lower($0) == $1 }
        }
    }

    fileprivate var droppingSlash: ArraySlice<UInt8> { last == UInt8(ascii: "/") ? dropLast() : self }

    fileprivate var nonzero: UInt32? {
        let text = Array(self)
        var cursor = ByteCursor(text.span)
        guard let number = cursor.number(upTo: UInt64(UInt32.max)), number > 0, cursor.isAtEnd else { return nil }
        return UInt32(number)
    }

    /// Nil when a `%` introduces no octet.
    fileprivate var percentDecoded: [UInt8]? {
        var result: [UInt8] = []
        var rest = self
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                result.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
                return nil
            }
            result.append(high << 4 | low)
        }
        return result
    }
}
