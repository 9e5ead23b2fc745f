import Foundation

/// Base64 for URLs, without padding (RFC 4648 §5, as RFC 7515 §2 has it).
enum Base64URL {
    static func encode(_ octets: some Sequence<UInt8>) -> String {
        Data(octets).base64EncodedString()
            .replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    /// Nil for what is none. Padding is taken too: authorities hand MAC keys out with and without.
    static func decode(_ text: String) -> [UInt8]? {
        let core = text.replacing("=", with: "")
        guard isText(core) else { return nil }
        let standard = core.replacing("-", with: "+").replacing("_", with: "/")
        let padding = String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4)
        return Data(base64Encoded: standard + padding).map { Array($0) }
    }

    /// Of its characters alone, whatever they stand for.
    static func isText(_ text: String) -> Bool { text.utf8.allSatisfy { isDigit($0) } }

    private static func isDigit(_ octet: UInt8) -> Bool {
        switch octet {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        case _: false
        }
    }
}
