/// Octets of a report, line by line.
struct ReportWriter {
    private(set) var bytes: [UInt8] = []

    /// Octets of a line at which a field is folded where it has a space.
    private static let foldedAt = 76
    /// Octets of what has no space that stay in one line: RFC 5322 §2.1.1 allows 998.
    private static let longestPiece = 900

    mutating func line(_ text: String) {
        bytes += Array(text.utf8)
        bytes += [0x0D, 0x0A]
    }

    mutating func raw(_ octets: [UInt8]) { bytes += octets }

    /// Folded; with nothing in it that could end the field or be no ASCII.
    mutating func field(_ name: String, _ value: String) {
        var line = name + ":"
        for word in Self.printable(value).split(separator: " ").flatMap({ Self.pieces(String($0)) }) {
            if line.utf8.count + word.utf8.count >= Self.foldedAt, line.utf8.count > name.utf8.count + 1 {
                self.line(line)
                line = "   " + word
            } else {
                line += " " + word
            }
        }
        self.line(line)
    }

    static func pieces(_ word: String) -> [String] {
        let octets = Array(word.utf8)
        guard octets.count > longestPiece else { return [word] }
        return stride(from: 0, to: octets.count, by: longestPiece).map {
            String(decoding: octets[$0..<min($0 + longestPiece, octets.count)], as: UTF8.self)
        }
    }

    /// What a peer said may have anything in it.
    static func printable(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 >= 0x20 && $0 < 0x7F ? $0 : $0 < 0x80 ? 0x20 : 0x3F }, as: UTF8.self)
    }

    // EmbeddedUnicodeChar = %x5C.78 "{" HEXPOINT "}"         RFC 6533 §3
    /// What is no ASCII as utf-8-addr-xtext.
    static func asciiAddress(_ address: String) -> String {
        address.unicodeScalars.map { scalar in
            scalar.isASCII ? String(scalar) : "\\x{\(String(scalar.value, radix: 16, uppercase: true))}"
        }.joined()
    }

    /// In lines of 76.
    mutating func base64(_ octets: [UInt8]) {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        for start in stride(from: 0, to: octets.count, by: 57) {
            let row = octets[start..<min(start + 57, octets.count)]
            for first in stride(from: row.startIndex, to: row.endIndex, by: 3) {
                let group = row[first..<min(first + 3, row.endIndex)]
                let value = group.reduce(UInt32(0)) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
                for digit in 0..<4 {
                    let isPadding = digit > group.count
                    bytes.append(isPadding ? 0x3D : alphabet[Int(value >> UInt32(18 - 6 * digit) & 0x3F)])
                }
            }
            bytes += [0x0D, 0x0A]
        }
    }
}

/// The part of a report that returns the message, or its header.
struct ReturnedPart {
    private let octets: [UInt8]
    private let headerEnd: Int
    private let isWhole: Bool
    private let allowsEightBit: Bool

    init(_ octets: [UInt8], isWhole: Bool, allowsEightBit: Bool) {
        self.octets = octets
        self.allowsEightBit = allowsEightBit
        headerEnd = ReturnedPart.endOfHeader(octets)
        // The whole message must be as it was: encoding is for message/global only (RFC 2046 §5.2.1).
        let isPlain = ReturnedPart.isPlain(octets[...], eightBit: allowsEightBit)
        self.isWhole = isWhole && (isPlain || !ReturnedPart.isASCII(octets[..<headerEnd]))
    }

    func write(to writer: inout ReportWriter) {
        let content = isWhole ? octets : Array(octets[..<headerEnd])
        let isASCII = ReturnedPart.isASCII(octets[..<headerEnd])
        // RFC 6522 §4, RFC 6533 §6.
        let type =
            isWhole
            ? isASCII ? "message/rfc822" : "message/global"
            : isASCII ? "text/rfc822-headers" : "message/global-headers"
        writer.line("Content-Type: \(type)")
        if ReturnedPart.isPlain(content[...], eightBit: allowsEightBit) {
            if !ReturnedPart.isASCII(content[...]) { writer.line("Content-Transfer-Encoding: 8bit") }
            writer.line("")
            writer.raw(content)
            if !content.suffix(2).elementsEqual([0x0D, 0x0A]) { writer.line("") }
        } else {
            writer.line("Content-Transfer-Encoding: base64")
            writer.line("")
            writer.base64(content)
        }
    }

    /// Behind the last field's line; the end when there is no empty line.
    private static func endOfHeader(_ octets: [UInt8]) -> Int {
        var start = 0
        while start < octets.count {
            guard let end = octets[start...].firstIndex(of: 0x0A) else { return octets.count }
            let line = octets[start..<end]
            if line.isEmpty || line.elementsEqual([0x0D]) { return start }
            start = end + 1
        }
        return octets.count
    }

    private static func isASCII(_ octets: ArraySlice<UInt8>) -> Bool { octets.allSatisfy { $0 < 0x80 } }

    /// Fit to stand in a message as it is: lines that are not too long, ended by CRLF, without NUL.
    private static func isPlain(_ octets: ArraySlice<UInt8>, eightBit: Bool) -> Bool {
        var (length, previous) = (0, UInt8(0x0A))
        for octet in octets {
            guard octet != 0, eightBit || octet < 0x80 else { return false }
            guard (octet == 0x0A) == (previous == 0x0D) else { return false }
            length = octet == 0x0A ? 0 : length + 1
            guard length <= 999 else { return false }
            previous = octet
        }
        return previous != 0x0D
    }
}
