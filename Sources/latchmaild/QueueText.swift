import Foundation
import ProviderTools

/// The queue in words.
struct QueueText {
    /// Seconds since 1970.
    private let now: Int64

    init(now: Date) { self.now = Int64(now.timeIntervalSince1970) }

    func lines(_ status: QueueStatusRecord) -> [String] {
        guard status.messages > 0 else { return ["the queue is empty"] + activity(status) }
        var lines = [
            "\(count(status.messages, "message")) for \(count(status.recipients, "recipient")), "
                + size(status.octets)
        ]
        lines.append(
            "\(count(status.deliveriesDue, "delivery", "deliveries")) due, \(status.deliveriesWaiting) waiting to be "
                + "tried again, \(count(status.held, "message")) held")
        if let oldest = status.oldestArrival { lines.append("the oldest came \(span(now - oldest)) ago") }
        lines.append(
            count(status.destinations, "destination")
                + (status.unreachableDestinations == 0
                    ? "" : ", of which \(status.unreachableDestinations) could not be reached last time"))
        return lines + activity(status)
    }

    private func activity(_ status: QueueStatusRecord) -> [String] {
        guard let done = status.activity else { return ["no server is running"] }
        return [
            "\(count(done.inProgress, "delivery", "deliveries")) in progress",
            "since the server's start: \(count(Int(clamping: done.attempts), "attempt")), \(done.unreachable) found no "
                + "host; recipients: \(done.relayed) relayed, \(done.delivered) delivered, \(done.deferred) deferred, "
                + "\(done.failed) failed, \(done.expired) expired",
            "notices sent: \(done.failureNotices) of failure, \(done.delayNotices) of delay, \(done.successNotices) of "
                + "success",
        ]
    }

    /// - Parameter isLong: with all that is known.
    func lines(_ message: QueuedMessageRecord, _ isLong: Bool) -> [String] {
        let sender = message.sender.isEmpty ? "a notice" : "from \(printable(message.sender))"
        var lines = [
            "\(message.number)  \(message.name)  \(span(now - message.arrival)) old, \(size(message.size)), \(sender)"
        ]
        if let reason = message.holdReason { lines.append("    held: \(printable(reason))") }
        if isLong, message.priority != 0 { lines.append("    priority \(message.priority)") }
        if isLong, message.requiresTLS { lines.append("    requires TLS") }
        let shown = isLong ? message.recipients.count : 3
        for recipient in message.recipients.prefix(shown) {
            lines.append("    to \(printable(recipient.address)): \(state(recipient))")
            lines += heard(recipient, isLong)
        }
        if message.recipients.count > shown {
            lines.append("    and \(count(message.recipients.count - shown, "other recipient"))")
        }
        return lines
    }

    private func state(_ recipient: QueuedMessageRecord.Recipient) -> String {
        let tried =
            recipient.attempts == 0
            ? "not tried yet" : "tried \(recipient.attempts == 1 ? "once" : "\(recipient.attempts) times")"
        switch recipient.state {
        case .due: return "\(tried), due now"
        case .held: return tried
        case .waiting:
            guard let next = recipient.nextAttempt, next > now else { return "\(tried), due now" }
            return "\(tried), next in \(span(next - now))"
        case .failed: return "failed; the sender is being told"
        case .relayed: return "relayed; the sender is being told"
        case .delivered: return "delivered; the sender is being told"
        }
    }

    private func heard(_ recipient: QueuedMessageRecord.Recipient, _ isLong: Bool) -> [String] {
        guard let diagnostic = recipient.diagnostic, !diagnostic.isEmpty else { return [] }
        let host = recipient.remoteHost.map { "\(printable($0)): " } ?? ""
        var lines = ["        \(host)\(printable(diagnostic))"]
        guard isLong else { return lines }
        if let last = recipient.lastAttempt {
            let security = recipient.security.map { ", \(printable($0))" } ?? ""
            lines.append("        \(span(now - last)) ago, status \(recipient.status ?? "unknown")\(security)")
        }
        return lines
    }

    private func count(_ number: Int, _ one: String, _ many: String? = nil) -> String {
        "\(number) \(number == 1 ? one : many ?? one + "s")"
    }

    private func size(_ octets: Int) -> String {
        let units = ["KiB", "MiB", "GiB", "TiB"]
        guard octets >= 1024 else { return count(octets, "octet") }
        var (value, unit) = (Double(octets) / 1024, 0)
        while value >= 1024, unit < units.count - 1 { (value, unit) = (value / 1024, unit + 1) }
        return "\(Int(value.rounded())) \(units[unit])"
    }

    /// The two largest units: `3 d 4 h`, `12 min`.
    private func span(_ seconds: Int64) -> String {
        let seconds = max(seconds, 0)
        switch seconds {
        case ..<60: return "\(seconds) s"
        case ..<3600: return "\(seconds / 60) min"
        case ..<86_400: return "\(seconds / 3600) h \(seconds % 3600 / 60) min"
        case _: return "\(seconds / 86_400) d \(seconds % 86_400 / 3600) h"
        }
    }

    /// A peer's words must not steer the terminal.
    private func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }
}
