import Foundation
import Synchronization

/// Counts how TLS went, by UTC day, domain and policy, until it is reported. What was counted since it was saved last is
/// lost with the process: reports are statistics.
package final class TLSLedger: TLSResultRecorder {
    /// Bounds of what is kept for a day. Beyond them results are not counted, or without their details.
    static let maximumDomains = 10_000
    static let maximumPolicies = 20
    static let maximumDetails = 50
    /// Days for which a report is tried; then it is of no use any more.
    static let maximumDays: Int64 = 3
    private static let maximumReasonLength = 200
    private static let fileName = "tls-results.json"

    /// What is told of failures that are alike.
    struct Detail: Sendable, Hashable, Codable {
        var failure: TLSFailure
        var sendingAddress: String?
        var receivingAddress: String?
        var receivingHost: String?
        var reason: String?
    }

    struct Tally: Sendable, Hashable {
        var successes = 0
        var failures = 0
        var details: [Detail: Int] = [:]
    }

    typealias Day = [String: [ReportedPolicy: Tally]]

    private struct Content {
        /// By days since 1970.
        var days: [Int64: Day] = [:]
        var isChanged = false
    }

    private let directory: String?
    private let now: @Sendable () -> Int64
    private let content: Mutex<Content>

    /// Reads what was kept. Blocks.
    ///
    /// - Parameters:
    ///   - directory: where a file is kept over a restart. Nil: nothing is.
    ///   - now: seconds since 1970.
    package init(directory: String?, now: @escaping @Sendable () -> Int64) {
        self.directory = directory
        self.now = now
        let file = directory.map { "\($0)/\(Self.fileName)" }
        content = Mutex(Content(days: file.flatMap(LedgerFile.read) ?? [:]))
    }

    package func record(_ result: TLSSessionResult) {
        let day = now() / 86_400
        content.withLock { content in
            content.isChanged = true
            if content.days[day] == nil { content.days = content.days.filter { $0.key > day - Self.maximumDays } }
            Self.count(result, &content.days[day, default: [:]])
        }
    }

    private static func count(_ result: TLSSessionResult, _ day: inout Day) {
        let domain = result.policy.recipientDomain
        guard day[domain] != nil || day.count < maximumDomains else { return }
        var policies = day[domain] ?? [:]
        guard policies[result.policy] != nil || policies.count < maximumPolicies else { return }
        var tally = policies[result.policy] ?? Tally()
        if let failure = result.failure {
            tally.failures += 1
            let detail = Detail(
                failure: failure, sendingAddress: result.sendingAddress, receivingAddress: result.receivingAddress,
                receivingHost: result.receivingHost, reason: result.reason.map(printable))
            if tally.details[detail] != nil || tally.details.count < maximumDetails {
                tally.details[detail, default: 0] += 1
            }
        } else {
            tally.successes += 1
        }
        policies[result.policy] = tally
        day[domain] = policies
    }

    /// Reasons may quote a peer.
    private static func printable(_ text: String) -> String {
        let scalars = text.unicodeScalars.prefix(maximumReasonLength).map {
            (0x20...0x7E).contains($0.value) ? $0 : "?"
        }
        return String(String.UnicodeScalarView(scalars))
    }

    /// Writes what has changed. Blocks.
    package func save() {
        let days: [Int64: Day]? = content.withLock { content in
            guard content.isChanged else { return nil }
            content.isChanged = false
            return content.days
        }
        guard let days, let directory else { return }
        try? FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        LedgerFile.write(days, to: "\(directory)/\(Self.fileName)")
    }

    /// Whole days that are to be reported, with their domains, the oldest first.
    var due: [(day: Int64, domain: String, policies: [ReportedPolicy: Tally])] {
        let today = now() / 86_400
        return content.withLock { content in
            content.days = content.days.filter { $0.key > today - Self.maximumDays }
            return content.days.filter { $0.key < today }.sorted { $0.key < $1.key }.flatMap { day, domains in
                domains.sorted { $0.key < $1.key }.map { (day, $0.key, $0.value) }
            }
        }
    }

    /// A report has been sent, or is not wanted.
    func forget(_ domain: String, on day: Int64) {
        content.withLock { content in
            content.days[day]?[domain] = nil
            if content.days[day]?.isEmpty == true { content.days[day] = nil }
            content.isChanged = true
        }
    }
}

/// The ledger as JSON: dictionaries with keys of several parts become lists.
private enum LedgerFile {
    private struct Entry: Codable {
        var day: Int64
        var policy: ReportedPolicy
        var successes: Int
        var failures: Int
        var details: [Row]
    }

    private struct Row: Codable {
        var detail: TLSLedger.Detail
        var count: Int
    }

    /// Nil when there is none, or it cannot be understood.
    static func read(_ file: String) -> [Int64: TLSLedger.Day]? {
        guard let data = FileManager.default.contents(atPath: file),
            let entries = try? JSONDecoder().decode([Entry].self, from: data)
        else { return nil }
        var days: [Int64: TLSLedger.Day] = [:]
        for entry in entries {
            let details = Dictionary(entry.details.map { ($0.detail, $0.count) }) { $0 + $1 }
            days[entry.day, default: [:]][entry.policy.recipientDomain, default: [:]][entry.policy] = TLSLedger.Tally(
                successes: entry.successes, failures: entry.failures, details: details)
        }
        return days
    }

    static func write(_ days: [Int64: TLSLedger.Day], to file: String) {
        let entries = days.flatMap { day, domains in
            domains.values.flatMap { policies in
                policies.map { policy, tally in
                    Entry(
                        day: day, policy: policy, successes: tally.successes, failures: tally.failures,
                        details: tally.details.map { Row(detail: $0.key, count: $0.value) })
                }
            }
        }
        guard let data = try? JSONEncoder().encode(entries) else { return }
        try? data.write(to: URL(fileURLWithPath: file), options: .atomic)
    }
}
