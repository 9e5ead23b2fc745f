import Foundation
import MailVocabulary

/// A day's report to a domain (RFC 8460 §4.4).
struct TLSReport: Sendable {
    /// The reporting organization's domain.
    var submitter: String
    /// An address.
    var contact: String
    var domain: String
    /// Days since 1970.
    var day: Int64
    var identifier: String
    var policies: [ReportedPolicy: TLSLedger.Tally]

    /// Seconds since 1970.
    var begin: Int64 { day * 86_400 }
    var end: Int64 { begin + 86_399 }

    // filename = sender "!" policy-domain "!" begin-timestamp "!" end-timestamp [ "!" unique-id ] "." extension
    //     RFC 8460 §5.1
    var fileName: String { "\(submitter)!\(domain)!\(begin)!\(end)!\(identifier).json.gz" }

    func json() throws -> [UInt8] {
        let sorted = policies.sorted {
            ($0.key.kind.rawValue, $0.key.policyDomain) < ($1.key.kind.rawValue, $1.key.policyDomain)
        }
        let body = Body(
            organization: submitter, range: Body.Range(start: Self.text(begin), end: Self.text(end)), contact: contact,
            identifier: identifier, policies: sorted.map { Body.Section($0.key, $0.value) })
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(body))
    }

    // date-time        RFC 3339 §5.6
    private static func text(_ seconds: Int64) -> String {
        let date = CivilDate(secondsSinceEpoch: seconds)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(date.year)-\(two(date.month))-\(two(date.day))T\(two(date.hour)):\(two(date.minute)):\(two(date.second))Z"
    }
}

/// The JSON's shape and names.
private struct Body: Encodable {
    struct Range: Encodable {
        var start: String
        var end: String

        enum CodingKeys: String, CodingKey {
            case start = "start-datetime"
            case end = "end-datetime"
        }
    }

    struct Policy: Encodable {
        var type: String
        var lines: [String]?
        var domain: String
        var hosts: [String]?

        enum CodingKeys: String, CodingKey {
            case type = "policy-type"
            case lines = "policy-string"
            case domain = "policy-domain"
            case hosts = "mx-host"
        }
    }

    struct Summary: Encodable {
        var successes: Int
        var failures: Int

        enum CodingKeys: String, CodingKey {
            case successes = "total-successful-session-count"
            case failures = "total-failure-session-count"
        }
    }

    struct Failure: Encodable {
        var type: String
        var sendingAddress: String?
        var receivingHost: String?
        var receivingAddress: String?
        var count: Int
        var reason: String?

        enum CodingKeys: String, CodingKey {
            case type = "result-type"
            case sendingAddress = "sending-mta-ip"
            case receivingHost = "receiving-mx-hostname"
            case receivingAddress = "receiving-ip"
            case count = "failed-session-count"
            case reason = "failure-reason-code"
        }
    }

    struct Section: Encodable {
        var policy: Policy
        var summary: Summary
        var failures: [Failure]?

        enum CodingKeys: String, CodingKey {
            case policy, summary
            case failures = "failure-details"
        }

        init(_ reported: ReportedPolicy, _ tally: TLSLedger.Tally) {
            policy = Policy(
                type: reported.kind.rawValue, lines: reported.lines.isEmpty ? nil : reported.lines,
                domain: reported.policyDomain, hosts: reported.hostPatterns.isEmpty ? nil : reported.hostPatterns)
            summary = Summary(successes: tally.successes, failures: tally.failures)
            let details = tally.details.map { detail, count in
                Failure(
                    type: detail.failure.rawValue, sendingAddress: detail.sendingAddress,
                    receivingHost: detail.receivingHost, receivingAddress: detail.receivingAddress, count: count,
                    reason: detail.reason)
            }
            failures = details.isEmpty ? nil : details.sorted { ($0.count, $0.type) > ($1.count, $1.type) }
        }
    }

    var organization: String
    var range: Range
    var contact: String
    var identifier: String
    var policies: [Section]

    enum CodingKeys: String, CodingKey {
        case organization = "organization-name"
        case range = "date-range"
        case contact = "contact-info"
        case identifier = "report-id"
        case policies
    }
}
