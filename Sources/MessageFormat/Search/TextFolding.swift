/// How text is compared in a search: without regard to case (RFC 3501 §6.4.4).
package enum TextFolding {
    /// Raised whenever `folded`, or what of a message is searched, changes: indexes of text are then built anew.
    package static let version = 1

    /// UTF-8 in lower case by Unicode's rules.
    package static func folded(_ text: String) -> [UInt8] {
        text.utf8.allSatisfy { $0 < 0x80 } ? text.utf8.map(folded) : Array(text.lowercased().utf8)
    }

    /// The same for one octet of ASCII; others stay.
    @inline(__always) package static func folded(_ octet: UInt8) -> UInt8 {
        octet &- 0x41 < 26 ? octet | 0x20 : octet
    }
}
