import MailVocabulary
import Testing

@Suite struct TimestampTests {
    @Test(
        "Known days",
        arguments: [
            (1970, 1, 1, Int64(0), 4), (2000, 2, 29, 11_016, 2), (1969, 12, 31, -1, 3), (2026, 11, 21, 20_778, 6),
            (1, 1, 1, -719_162, 1),
        ])
    func days(_ year: Int, _ month: Int, _ day: Int, _ expected: Int64, _ weekday: Int) throws {
        let date = try #require(CivilDate(year: year, month: month, day: day))
        #expect(date.daysSinceEpoch == expected)
        #expect(date.weekday == weekday)
    }

    @Test("Every day of four centuries converts there and back")
    func roundTrip() {
        for day in stride(from: Int64(-200_000), to: 200_000, by: 7) {
            let date = CivilDate(secondsSinceEpoch: day * 86_400 + 86_399)
            #expect(date.daysSinceEpoch == day)
            #expect((date.hour, date.minute, date.second) == (23, 59, 59))
        }
    }

    @Test(
        "Days that no calendar has are refused",
        arguments: [(2023, 2, 29), (2024, 2, 30), (1900, 2, 29), (2024, 13, 1), (2024, 4, 31), (0, 1, 1)])
    func impossible(_ year: Int, _ month: Int, _ day: Int) {
        #expect(CivilDate(year: year, month: month, day: day) == nil)
    }

    @Test("Local fields are in the timestamp's own zone")
    func zone() {
        let moment = Timestamp(seconds: 837_596_665, zoneMinutes: -7 * 60)
        #expect(moment.local == CivilDate(year: 1996, month: 7, day: 17, hour: 2, minute: 44, second: 25))
        #expect(moment.utc.hour == 9)
    }
}
