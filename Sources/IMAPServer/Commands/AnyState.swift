import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// CAPABILITY, NOOP (and CHECK), LOGOUT, ID: in every state.

extension IMAPSession {
    /// RFC 3501 §6.1.1.
    mutating func capability(_ tag: String, _ output: inout SessionOutput) -> Step {
        var reply = OutputBuffer()
        reply.append(capabilities: capabilities)
        enqueue(reply)
        return conclude(tag, .ok, "CAPABILITY completed", &output)
    }

    /// RFC 3501 §6.1.2; CHECK is the same here, as nothing is ever unsaved (§6.4.1).
    mutating func noop(_ tag: String, _ output: inout SessionOutput) -> Step {
        conclude(tag, .ok, "Completed", &output)
    }

    /// RFC 3501 §6.1.3.
    mutating func logout(_ tag: String, _ output: inout SessionOutput) -> Step {
        state = .logout
        ending = .close
        var reply = OutputBuffer()
        reply.append(status: .bye, tag: nil, "Logging out")
        enqueue(reply)
        return conclude(tag, .ok, "LOGOUT completed", &output)
    }

    /// RFC 2971. What the client says is for the log only; nothing depends on it.
    mutating func identify(_ tag: String, _ fields: [IDField], _ output: inout SessionOutput) -> Step {
        let told = fields.compactMap { field in field.value.map { "\(printable(field.name))=\(printable($0))" } }
        if !told.isEmpty {
            output.events.append(.notice("client: \(told.joined(separator: ", ").prefix(IMAPSession.loggedIDLength))"))
        }
        if let name = fields.first(where: { $0.name.asciiLowercased() == "name" })?.value {
            clientName = String(printable(name).prefix(IMAPSession.loggedIDLength))
        }
        var reply = OutputBuffer()
        reply.append(id: settings.identification)
        enqueue(reply)
        return conclude(tag, .ok, "ID completed", &output)
    }

    /// Characters of one log line.
    private static let loggedIDLength = 500

    /// Printable ASCII, the rest as question marks: a log line is not the client's to shape.
    private func printable(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 >= 0x20 && $0 < 0x7F ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
    }
}
