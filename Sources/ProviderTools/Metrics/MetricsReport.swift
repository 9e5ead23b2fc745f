import Foundation
import MailRelay
import MailStore
import MailVocabulary
import SessionRuntime
import SwiftASN1
import X509

/// What is told to Prometheus: nothing about one user, one address or one message.
struct MetricsReport: Sendable {
    let runtime: ServerRuntime
    let tls: TLSContext
    let relaying: Relaying
    let store: any MailStore
    let started: Date

    /// Names of certificates that are told: more would be a series for each.
    private static let maximumNames = 100

    func text() async -> String {
        var text = MetricsText()
        text.add(
            "latchmail_build_info", .gauge, "The version that runs.", labels: ["version"], [[Release.version]: 1])
        text.add(
            "process_start_time_seconds", .gauge, "When the server started, in seconds since 1970.",
            started.timeIntervalSince1970.rounded(.down))
        connections(&text)
        certificates(&text)
        await queue(&text)
        if let times = store.measurements {
            text.add(
                "latchmail_store_commit_seconds", "How long batches of changes took to be durable.", times.commits)
            text.add("latchmail_store_read_seconds", "How long reading from the disk took, with waiting.", times.reads)
        }
        ProcessUse().write(to: &text)
        return text.text
    }

    private func connections(_ text: inout MetricsText) {
        let measured = runtime.measurements
        let strangers = runtime.strangers
        text.add("latchmail_open_connections", .gauge, "Open connections.", runtime.openConnections)
        text.add(
            "latchmail_unauthenticated_connections", .gauge, "Open connections that have not logged in.",
            strangers.unauthenticated)
        text.add("latchmail_handshakes_in_progress", .gauge, "TLS handshakes in progress.", strangers.handshakes)
        text.add("latchmail_connections_total", "Connections taken.", measured.connections)
        text.add("latchmail_tls_handshakes_total", "TLS handshakes that succeeded.", measured.handshakes)
        text.add("latchmail_tls_handshake_failures_total", "TLS handshakes that failed.", measured.failedHandshakes)
        text.add("latchmail_logins_total", "Logins; version none is cleartext.", measured.logins)
        text.add("latchmail_login_failures_total", "Logins that failed.", measured.failedLogins)
        text.add("latchmail_refused_connections_total", "Connections closed for a limit.", measured.refusals)
        text.add(
            "latchmail_protocol_violations_total", "What only attacks and broken software do.", measured.violations)
        text.add("latchmail_event_loop_lag_seconds", "How late event loops did what was due.", measured.loopLag)
    }

    private func certificates(_ text: inout MetricsText) {
        var seconds: [[String]: Double] = [:]
        for certificate in tls.certificatesInUse.compactMap({ try? Certificate(derEncoded: $0) }) {
            let left = certificate.notValidAfter.timeIntervalSinceNow.rounded()
            for name in CertificateInspection.names(of: certificate) where seconds.count < Self.maximumNames {
                seconds[[name]] = min(seconds[[name]] ?? .infinity, left)
            }
        }
        text.add(
            "latchmail_certificate_seconds_left", .gauge, "Time until the certificate for a name expires.",
            labels: ["name"], seconds)
    }

    private func queue(_ text: inout MetricsText) async {
        if let deliveries = relaying.deliveries {
            text.add(
                "latchmail_deliveries_total",
                "Attempts for a recipient, by result and the policy for TLS that held for the host.", deliveries)
        }
        guard let queue = try? await relaying.runner.snapshot() else { return }
        let counts = queue.counts
        text.add("latchmail_queue_messages", .gauge, "Messages in the queue.", counts.messages)
        text.add("latchmail_queue_recipients", .gauge, "Recipients in the queue.", counts.recipients)
        text.add("latchmail_queue_bytes", .gauge, "Octets of messages in the queue.", counts.octets)
        text.add(
            "latchmail_queue_deliveries", .gauge, "Deliveries in the queue, by state.", labels: ["state"],
            [
                ["ready"]: Double(counts.ready), ["waiting"]: Double(counts.waiting), ["held"]: Double(counts.held),
                ["in-progress"]: Double(queue.inFlight),
            ])
        text.add(
            "latchmail_queue_oldest_seconds", .gauge, "Age of the message that has waited longest.",
            counts.oldest.map { max(0, Date().timeIntervalSince1970 - Double($0)).rounded() } ?? 0)
        text.add(
            "latchmail_queue_failing_destinations", .gauge, "Destinations that could not be reached.",
            counts.failingDestinations)
        let activity = queue.activity
        text.add(
            "latchmail_queue_attempts_total", .counter, "Deliveries tried.", labels: ["result"],
            [
                ["reached"]: Double(activity.attempts &- activity.unreachable),
                ["unreachable"]: Double(activity.unreachable),
            ])
        text.add(
            "latchmail_queue_notices_total", .counter, "Notices sent to senders.", labels: ["kind"],
            [
                ["failure"]: Double(activity.failureNotices), ["delay"]: Double(activity.delayNotices),
                ["success"]: Double(activity.successNotices),
            ])
    }
}
