/// Joins parameters that were split (RFC 2231 §3), at the place of the first piece met; see `BodyParameter`.
/// Pieces count from 0; those behind a gap are dropped, as a receiver cannot know what is missing.
func joiningContinuations(_ parameters: [BodyParameter]) -> [BodyParameter] {
    guard parameters.contains(where: { $0.name.contains(UInt8(ascii: "*")) }) else { return parameters }
    let sections = parameters.map(ParameterSection.init)
    var pieces = Dictionary(grouping: sections.compactMap(\.self), by: \.base)
    var result: [BodyParameter] = []
    for (parameter, section) in zip(parameters, sections) {
        if let section {
            if let whole = pieces.removeValue(forKey: section.base).flatMap(ParameterSection.join) {
                result.append(whole)
            }
        } else {
            result.append(parameter)
        }
    }
    return result
}

/// One piece: `name*3=value` or `name*3*=value`.
private struct ParameterSection {
    var base: [UInt8]
    var number: Int
    var isExtended: Bool
    var value: [UInt8]

    // regular-parameter-name := attribute [section]        section := "*" 1*DIGIT        RFC 2231 §7
    init?(_ parameter: BodyParameter) {
        var name = parameter.name[...]
        let star = UInt8(ascii: "*")
        isExtended = name.last == star
        if isExtended { name.removeLast() }
        guard let mark = name.lastIndex(of: star), mark > 0 else { return nil }
        let digits = name[(mark + 1)...]
        guard (1...3).contains(digits.count), digits.allSatisfy(isDigit) else { return nil }
        number = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        base = Array(name[..<mark])
        value = parameter.value
    }

    static func join(_ pieces: [ParameterSection]) -> BodyParameter? {
        var ordered: [ParameterSection] = []
        while let next = pieces.first(where: { $0.number == ordered.count }) { ordered.append(next) }
        guard let first = ordered.first else { return nil }
        guard ordered.contains(where: \.isExtended) else {
            return BodyParameter(name: first.base, value: ordered.flatMap(\.value))
        }
        var value: [UInt8] = first.isExtended ? [] : Array("''".utf8)
        for piece in ordered { value += piece.isExtended ? piece.value : percentEncoded(piece.value) }
        return BodyParameter(name: first.base + [UInt8(ascii: "*")], value: value)
    }

    // attribute-char := <any (US-ASCII) CHAR except SPACE, CTLs, "*", "'", "%", or tspecials>        RFC 2231 §7
    private static func percentEncoded(_ octets: [UInt8]) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return octets.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                [byte]
            case _: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }
}

extension BodyParameter {
    /// For a `NAME*` parameter, its value decoded and in UTF-8, as RFC 9051 §7.5.2 asks servers to send it under the
    /// same name; unchanged when the character set is unknown. For others, the value.
    package var decoded: [UInt8] {
        // extended-value := [charset] "'" [language] "'" extended-other-values        RFC 2231 §7
        let quote = UInt8(ascii: "'")
        guard name.last == UInt8(ascii: "*"), let first = value.firstIndex(of: quote),
            let second = value[(first + 1)...].firstIndex(of: quote)
        else { return value }
        let octets = BodyParameter.percentDecoded(value[(second + 1)...])
        // A parameter joined from unmarked pieces has no name of a set: RFC 2231 §4 leaves it to the receiver.
        guard let charset = first == 0 ? Charset.utf8 : Charset(Array(value[..<first])) else { return value }
        return Array(charset.decode(octets.span).utf8)
    }

    private static func percentDecoded(_ octets: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var index = octets.startIndex
        while index < octets.endIndex {
            if octets[index] == UInt8(ascii: "%"), index + 2 < octets.endIndex,
                let high = hexDigitValue(octets[index + 1]), let low = hexDigitValue(octets[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(octets[index])
                index += 1
            }
        }
        return result
    }
}
