package import IMAPSyntax
import WireFraming

/// What a client has switched on, with ENABLE (RFC 5161) or a command that implies it. Nothing is ever switched off but
/// by the end of the session.
package struct EnabledFeatures: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// RFC 9051 §6.3.1.
    package static let imap4rev2 = EnabledFeatures(rawValue: 1)
    /// RFC 9755 §3.
    package static let utf8Accept = EnabledFeatures(rawValue: 2)
    /// RFC 7162 §3.1.
    package static let condstore = EnabledFeatures(rawValue: 4)
    /// RFC 7162 §3.2.3; never without `condstore`.
    package static let qresync = EnabledFeatures(rawValue: 8)
    /// RFC 9586 §3.
    package static let uidOnly = EnabledFeatures(rawValue: 16)

    /// How mailbox names are written in both directions.
    package var mailboxEncoding: MailboxEncoding {
        isDisjoint(with: [.imap4rev2, .utf8Accept]) ? .modifiedUTF7 : .utf8
    }

    /// How other strings are written to the client.
    package var stringEncoding: StringEncoding { isDisjoint(with: [.imap4rev2, .utf8Accept]) ? .ascii : .utf8 }

    /// What ENABLE knows by name, in the order it is answered. A name that is not here enables nothing.
    static let named: [(name: String, features: EnabledFeatures)] = [
        ("CONDSTORE", .condstore),
        ("QRESYNC", [.condstore, .qresync]),
        ("UIDONLY", .uidOnly),
        ("IMAP4rev2", .imap4rev2),
        ("UTF8=ACCEPT", .utf8Accept),
    ]
}

extension IMAPSession {
    /// RFC 5161 §3.1: names that are not known are passed over; the answer lists what is switched on now and was not.
    mutating func enable(_ tag: String, _ names: [String], _ output: inout SessionOutput) -> Step {
        let new = EnabledFeatures.named.filter {
            names.contains($0.name.uppercased()) && !enabled.isSuperset(of: $0.features)
        }
        var reply = OutputBuffer()
        reply.append(enabled: new.map(\.name))
        enqueue(reply)
        for feature in new {
            if feature.features.contains(.condstore) { enableCondstore() }
            if feature.features.contains(.uidOnly) { endNumberedContexts() }
            enabled.formUnion(feature.features)
        }
        return conclude(tag, .ok, "ENABLE completed", &output)
    }

    /// What a CONDSTORE enabling command does before all else (RFC 7162 §3.1): the first tells up to where the client
    /// has been told of the selected mailbox.
    mutating func enableCondstore() {
        guard !enabled.contains(.condstore) else { return }
        enabled.insert(.condstore)
        guard var mailbox = state.mailbox else { return }
        mailbox.owesModSeq = false
        state.replaceMailbox(mailbox)
        var reply = OutputBuffer()
        reply.append(status: .ok, tag: nil, code: .highestModSeq(mailbox.toldModSeq), "CONDSTORE is enabled")
        enqueue(reply)
    }
}
