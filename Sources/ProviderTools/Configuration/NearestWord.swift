/// The candidate fewest edits away from a word, when so near that it may be what was meant.
func nearestWord(to word: String, among candidates: [String]) -> String? {
    let scored = candidates.map { (candidate: $0, distance: editDistance(Array(word.utf8), Array($0.utf8))) }
    guard let best = scored.min(by: { $0.distance < $1.distance }),
        best.distance <= max(2, best.candidate.utf8.count / 3)
    else { return nil }
    return best.candidate
}

/// Levenshtein's distance: insertions, deletions and substitutions.
private func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
    // Words longer than any key are not near one.
    guard a.count <= 64 else { return a.count }
    var previous = Array(0...b.count)
    for (i, x) in a.enumerated() {
        var current = [i + 1]
        for (j, y) in b.enumerated() {
            current.append(min(previous[j + 1] + 1, current[j] + 1, previous[j] + (x == y ? 0 : 1)))
        }
        previous = current
    }
    return previous[b.count]
}
