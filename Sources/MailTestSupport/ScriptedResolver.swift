package import MailDNS
import Synchronization

/// A DNS in memory: what is not scripted does not exist, securely.
package final class ScriptedResolver: DNSResolver {
    private struct Question: Hashable {
        var name: String
        var type: DNSRecordType
    }

    private struct Script {
        var answers: [Question: Result<DNSAnswer, DNSFailure>] = [:]
        var names: Set<String> = []
        var asked: [String] = []
    }

    private let script = Mutex(Script())

    package init() {}

    /// Every question so far, as `example.com MX`, in order.
    package var asked: [String] { script.withLock { $0.asked } }

    /// Sets what a name has of a type; an empty list is no data.
    package func set(
        _ name: String, _ type: DNSRecordType, _ records: [DNSRecordData], _ security: DNSSecurity = .secure,
        canonicalName: String? = nil
    ) {
        let answer = DNSAnswer(
            existence: records.isEmpty ? .noData : .records, records: records, security: security,
            canonicalName: canonicalName ?? name, timeToLive: 300)
        set(name, type, .success(answer))
    }

    /// Sets an answer, or how asking fails.
    package func set(_ name: String, _ type: DNSRecordType, _ result: Result<DNSAnswer, DNSFailure>) {
        script.withLock { script in
            script.answers[Question(name: name, type: type)] = result
            script.names.insert(name)
        }
    }

    package func setAddress(_ name: String, _ octets: [UInt8], _ security: DNSSecurity = .secure) {
        set(name, octets.count == 4 ? .a : .aaaa, [.address(octets)], security)
        // The other family is known to have none, with the same security.
        let other: DNSRecordType = octets.count == 4 ? .aaaa : .a
        script.withLock { script in
            guard script.answers[Question(name: name, type: other)] == nil else { return }
            script.answers[Question(name: name, type: other)] = .success(
                DNSAnswer(existence: .noData, security: security, canonicalName: name))
        }
    }

    package func lookUp(_ name: String, _ type: DNSRecordType) async throws(DNSFailure) -> DNSAnswer {
        let result = script.withLock { script in
            script.asked.append("\(name) \(String(describing: type).uppercased())")
            if let answer = script.answers[Question(name: name, type: type)] { return answer }
            let existence: DNSAnswer.Existence = script.names.contains(name) ? .noData : .noSuchName
            return .success(DNSAnswer(existence: existence, security: .secure, canonicalName: name))
        }
        return try result.get()
    }
}
