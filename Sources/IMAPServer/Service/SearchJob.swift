import IMAPSyntax
import MailStore
import MailVocabulary

/// A search from its keys to its answer: finding, scoring, reading what it is to be sorted by, sorting. It is done in
/// slices of time; between them it is a value that waits in the session.
package struct SearchJob: Sendable {
    private enum Stage: Sendable {
        case finding(SearchRun)
        case scoring(ScoreRun)
        case reading(ColumnBuild)
        case done
    }

    let task: SearchTask
    private let store: any MailStore
    private let cache: ColumnCache
    /// Seconds since 1970.
    private let now: Int64
    private let lowest: UInt32?
    private var stage: Stage
    private var found = NumberSet()
    private var table = ColumnTable()
    private var scores: [UInt32: UInt8] = [:]
    private var unreadable = 0
    /// Stages that take time and are done.
    private var stagesDone = 0.0

    /// Throws `SearchProblem`.
    init(_ task: SearchTask, store: any MailStore, cache: ColumnCache, now: Int64) throws {
        self.task = task
        self.store = store
        self.cache = cache
        self.now = now
        let whole = try SearchProgram(
            task.request.key, in: task.mailbox, now: now, allowsAnyNumbers: task.allowsAnyNumbers)
        let (program, lowest) = whole.limited(to: task.limit, in: task.mailbox.view)
        self.lowest = lowest
        stage = .finding(SearchRun(store: store, cache: cache, view: task.mailbox.view, program))
    }

    private var needsScores: Bool { task.wantsScores || task.order.needsScores }

    /// How many messages' worth of work is done, of how many: it only grows, and never reaches the second.
    package var progress: (done: Int, all: Int) {
        let stages = 1.0 + (needsScores ? 1 : 0) + (task.order.columns.isEmpty ? 0 : 1)
        let present: Double =
            switch stage {
            case .finding(let run): run.progress
            case .scoring(let run): run.progress
            case .reading(let build): Double(build.done) / Double(max(1, build.total))
            case .done: 0
            }
        let all = max(1, task.mailbox.view.count)
        return (min(all - 1, Int(Double(all) * (stagesDone + present) / stages)), all)
    }

    /// True when all is done; false when the time is over before.
    mutating func advance(until deadline: ContinuousClock.Instant?) async throws -> Bool {
        while true {
            let present = stage
            // Not held twice: what grows in it is not copied.
            stage = .done
            switch present {
            case .finding(var run):
                let isDone = try await run.advance(until: deadline)
                guard isDone else {
                    stage = .finding(run)
                    return false
                }
                found = run.sequenceNumbers
                unreadable = run.unreadable
                stagesDone += 1
                stage = try await afterFinding()
            case .scoring(var run):
                let isDone = try await run.advance(until: deadline)
                guard isDone else {
                    stage = .scoring(run)
                    return false
                }
                scores = run.scores
                stagesDone += 1
                stage = await readingStage()
            case .reading(var build):
                let isDone = try await build.advance(store, until: deadline)
                guard isDone else {
                    stage = .reading(build)
                    return false
                }
                adopt(build)
                stage = await readingStage()
            case .done: return true
            }
        }
    }

    private mutating func afterFinding() async throws -> Stage {
        guard needsScores, !found.isEmpty else { return await readingStage() }
        let uids = task.mailbox.view.uids(atSequenceNumbers: found)
        return .scoring(try ScoreRun(uids, of: task, store: store, cache: cache, now: now))
    }

    /// Messages up to which only theirs are read, when no columns are at hand.
    private static let fewMessages = 1000

    /// Reads what the order needs: of the messages found when they are few, else of the mailbox, and keeps it.
    private mutating func readingStage() async -> Stage {
        let (kinds, view) = (task.order.columns, task.mailbox.view)
        guard !kinds.isEmpty, !found.isEmpty else { return .done }
        if table.columns.isEmpty {
            table = cache.table(of: view)
            guard table.missing(kinds, in: view) != nil else { return .done }
            guard !isOfFew else {
                table = ColumnTable()
                return .reading(ColumnBuild(kinds, of: bodiesFound))
            }
            table = await cache.table(of: view, with: kinds, from: store)
        } else if isOfFew {
            // After few were read, there is nothing more to read.
            return .done
        }
        return ColumnBuild(completing: table, kinds, in: view).map { .reading($0) } ?? .done
    }

    private var isOfFew: Bool { found.count <= Self.fewMessages }

    private var bodiesFound: [(uid: UInt32, body: BodyID)] {
        var bodies: [(uid: UInt32, body: BodyID)] = []
        for range in found.ranges {
            task.mailbox.view.forEach(in: Int(range.lowerBound) - 1..<Int(range.upperBound)) {
                bodies.append(($1.uid.value, $1.body))
            }
        }
        return bodies
    }

    private mutating func adopt(_ build: ColumnBuild) {
        table.adopt(build, through: build.through)
        guard !isOfFew else { return }
        cache.keep(table, of: task.mailbox.view)
        cache.startKeeping(task.mailbox.view, in: store)
    }

    /// The answer, once `advance` has returned true.
    func findings() -> SearchFindings {
        var findings = SearchFindings()
        let view = task.mailbox.view
        let positions = found.ranges.map { Int($0.lowerBound) - 1..<Int($0.upperBound) }
        let uids = view.uids(at: positions)
        findings.uids = NumberSet(ascending: uids)
        findings.unreadable = unreadable
        findings.lowest = lowest
        switch task.order {
        case .mailbox:
            findings.numbers = ResultList(task.usesUIDs ? findings.uids : found)
            if task.wantsScores { findings.scores = uids.map { scores[$0] ?? 1 } }
        case .sorted(let criteria):
            let order = sorting().order(by: criteria)
            let sorted = order.map { uids[Int($0)] }
            findings.sortedUIDs = sorted
            let numbers = task.usesUIDs ? uids : sequenceNumbers
            findings.numbers = ResultList(inOrder: order.map { numbers[Int($0)] })
            if task.wantsScores { findings.scores = sorted.map { scores[$0] ?? 1 } }
        case .threads(let algorithm):
            findings.threads = sorting().threads(algorithm, numbers: task.usesUIDs ? uids : sequenceNumbers)
        }
        if task.request.key.namesModSeq {
            let told = findings.sortedUIDs.map { ResultList(inOrder: $0) } ?? ResultList(findings.uids)
            findings.modSeq = view.highestModSeq(of: task.messagesOfModSeq(told))
        }
        return findings
    }

    /// Of what was found, one by one.
    private var sequenceNumbers: [UInt32] {
        var numbers: [UInt32] = []
        numbers.reserveCapacity(found.count)
        for range in found.ranges { for number in range { numbers.append(number) } }
        return numbers
    }

    private func sorting() -> MessageSorting {
        var sorting = MessageSorting(found, in: task.mailbox.view, table)
        sorting.scores = scores
        return sorting
    }
}
