import IMAPSyntax
import MailVocabulary
import Testing

@Suite struct SequenceSetTests {
    func set(_ text: String) throws -> SequenceSet {
        guard case .copy(let set, _, _) = try parse("a COPY \(text) x").request else { throw SyntaxError("no COPY") }
        return set
    }

    @Test(arguments: [
        ("1", "1"), ("4294967295", "4294967295"), ("1:*", "1:10"), ("*:4", "4:10"), ("4:2", "2:4"), ("*", "10"),
        ("*:*", "10"), ("20:*", "10:20"), ("2,4:7,9,12:*", "2,4:7,9:12"), ("*:4,5:7", "4:10"), ("3,2,1", "1:3"),
        ("4294967295:*", "10:4294967295"), ("1:4294967295", "1:4294967295"), ("1,1,1:1", "1"),
    ])
    func resolvesInAMailboxOfTen(_ fixture: (text: String, numbers: String)) throws {
        #expect(try set(fixture.text).resolved(largest: 10).description == fixture.numbers)
    }

    @Test func resolvesInAnEmptyMailbox() throws {
        #expect(try set("*").resolved(largest: 0).isEmpty)
        #expect(try set("*:*").resolved(largest: 0).isEmpty)
        #expect(try set("1:*").resolved(largest: 0) == NumberSet(1...1))
        #expect(try set("5").resolved(largest: 0) == NumberSet(5...5))
    }

    @Test func saved() throws {
        let found = NumberSet([2...3, 7...7])
        #expect(try set("$").resolved(largest: 10, saved: found) == found)
        #expect(try set("$").largestNumber == nil)
        #expect(!(try set("$").hasWildcard))
    }

    @Test func largestNumber() throws {
        #expect(try set("3:7,2").largestNumber == 7)
        #expect(try set("9:1,*").largestNumber == 9)
        #expect(try set("*").largestNumber == nil)
        #expect(try set("9:1,*").hasWildcard)
        #expect(!(try set("9:1").hasWildcard))
    }

    @Test(arguments: [
        "0", "01", "0:1", "1:0", "4294967296", "99999999999999999999999", "", ":", "1:", ":1", ",", "1,", ",1", "1,,2",
        "1:2:3", "**", "*1", "1*", "-1", "1-2", "$1", "$:2", "a", "1;2", "(1)", "\"1\"",
    ])
    func rejected(_ text: String) {
        #expect(error("COPY \(text) x")?.answer == .bad)
    }

    @Test func manyRangesInReverse() throws {
        // As long as a line may be, in the worst order: sorted once, not inserted one by one.
        let numbers = (1...1300).reversed().map { String($0 * 2 + 1000) }.joined(separator: ",")
        let resolved = try set(numbers).resolved(largest: 1)
        #expect(resolved.count == 1300)
        #expect(resolved.ranges.count == 1300)
    }
}
