package import MailVocabulary

extension Timestamp {
    // date-time = [day-of-week ","] date time [CFWS]        date = day month year        RFC 5322 §3.3, §4.3
    // time = hour ":" minute [":" second] FWS zone
    /// A Date field's value. Comments may stand anywhere; seconds, zone, or the whole time may be missing; years may
    /// have two or three digits; what is no known zone means UTC. Nil for what is no date of the calendar.
    package init?(messageDate value: Span<UInt8>) {
        var lexer = FieldLexer(value, 0..<value.count)
        if lexer.letters() != nil { _ = lexer.separator(",") }
        guard let day = lexer.digits(), day.count <= 2 else { return nil }
        _ = lexer.separator("-")
        guard let month = lexer.letters().flatMap(monthNumber) else { return nil }
        _ = lexer.separator("-")
        guard let year = lexer.digits().flatMap(fullYear) else { return nil }
        var time = (hour: 0, minute: 0, second: 0)
        if let hour = lexer.digits() {
            guard lexer.separator(":"), let minute = lexer.digits() else { return nil }
            time = (hour.value, minute.value, 0)
            if lexer.separator(":") {
                guard let second = lexer.digits() else { return nil }
                time.second = second.value
            }
        }
        guard
            let date = CivilDate(
                year: year, month: month, day: day.value, hour: time.hour, minute: time.minute, second: time.second)
        else { return nil }
        let zone = lexer.zone()
        self.init(seconds: date.secondsSinceEpoch - Int64(zone) * 60, zoneMinutes: zone)
    }

    /// As a Date or Received field has it: `Fri, 21 Nov 1997 09:55:06 -0600`.
    package var messageDate: String {
        let date = local
        let zone = Int(zoneMinutes.magnitude)
        let clock = "\(twoDigits(date.hour)):\(twoDigits(date.minute)):\(twoDigits(date.second))"
        let sign = zoneMinutes < 0 ? "-" : "+"
        let day = "\(CivilDate.weekdayNames[date.weekday]), \(date.day) \(CivilDate.monthNames[date.month - 1])"
        let year = "\(twoDigits(date.year / 100))\(twoDigits(date.year % 100))"
        return "\(day) \(year) \(clock) \(sign)\(twoDigits(zone / 60))\(twoDigits(zone % 60))"
    }
}

private func twoDigits(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }

/// By the first three letters, so that `September` is one too.
private func monthNumber(_ letters: [UInt8]) -> Int? {
    guard letters.count >= 3 else { return nil }
    let start = letters.prefix(3)
    return CivilDate.monthNames.firstIndex { $0.utf8.elementsEqual(start, by: { asciiUppercased($0) == $1 }) }
        .map { $0 + 1 }
}

// obs-year = [CFWS] 2*DIGIT [CFWS]: 00-49 are 2000-2049, others of two or three digits count from 1900. RFC 5322 §4.3
private func fullYear(_ digits: (value: Int, count: Int)) -> Int? {
    switch digits.count {
    case 2: digits.value < 50 ? digits.value + 2000 : digits.value + 1900
    case 3: digits.value + 1900
    case 4: digits.value
    case _: nil
    }
}

extension FieldLexer {
    /// Letters behind white space, in upper case.
    @_lifetime(self: copy self)
    fileprivate mutating func letters() -> [UInt8]? {
        skipCFWS()
        let range = take { (0x41...0x5A).contains(asciiUppercased($0)) }
        guard !range.isEmpty else { return nil }
        // No word of a date is longer; what is, is none.
        return range.prefix(16).map { asciiUppercased(bytes[$0]) }
    }

    /// One to four digits behind white space.
    @_lifetime(self: copy self)
    fileprivate mutating func digits() -> (value: Int, count: Int)? {
        skipCFWS()
        let range = take(while: isDigit)
        guard (1...4).contains(range.count) else { return nil }
        return (range.reduce(0) { $0 * 10 + Int(bytes[$1] - 0x30) }, range.count)
    }

    @_lifetime(self: copy self)
    fileprivate mutating func separator(_ character: Unicode.Scalar) -> Bool {
        skipCFWS()
        return take(character)
    }

    // zone = (FWS ("+" / "-") 4DIGIT) / obs-zone        RFC 5322 §3.3, §4.3
    /// Minutes east of UTC; 0 for what is missing, unknown or out of range.
    @_lifetime(self: copy self)
    fileprivate mutating func zone() -> Int16 {
        skipCFWS()
        let isWest = peek == UInt8(ascii: "-")
        if isWest || peek == UInt8(ascii: "+") {
            advance()
            guard let digits = digits(), digits.count == 4 else { return 0 }
            let minutes = digits.value / 100 * 60 + digits.value % 100
            guard digits.value % 100 < 60, minutes < 1440 else { return 0 }
            return Int16(isWest ? -minutes : minutes)
        }
        let hours =
            switch String(decoding: letters() ?? [], as: UTF8.self) {
            case "EDT": -4
            case "EST", "CDT": -5
            case "CST", "MDT": -6
            case "MST", "PDT": -7
            case "PST": -8
            // UT, GMT; military letters, whose sign was never agreed on; names nobody defined.
            case _: 0
            }
        return Int16(hours * 60)
    }
}
