/// The results of a search that is kept up to date, as a client knows them from ESEARCH alone (RFC 5267 §4.3).
struct ModelContext {
    /// What the search is when it is not kept up to date: its whole answer is what this must be.
    let command: String
    let usesUIDs: Bool
    let isSorted: Bool
    private(set) var results: [UInt32] = []
    private(set) var problem: String?

    init(_ command: String, usesUIDs: Bool, isSorted: Bool) {
        self.command = command
        self.usesUIDs = usesUIDs
        self.isSorted = isSorted
    }

    private mutating func fail(_ text: String) { problem = problem ?? "\(command): \(text)" }

    /// What an ESEARCH answer has in ALL.
    static func all(_ answer: Substring) -> [UInt32] {
        guard let start = answer.firstRange(of: " ALL ") else { return [] }
        return numbers(answer[start.upperBound...].prefix { $0 != " " && $0 != "\r\n" })
    }

    private static func numbers(_ set: Substring) -> [UInt32] { MailboxModel.ranges(set).flatMap { Array($0) } }

    /// - Parameters:
    ///   - answer: behind the tag.
    ///   - count: how many messages the client knows of.
    mutating func read(_ answer: Substring, count: Int) {
        if answer.contains(" ALL ") { results = ModelContext.all(answer) }
        var rest = answer
        while let start = rest.firstRange(of: "("), let end = rest.firstRange(of: ")") {
            let words = rest[start.upperBound..<end.lowerBound].split(separator: " ")
            let isAddition = rest[..<start.lowerBound].hasSuffix("ADDTO ")
            rest = rest[end.upperBound...]
            if words.count % 2 != 0 { fail("no pairs: \(answer)") }
            for index in stride(from: 0, to: words.count - 1, by: 2) {
                guard let position = Int(words[index]) else { return fail("no position: \(answer)") }
                let numbers = ModelContext.numbers(words[index + 1])
                if !usesUIDs, numbers.contains(where: { $0 > UInt32(count) }) { fail("of no message: \(answer)") }
                if isAddition { add(numbers, at: position) } else { remove(numbers, at: position) }
            }
        }
    }

    private mutating func add(_ numbers: [UInt32], at position: Int) {
        guard Set(numbers).isDisjoint(with: results) else { return fail("ADDTO of \(numbers) to \(results)") }
        guard position > 0 else {
            if isSorted { fail("ADDTO nowhere") }
            results = (results + numbers).sorted()
            return
        }
        guard position - 1 <= results.count else { return fail("ADDTO at \(position) of \(results)") }
        results.insert(contentsOf: numbers, at: position - 1)
    }

    private mutating func remove(_ numbers: [UInt32], at position: Int) {
        guard Set(numbers).isSubset(of: results) else { return fail("REMOVEFROM of \(numbers) from \(results)") }
        guard position > 0 else {
            if isSorted { fail("REMOVEFROM nowhere") }
            results.removeAll(where: numbers.contains)
            return
        }
        guard results[(position - 1)...].starts(with: numbers) else {
            return fail("REMOVEFROM of \(numbers) at \(position) of \(results)")
        }
        results.removeSubrange(position - 1..<position - 1 + numbers.count)
    }

    /// A message is expunged: it was taken out before (§4.3.4), and later ones have other numbers.
    mutating func forgetNumber(_ number: UInt32) {
        guard !usesUIDs else { return }
        if results.contains(number) { fail("\(number) is expunged, and was not taken out of \(results)") }
        results = results.map { $0 > number ? $0 - 1 : $0 }
    }
}
