extension Timestamp {
    // date-time = full-date "T" full-time         full-time = partial-time time-offset         RFC 3339 §5.6
    /// `2026-11-21T09:40:00Z`. Fractions of seconds are dropped. Nil for anything else.
    package init?(internet text: [UInt8]) {
        guard text.count >= 20, text[4] == UInt8(ascii: "-"), text[7] == UInt8(ascii: "-"), text[10] | 0x20 == 0x74,
            text[13] == UInt8(ascii: ":"), text[16] == UInt8(ascii: ":")
        else { return nil }
        guard let year = Self.number(text, 0, 4), let month = Self.number(text, 5, 2),
            let day = Self.number(text, 8, 2), let hour = Self.number(text, 11, 2),
            let minute = Self.number(text, 14, 2), let second = Self.number(text, 17, 2), second <= 60,
            let offset = Self.offset(text),
            let date = CivilDate(
                year: year, month: month, day: day, hour: hour, minute: minute, second: min(second, 59))
        else { return nil }
        self.init(seconds: date.secondsSinceEpoch - Int64(offset) * 60, zoneMinutes: Int16(offset))
    }

    // time-offset = "Z" / time-numoffset         time-numoffset = ("+" / "-") time-hour ":" time-minute
    // time-secfrac = "." 1*DIGIT
    /// Minutes.
    private static func offset(_ text: [UInt8]) -> Int? {
        var zone = text[19...]
        if zone.first == UInt8(ascii: ".") {
            let digits = zone.dropFirst().prefix { $0 >= 0x30 && $0 <= 0x39 }
            guard !digits.isEmpty else { return nil }
            zone = zone.dropFirst(1 + digits.count)
        }
        guard let sign = zone.first else { return nil }
        if sign | 0x20 == UInt8(ascii: "z") { return zone.count == 1 ? 0 : nil }
        let start = zone.startIndex
        guard sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), zone.count == 6,
            zone[start + 3] == UInt8(ascii: ":"), let hours = number(text, start + 1, 2), hours < 24,
            let minutes = number(text, start + 4, 2), minutes < 60
        else { return nil }
        return (hours * 60 + minutes) * (sign == UInt8(ascii: "-") ? -1 : 1)
    }

    private static func number(_ text: [UInt8], _ start: Int, _ count: Int) -> Int? {
        guard start + count <= text.count else { return nil }
        var value = 0
        for byte in text[start..<start + count] {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            value = value * 10 + Int(byte - 0x30)
        }
        return value
    }

    /// In UTC, to the second: `2026-11-21T09:40:00Z`.
    package var internetDate: String {
        let date = utc
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))"
            + "T\(padded(date.hour, 2)):\(padded(date.minute, 2)):\(padded(date.second, 2))Z"
    }
}
