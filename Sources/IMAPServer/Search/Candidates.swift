/// The messages that may match, by position: what an index of text leaves to be looked at.
struct Candidates: Sendable {
    private var words: [UInt64]

    /// All of them.
    init(count: Int) { words = [UInt64](repeating: .max, count: (count + 63) / 64) }

    func contains(_ position: Int) -> Bool {
        position / 64 >= words.count || words[position / 64] >> UInt64(position % 64) & 1 != 0
    }

    mutating func remove(_ position: Int) {
        if position / 64 < words.count { words[position / 64] &= ~(1 << UInt64(position % 64)) }
    }
}

extension SearchProgram {
    /// The texts that are looked for anywhere in it.
    var needles: [Needle] {
        switch self {
        case .envelope(_, let needle), .body(let needle), .text(let needle): [needle]
        case .header(_, let needle): needle.map { [$0] } ?? []
        case .not(let program): program.needles
        case .any(let programs), .all(let programs): programs.flatMap(\.needles)
        case .constant, .flags, .uids, .sequenceNumbers, .modSeq, .larger, .smaller, .arrived, .savedDay, .email,
            .thread, .day, .sentDay,
            .candidates:
            []
        }
    }

    /// The same, with every text only where it may be: whoever judges needs no content to say no, and under NOT, yes.
    /// - Parameter candidates: by needle, for those of which something is known.
    func narrowed(by candidates: [[UInt8]: Candidates]) -> SearchProgram {
        switch self {
        case .envelope(_, let needle), .header(_, let needle?), .body(let needle), .text(let needle):
            candidates[needle.octets].map { .all([.candidates($0), self]) } ?? self
        case .not(let program): .not(program.narrowed(by: candidates))
        case .any(let programs): .any(programs.map { $0.narrowed(by: candidates) })
        case .all(let programs): .all(programs.map { $0.narrowed(by: candidates) })
        case .constant, .flags, .uids, .sequenceNumbers, .modSeq, .larger, .smaller, .arrived, .savedDay, .email,
            .thread, .day, .sentDay,
            .header(_, nil),
            .candidates:
            self
        }
    }
}
