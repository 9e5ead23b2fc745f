package import WireFraming

/// The commands this server knows, by keyword.
package enum POP3Verb: String, Sendable, Hashable, CaseIterable {
    case auth = "AUTH"
    case capa = "CAPA"
    case dele = "DELE"
    case lang = "LANG"
    case list = "LIST"
    case noop = "NOOP"
    case pass = "PASS"
    case quit = "QUIT"
    case retr = "RETR"
    case rset = "RSET"
    case stat = "STAT"
    case stls = "STLS"
    case top = "TOP"
    case uidl = "UIDL"
    case user = "USER"
    case utf8 = "UTF8"

    // command = keyword *(SP param) CRLF ; keyword = 3*4VCHAR          RFC 2449 §3
    /// Reads the keyword, without regard to ASCII case. Nil when it is none of ours; the cursor is then where it was.
    package init?(_ cursor: inout ByteCursor) {
        let start = cursor.position
        var word: UInt32 = 0
        let letters = cursor.take(while: { $0 > 0x20 && $0 < 0x7F })
        guard letters.count == 3 || letters.count == 4 else {
            cursor.position = start
            return nil
        }
        for index in letters { word = word << 8 | UInt32(Self.upper(cursor.bytes[index])) }
        guard let verb = Self.verb(word) else {
            cursor.position = start
            return nil
        }
        self = verb
    }

    private static func upper(_ byte: UInt8) -> UInt8 { byte >= 0x61 && byte <= 0x7A ? byte & 0xDF : byte }

    private static func verb(_ word: UInt32) -> POP3Verb? { byWord[word] }

    private static let byWord: [UInt32: POP3Verb] = Dictionary(
        uniqueKeysWithValues: allCases.map { verb in
            (verb.rawValue.utf8.reduce(0) { $0 << 8 | UInt32($1) }, verb)
        })
}
