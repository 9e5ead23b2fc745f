import Foundation
package import MailDNS
package import MailVocabulary
import SessionRuntime

/// Hands reports to web servers (RFC 8460 §5.4).
protocol TLSReportUploader: Sendable {
    /// Whether it was taken.
    func upload(_ gzip: [UInt8], host: String, port: Int, path: String) async -> Bool
}

/// Sends the reports of past days to the domains that want them, once a day.
package actor TLSReporter {
    /// Results are saved so often, and reports that could not be sent are tried again a little less often.
    private static let saveInterval = Duration.seconds(60)
    private static let retryInterval: Int64 = 3600
    /// Reports go out within so many seconds of midnight UTC, at a time of each server's own (RFC 8460 §4.1).
    private static let latestOffset: Int64 = 4 * 3600

    private let ledger: TLSLedger
    private let resolver: any DNSResolver
    private let uploader: any TLSReportUploader
    private let submitter: String
    private let contact: Address
    private let submit: @Sendable (TLSReportMail) async throws -> Void
    private let now: @Sendable () -> Int64
    private let offset = Int64.random(in: 0..<TLSReporter.latestOffset)
    private var nextAttempt: Int64 = 0

    /// - Parameters:
    ///   - submitter: the domain that reports.
    ///   - contact: the address that reports name and come from.
    ///   - submit: takes a message in as mail from the server itself; throws when it cannot now.
    package init(
        ledger: TLSLedger, resolver: any DNSResolver, submitter: String, contact: Address,
        trustRootsFile: String? = nil,
        now: @escaping @Sendable () -> Int64, submit: @escaping @Sendable (TLSReportMail) async throws -> Void
    ) {
        self.init(
            ledger: ledger, resolver: resolver,
            uploader: HTTPSReportUploader(
                exchange: HTTPSExchange(resolver: resolver, trustRootsFile: trustRootsFile)),
            submitter: submitter, contact: contact, now: now, submit: submit)
    }

    init(
        ledger: TLSLedger, resolver: any DNSResolver, uploader: any TLSReportUploader, submitter: String,
        contact: Address, now: @escaping @Sendable () -> Int64,
        submit: @escaping @Sendable (TLSReportMail) async throws -> Void
    ) {
        (self.ledger, self.resolver, self.uploader) = (ledger, resolver, uploader)
        (self.submitter, self.contact, self.now, self.submit) = (submitter, contact, now, submit)
    }

    /// Until it is cancelled: saves results, and sends reports when a day is over.
    package func run() async {
        while !Task.isCancelled {
            ledger.save()
            if now() % 86_400 >= offset, now() >= nextAttempt {
                nextAttempt = now() + Self.retryInterval
                await sendDue()
            }
            try? await Task.sleep(for: Self.saveInterval)
        }
        ledger.save()
    }

    /// Sends the reports of all days before today that are not sent yet.
    package func sendDue() async {
        for (day, domain, policies) in ledger.due {
            guard !Task.isCancelled else { return }
            if await send(domain, day, policies) { ledger.forget(domain, on: day) }
        }
    }

    /// Whether the domain needs no further attempt.
    private func send(_ domain: String, _ day: Int64, _ policies: [ReportedPolicy: TLSLedger.Tally]) async -> Bool {
        guard let answer = try? await resolver.lookUp("_smtp._tls.\(domain)", .txt) else { return false }
        if case .bogus = answer.security { return false }
        let texts = answer.records.compactMap { if case .txt(let text) = $0 { text } else { nil } }
        guard let record = TLSReportRecord(texts) else { return true }
        let report = TLSReport(
            submitter: submitter, contact: contact.description, domain: domain, day: day,
            identifier: "\(day)-\(UUID().uuidString.lowercased())", policies: policies)
        guard let json = try? report.json(), let gzip = gzipped(json) else { return false }
        return await deliver(report, gzip, to: record.destinations)
    }

    /// To all destinations; one that takes it is enough.
    private func deliver(
        _ report: TLSReport, _ gzip: [UInt8], to destinations: [TLSReportRecord.Destination]
    ) async -> Bool {
        var isDelivered = false
        var recipients: [Address] = []
        for destination in destinations {
            switch destination {
            case .mail(let address): recipients.append(address)
            case .web(let host, let port, let path):
                if await uploader.upload(gzip, host: host, port: port, path: path) { isDelivered = true }
            }
        }
        guard !recipients.isEmpty else { return isDelivered }
        let mail = TLSReportMail(report, sender: contact, recipients: recipients, gzip: gzip, at: now())
        do { try await submit(mail) } catch { return isDelivered }
        return true
    }
}

struct HTTPSReportUploader: TLSReportUploader {
    var exchange: HTTPSExchange

    func upload(_ gzip: [UInt8], host: String, port: Int, path: String) async -> Bool {
        let request = HTTPSExchange.Request(
            host: host, port: port, path: path, content: ("application/tlsrpt+gzip", gzip))
        do throws(HTTPSExchange.Failure) {
            return (200..<300).contains(try await exchange.perform(request).status)
        } catch { return false }
    }
}
