/// How text is compared in a search: by i;unicode-casemap (RFC 5255 §4.2, RFC 5051), so without regard to case.
package enum TextFolding {
    /// Raised whenever `folded`, or what of a message is searched, changes: indexes of text are then built anew.
    package static let version = 3

    /// UTF-8 as it is compared.
    package static func folded(_ text: String) -> [UInt8] { casemapped(text) }

    /// The same for one octet of ASCII; others stay.
    @inline(__always) package static func folded(_ octet: UInt8) -> UInt8 {
        octet &- 0x61 < 26 ? octet & ~0x20 : octet
    }
}
