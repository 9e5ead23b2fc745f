import MailStore
import Testing

@testable import SQLiteStore

@Suite("Body numbers as runs")
struct BodyRunsTests {
    @Test(
        arguments: [
            ([], []), ([5], [5...5]), ([3, 1, 2], [1...3]), ([1, 3, 4], [1...1, 3...4]), ([2, 2], [2...2, 2...2]),
            ([1, 2, 2, 3, 2], [1...3, 2...2, 2...2]),
        ] as [([Int64], [ClosedRange<Int64>])])
    func runs(_ numbers: [Int64], _ expected: [ClosedRange<Int64>]) throws {
        var runs: [ClosedRange<Int64>] = []
        try BodyRuns.forEach(numbers.map { BodyID($0) }) { runs.append($0) }
        #expect(runs == expected)
    }
}
