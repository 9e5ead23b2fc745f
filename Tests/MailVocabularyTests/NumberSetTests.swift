import MailTestSupport
import MailVocabulary
import Testing

@Suite struct NumberSetTests {
    @Test("Numbers, in order or not, also twice, become the same ranges")
    func numbers() {
        let expected = NumberSet([1...3, 7...7, UInt32.max - 1...UInt32.max])
        #expect(NumberSet(ascending: [1, 2, 2, 3, 7, .max - 1, .max, .max]) == expected)
        #expect(NumberSet(numbers: [.max, 7, 2, 3, .max - 1, 1, 7]) == expected)
        #expect(NumberSet(ascending: [UInt32]()) == NumberSet())
        #expect(NumberSet(numbers: []).isEmpty)
    }

    @Test("Ranges in any order become ascending, disjoint and non-adjacent")
    func normal() {
        let set = NumberSet([7...9, 1...3, 4...4, 8...12, 20...20] as [ClosedRange<UInt32>])
        #expect(set.description == "1:4,7:12,20")
        #expect(set.count == 11)
        #expect(set.min == 1)
        #expect(set.max == 20)
    }

    @Test("The largest number is a number like others")
    func top() {
        let set = NumberSet([UInt32.max - 1...UInt32.max - 1, UInt32.max...UInt32.max])
        #expect(set.ranges == [UInt32.max - 1...UInt32.max])
        #expect(set.contains(.max))
        #expect(set.union(NumberSet(1...UInt32.max)).count == Int(UInt32.max))
        #expect(NumberSet(1...UInt32.max).subtracting(set).ranges == [1...UInt32.max - 2])
        #expect(set.subtracting(NumberSet(1...UInt32.max)).isEmpty)
    }

    @Test("Set operations agree with a plain set of numbers", arguments: 0..<50)
    func model(_ seed: Int) {
        var random = SeededGenerator(seed: UInt64(seed))
        let a = Set((0..<40).map { _ in UInt32.random(in: 1...60, using: &random) })
        let b = Set((0..<40).map { _ in UInt32.random(in: 1...60, using: &random) })
        let (x, y) = (NumberSet(numbers: a), NumberSet(numbers: b))
        #expect(Array(x) == a.sorted())
        #expect(Array(x.union(y)) == a.union(b).sorted())
        #expect(Array(x.intersection(y)) == a.intersection(b).sorted())
        #expect(x.subtracting(y) == NumberSet(numbers: a.subtracting(b)))
        #expect((UInt32(0)...61).allSatisfy { x.contains($0) == a.contains($0) })
    }
}
