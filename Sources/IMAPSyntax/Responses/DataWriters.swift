package import MailVocabulary
package import WireFraming

extension OutputBuffer {
    // flag = "\Answered" / "\Flagged" / "\Deleted" / "\Seen" / "\Draft" / flag-keyword
    package mutating func append(flag: Flag) {
        switch flag {
        case .seen: append("\\Seen" as StaticString)
        case .answered: append("\\Answered" as StaticString)
        case .flagged: append("\\Flagged" as StaticString)
        case .deleted: append("\\Deleted" as StaticString)
        case .draft: append("\\Draft" as StaticString)
        case .keyword(let keyword): append(keyword.name)
        }
    }

    // flag-list = "(" [flag *(SP flag)] ")"
    /// - Parameter extra: one more element, such as `\*`.
    package mutating func append(flags: [Flag], extra: StaticString? = nil) {
        append(UInt8(ascii: "("))
        for (index, flag) in flags.enumerated() {
            if index > 0 { append(UInt8(ascii: " ")) }
            append(flag: flag)
        }
        if let extra {
            if !flags.isEmpty { append(UInt8(ascii: " ")) }
            append(extra)
        }
        append(UInt8(ascii: ")"))
    }

    // uid-set = (uniqueid / uid-range) *("," uid-set)
    package mutating func append(numberSet set: NumberSet) {
        var isFirst = true
        for range in set.ranges {
            if !isFirst { append(UInt8(ascii: ",")) }
            isFirst = false
            append(decimal: range.lowerBound)
            guard range.upperBound > range.lowerBound else { continue }
            append(UInt8(ascii: ":"))
            append(decimal: range.upperBound)
        }
    }

    // date-time = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
    /// Years the grammar cannot hold are written as the nearest it can.
    package mutating func append(internalDate: Timestamp) {
        let date = internalDate.local
        let year = min(max(date.year, 0), 9999)
        let zone = Int(internalDate.zoneMinutes.magnitude)
        // Put together first: a listing has a hundred thousand of them.
        var text: InlineArray<28, UInt8> = .init(repeating: UInt8(ascii: "\""))
        func put(twoDigits value: Int, at index: Int) {
            text[index] = 0x30 + UInt8(truncatingIfNeeded: value / 10)
            text[index + 1] = 0x30 + UInt8(truncatingIfNeeded: value % 10)
        }
        put(twoDigits: date.day, at: 1)
        if date.day < 10 { text[1] = UInt8(ascii: " ") }
        let month = Self.months[date.month - 1]
        (text[3], text[4], text[5], text[6]) = (UInt8(ascii: "-"), month.0, month.1, month.2)
        text[7] = UInt8(ascii: "-")
        put(twoDigits: year / 100, at: 8)
        put(twoDigits: year % 100, at: 10)
        text[12] = UInt8(ascii: " ")
        put(twoDigits: date.hour, at: 13)
        text[15] = UInt8(ascii: ":")
        put(twoDigits: date.minute, at: 16)
        text[18] = UInt8(ascii: ":")
        put(twoDigits: date.second, at: 19)
        text[21] = UInt8(ascii: " ")
        text[22] = internalDate.zoneMinutes < 0 ? UInt8(ascii: "-") : UInt8(ascii: "+")
        put(twoDigits: min(zone / 60, 99), at: 23)
        put(twoDigits: zone % 60, at: 25)
        append(text.span)
    }

    private static let months = CivilDate.monthNames.map { name in
        let letters = Array(name.utf8)
        return (letters[0], letters[1], letters[2])
    }

    // msg-att-static = "BODY" section ["<" number ">"] SP nstring / …
    /// `BODY[…]` as an answer names it: without `.PEEK`, and of a partial range only the offset.
    package mutating func append(section: BodySection, partial: PartialRange?) {
        append("BODY[" as StaticString)
        append(part: section.part)
        if section.text != .full, !section.part.isEmpty { append(UInt8(ascii: ".")) }
        switch section.text {
        case .full: break
        case .header: append("HEADER" as StaticString)
        case .text: append("TEXT" as StaticString)
        case .mime: append("MIME" as StaticString)
        case .headerFields(let names): append(fieldNames: names, "HEADER.FIELDS (")
        case .headerFieldsNot(let names): append(fieldNames: names, "HEADER.FIELDS.NOT (")
        }
        append(UInt8(ascii: "]"))
        append(origin: partial)
    }

    // "BINARY" section-binary ["<" number ">"] SP (nstring / literal8)          RFC 3516 §7
    package mutating func append(binaryPart part: [UInt32], partial: PartialRange?) {
        append("BINARY[" as StaticString)
        append(part: part)
        append(UInt8(ascii: "]"))
        append(origin: partial)
    }

    // "BINARY.SIZE" section-binary SP number
    package mutating func append(binarySizeOf part: [UInt32]) {
        append("BINARY.SIZE[" as StaticString)
        append(part: part)
        append(UInt8(ascii: "]"))
    }

    private mutating func append(part: [UInt32]) {
        for (index, number) in part.enumerated() {
            if index > 0 { append(UInt8(ascii: ".")) }
            append(decimal: number)
        }
    }

    private mutating func append(origin partial: PartialRange?) {
        guard let partial else { return }
        append(UInt8(ascii: "<"))
        append(decimal: partial.offset)
        append(UInt8(ascii: ">"))
    }

    private mutating func append(fieldNames names: [String], _ opening: StaticString) {
        append(opening)
        for (index, name) in names.enumerated() {
            if index > 0 { append(UInt8(ascii: " ")) }
            append(astring: Array(name.utf8))
        }
        append(UInt8(ascii: ")"))
    }
}
