import WireFraming

/// One `keyword=value` behind a path.
struct ESMTPParameter: Hashable {
    /// In upper case.
    var keyword: String
    var value: [UInt8]?
}

extension ByteCursor {
    /// More than all extensions together define for one command.
    static var maximumParameters: Int { 16 }

    // Mail-parameters = esmtp-param *(SP esmtp-param), with SP ahead         RFC 5321 §4.1.2
    /// To the end of the line. More than one space, or one at the end, is forgiven: clients send them.
    @_lifetime(self: copy self)
    mutating func esmtpParameters() throws(SMTPSyntaxError) -> [ESMTPParameter] {
        var parameters: [ESMTPParameter] = []
        while !isAtEnd {
            guard !take(while: { $0 == 0x20 }).isEmpty else { throw .badArgument }
            if isAtEnd { break }
            let parameter = try esmtpParameter()
            guard !parameters.contains(where: { $0.keyword == parameter.keyword }),
                parameters.count < Self.maximumParameters
            else { throw .badParameter }
            parameters.append(parameter)
        }
        return parameters
    }

    // esmtp-param   = esmtp-keyword ["=" esmtp-value]
    // esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
    // esmtp-value   = 1*(%d33-60 / %d62-126) / UTF8-non-ascii (RFC 6531 §3.3)
    @_lifetime(self: copy self)
    private mutating func esmtpParameter() throws(SMTPSyntaxError) -> ESMTPParameter {
        let keyword = take { isLetter($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
        guard !keyword.isEmpty, bytes[keyword.lowerBound] != UInt8(ascii: "-") else { throw .badArgument }
        var parameter = ESMTPParameter(keyword: text(keyword).asciiUppercased(), value: nil)
        if take(UInt8(ascii: "=")) {
            let value = take { $0 > 0x20 && $0 != UInt8(ascii: "=") && $0 != 0x7F }
            guard !value.isEmpty else { throw .badParameter }
            parameter.value = array(value)
        }
        return parameter
    }
}

/// Text in which octets that a command line cannot carry are `+` and two hexadecimal digits (RFC 3461 §4).
package enum XText {
    // xtext   = *( xchar / hexchar )         hexchar = "+" 2(%x30-39 / %x41-46)
    // xchar   = %d33-126 except "+" and "="
    /// Nil when the input is not xtext.
    package static func decode(_ bytes: [UInt8]) -> [UInt8]? {
        var result: [UInt8] = []
        var rest = bytes[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"):
                guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                    return nil
                }
                result.append(high << 4 | low)
            case UInt8(ascii: "="): return nil
            case 33...126: result.append(byte)
            case _: return nil
            }
        }
        return result
    }

    /// Nothing that would break a line or hide in one.
    static func isPrintable(_ bytes: [UInt8]) -> Bool { bytes.allSatisfy { (0x20...0x7E).contains($0) } }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        case _: nil
        }
    }
}
