package import MailVocabulary
import WireFraming

extension CommandParser {
    // date      = date-text / DQUOTE date-text DQUOTE
    // date-text = date-day "-" date-month "-" date-year          RFC 9051 §9
    mutating func date() throws(SyntaxError) -> CivilDate {
        let isQuoted = cursor.take(UInt8(ascii: "\""))
        let dayLength = CharacterClass.isDigit(cursor.peek(ahead: 1) ?? 0) ? 2 : 1
        let day = try digits(dayLength)
        let (month, year) = try monthAndYear()
        guard !isQuoted || cursor.take(UInt8(ascii: "\"")), let date = CivilDate(year: year, month: month, day: day)
        else { throw Self.badDate }
        return date
    }

    // date-time      = DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE
    // date-day-fixed = (SP DIGIT) / 2DIGIT
    // time           = 2DIGIT ":" 2DIGIT ":" 2DIGIT
    // zone           = ("+" / "-") 4DIGIT
    package mutating func dateTime() throws(SyntaxError) -> Timestamp {
        try expect(UInt8(ascii: "\""))
        let day = try digits(cursor.take(UInt8(ascii: " ")) ? 1 : 2)
        let (month, year) = try monthAndYear()
        try space()
        let hour = try digits(2)
        try expect(UInt8(ascii: ":"))
        let minute = try digits(2)
        try expect(UInt8(ascii: ":"))
        let second = try digits(2)
        try space()
        let isWest = cursor.peek == UInt8(ascii: "-")
        guard isWest || cursor.peek == UInt8(ascii: "+") else { throw Self.badDate }
        cursor.position += 1
        let (zoneHours, zoneMinutes) = (try digits(2), try digits(2))
        try expect(UInt8(ascii: "\""))
        let civil = CivilDate(year: year, month: month, day: day, hour: hour, minute: minute, second: second)
        guard let civil, zoneHours < 24, zoneMinutes < 60 else { throw Self.badDate }
        let zone = (zoneHours * 60 + zoneMinutes) * (isWest ? -1 : 1)
        return Timestamp(seconds: civil.secondsSinceEpoch - Int64(zone) * 60, zoneMinutes: Int16(zone))
    }

    private mutating func monthAndYear() throws(SyntaxError) -> (month: Int, year: Int) {
        try expect(UInt8(ascii: "-"))
        guard let month = month() else { throw Self.badDate }
        try expect(UInt8(ascii: "-"))
        return (month, try digits(4))
    }

    // date-month = "Jan" / "Feb" / "Mar" / …
    private mutating func month() -> Int? {
        let start = cursor.position
        guard cursor.remaining >= 3 else { return nil }
        cursor.position += 3
        let name = cursor.text(start..<start + 3).asciiLowercased()
        return CivilDate.monthNames.firstIndex { $0.asciiLowercased() == name }.map { $0 + 1 }
    }

    /// Exactly so many digits.
    private mutating func digits(_ count: Int) throws(SyntaxError) -> Int {
        var value = 0
        for _ in 0..<count {
            guard let byte = cursor.peek, CharacterClass.isDigit(byte) else { throw Self.badDate }
            value = value * 10 + Int(byte - 0x30)
            cursor.position += 1
        }
        return value
    }

    private static var badDate: SyntaxError { SyntaxError("There is no such date, or it is written otherwise") }
}
