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
        append(UInt8(ascii: "\""))
        if date.day < 10 { append(UInt8(ascii: " ")) }
        append(decimal: date.day)
        append(UInt8(ascii: "-"))
        append(CivilDate.monthNames[date.month - 1])
        append(UInt8(ascii: "-"))
        let year = min(max(date.year, 0), 9999)
        append(twoDigits: year / 100)
        append(twoDigits: year % 100)
        append(UInt8(ascii: " "))
        append(twoDigits: date.hour)
        append(UInt8(ascii: ":"))
        append(twoDigits: date.minute)
        append(UInt8(ascii: ":"))
        append(twoDigits: date.second)
        append(internalDate.zoneMinutes < 0 ? " -" : " +" as StaticString)
        let zone = Int(internalDate.zoneMinutes.magnitude)
        append(twoDigits: min(zone / 60, 99))
        append(twoDigits: zone % 60)
        append(UInt8(ascii: "\""))
    }

    private mutating func append(twoDigits value: Int) {
        append(0x30 + UInt8(truncatingIfNeeded: value / 10))
        append(0x30 + UInt8(truncatingIfNeeded: value % 10))
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
