import IMAPSyntax
import MailStore
import MailVocabulary

/// Finds out how well each of some messages matches what is looked for under FUZZY (RFC 6203 §4): searches again in
/// them, for the texts exactly, and for their words.
struct ScoreRun: Sendable {
    private var levels: [(text: Int, score: Int, run: SearchRun)] = []
    private let uids: NumberSet
    private let view: MailboxSnapshot
    private let textCount: Int
    private var next = 0
    /// By text, then by UID: the best level's score.
    private var best: [[UInt32: Int]]

    /// Throws `SearchProblem`.
    init(_ uids: NumberSet, of task: SearchTask, store: any MailStore, cache: ColumnCache, now: Int64) throws {
        self.uids = uids
        view = task.mailbox.view
        let texts = task.request.key.scoredKeys.prefix(ScoreLevel.maximumTexts)
        textCount = texts.count
        best = Array(repeating: [:], count: texts.count)
        for (text, key) in texts.enumerated() {
            let loosest = ScoreLevel(key: key.loosened(), score: ScoreLevel.lowest)
            for level in ScoreLevel.levels(of: key) + [loosest] {
                let program = try SearchProgram(level.key, in: task.mailbox, now: now)
                let run = SearchRun(store: store, cache: cache, view: view, .all([.uids(uids), program]))
                levels.append((text, level.score, run))
            }
        }
    }

    var progress: Double { levels.isEmpty ? 1 : Double(next) / Double(levels.count) }

    mutating func advance(until deadline: ContinuousClock.Instant?) async throws -> Bool {
        while next < levels.count {
            guard try await levels[next].run.advance(until: deadline) else { return false }
            let level = levels[next]
            for uid in view.uids(atSequenceNumbers: level.run.sequenceNumbers) where best[level.text][uid] == nil {
                best[level.text][uid] = level.score
            }
            next += 1
        }
        return true
    }

    /// 1...100 by UID. Where nothing is scored but flags and the like, which match or do not, all match fully.
    var scores: [UInt32: UInt8] {
        var scores: [UInt32: UInt8] = [:]
        for uid in uids {
            let sum = best.reduce(0) { $0 + ($1[uid] ?? 0) }
            scores[uid] = textCount == 0 ? 100 : UInt8(clamping: max(1, sum / textCount))
        }
        return scores
    }
}
