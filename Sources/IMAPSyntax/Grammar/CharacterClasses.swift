/// The grammar's classes of octets (RFC 9051 §9).
package enum CharacterClass {
    // atom-specials = "(" / ")" / "{" / SP / CTL / list-wildcards / quoted-specials / resp-specials
    // ATOM-CHAR     = <any CHAR except atom-specials>
    package static func isAtom(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "("), UInt8(ascii: ")"), UInt8(ascii: "{"), UInt8(ascii: "%"), UInt8(ascii: "*"),
            UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "]"):
            false
        case 0x21...0x7E: true
        case _: false
        }
    }

    // ASTRING-CHAR = ATOM-CHAR / resp-specials
    package static func isAstring(_ byte: UInt8) -> Bool { isAtom(byte) || byte == UInt8(ascii: "]") }

    // list-char = ATOM-CHAR / list-wildcards / resp-specials
    package static func isList(_ byte: UInt8) -> Bool {
        isAstring(byte) || byte == UInt8(ascii: "%") || byte == UInt8(ascii: "*")
    }

    // tag = 1*<any ASTRING-CHAR except "+">
    package static func isTag(_ byte: UInt8) -> Bool { isAstring(byte) && byte != UInt8(ascii: "+") }

    package static func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }
}
