import MailVocabulary
import Testing

@Suite("Measurements")
struct MeasurementTests {
    @Test func histogramsCountByRange() {
        let histogram = Histogram()
        histogram.record(.microseconds(500))
        histogram.record(.microseconds(501))
        histogram.record(.seconds(5))
        histogram.record(.seconds(6))
        histogram.record(.seconds(-1))
        histogram.record(.seconds(Int64.max))
        let (counts, _) = histogram.snapshot
        #expect(counts.count == Histogram.bounds.count + 1)
        #expect(counts[0] == 2 && counts[1] == 1 && counts[Histogram.bounds.count - 1] == 1 && counts.last == 2)
    }

    @Test func histogramsAddUp() {
        let histogram = Histogram()
        for _ in 0..<4 { histogram.record(.milliseconds(250)) }
        #expect(histogram.snapshot.seconds == 1)
    }

    @Test("Words from outside never fill memory")
    func labelsAreBounded() {
        let counter = LabelledCounter(labels: ["a", "b"], limit: 3)
        for number in 0..<100 { counter.increment(["x", "\(number)"]) }
        counter.increment(["x", "1"])
        #expect(counter.snapshot == [["x", "0"]: 1, ["x", "1"]: 2, ["x", "2"]: 1, ["other", "other"]: 97])
    }
}
