import MailVocabulary

/// Prometheus' text exposition format, version 0.0.4.
struct MetricsText {
    enum Kind: String {
        case counter, gauge, histogram
    }

    private(set) var text = ""

    /// A family with one value.
    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: Double) {
        family(name, kind, help)
        sample(name, [], value)
    }

    mutating func add(_ name: String, _ kind: Kind, _ help: String, _ value: some BinaryInteger) {
        add(name, kind, help, Double(value))
    }

    /// A family with values by labels, in a stable order.
    mutating func add(
        _ name: String, _ kind: Kind, _ help: String, labels: [String], _ values: [[String]: Double]
    ) {
        family(name, kind, help)
        for (words, value) in values.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            sample(name, Array(zip(labels, words)), value)
        }
    }

    mutating func add(_ name: String, _ help: String, _ counter: LabelledCounter) {
        add(name, .counter, help, labels: counter.labels, counter.snapshot.mapValues { Double($0) })
    }

    /// Seconds, by cumulative ranges.
    mutating func add(_ name: String, _ help: String, _ histogram: Histogram) {
        family(name, .histogram, help)
        let (counts, seconds) = histogram.snapshot
        var sum: UInt64 = 0
        for (index, count) in counts.enumerated() {
            sum += count
            let bound = index < Histogram.bounds.count ? number(Histogram.bounds[index]) : "+Inf"
            sample(name + "_bucket", [("le", bound)], Double(sum))
        }
        sample(name + "_sum", [], seconds)
        sample(name + "_count", [], Double(sum))
    }

    private mutating func family(_ name: String, _ kind: Kind, _ help: String) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind.rawValue)\n"
    }

    private mutating func sample(_ name: String, _ labels: [(String, String)], _ value: Double) {
        text += name
        if !labels.isEmpty {
            text += "{" + labels.map { "\($0.0)=\"\(escaped($0.1))\"" }.joined(separator: ",") + "}"
        }
        text += " \(number(value))\n"
    }

    /// Whole numbers as such.
    private func number(_ value: Double) -> String {
        guard value.rounded() == value, abs(value) < 1e15 else { return "\(value)" }
        return String(Int64(value))
    }

    private func escaped(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
