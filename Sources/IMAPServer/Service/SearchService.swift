import IMAPSyntax
import MailStore
import MailVocabulary

/// How long a search runs until its client is told how far it is, the first time and then: every 10 to 15 seconds
/// (RFC 9585 §4).
package struct ProgressIntervals: Sendable {
    package var first: Duration = .seconds(10)
    package var next: Duration = .seconds(10)

    package init() {}
}

extension IMAPService {
    func search(_ task: SearchTask) async throws -> IMAPOutcome {
        do {
            let job = try SearchJob(task, store: store, cache: columns, now: now().seconds)
            return try await advance(job, for: progressIntervals.first)
        } catch let problem as SearchProblem {
            return .unsearchable(problem)
        }
    }

    func advance(_ job: SearchJob) async throws -> IMAPOutcome {
        do {
            return try await advance(job, for: progressIntervals.next)
        } catch let problem as SearchProblem {
            return .unsearchable(problem)
        }
    }

    private func advance(_ job: consuming SearchJob, for time: Duration) async throws -> IMAPOutcome {
        var job = job
        let isDone = try await job.advance(until: .now + time)
        return isDone ? .matched(job.findings()) : .searching(job)
    }
}
