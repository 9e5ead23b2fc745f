import MailDelivery
import MailStore
import MailVocabulary
import SASL
import SMTPSyntax
import TLSPolicy
import WireFraming

// MAIL (RFC 5321 §4.1.1.2) with the parameters of what is offered. Nobody sends as another (RFC 6409 §6.1). The null
// reverse-path is for receipts that user agents send.
extension SubmissionSession {
    mutating func serveMail(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        let command: MailCommand
        do throws(SMTPSyntaxError) {
            command = try MailCommand(parsing: arguments, offered)
        } catch {
            return refuse(error.reply(badPath: .badSender), &output)
        }
        guard command.declaredSize ?? 0 <= UInt64(settings.maximumMessageSize) else {
            return answer(.tooLarge, &output)
        }
        pendingMail = command
        guard needsLook(command) else {
            let envelope = SMTPEnvelope(command, maximumPriority: settings.maximumPriority)
            let start = TransactionStart.accepted(envelope, notBefore: nil, filters: nil, isDiscarded: false)
            return finishMail(start, &output)
        }
        return .perform(.begin(TransactionRequest(command: command, account: login, client: filteredClient)))
    }

    /// Whether anything must be found out first: most mail is the user's own, under the name of the login.
    private func needsLook(_ command: MailCommand) -> Bool {
        if acceptance.hasFilters || command.release != nil || command.deliverBy != nil { return true }
        guard let login else { return false }
        if acceptance.rates.isLimited { return true }
        switch command.reversePath {
        case .null: return false
        case .mailbox(let mailbox): return mailbox.address?.canonical != login.address
        }
    }

    mutating func finishMail(_ start: TransactionStart, _ output: inout SessionOutput) -> Step {
        let command = pendingMail
        pendingMail = nil
        switch start {
        case .accepted(let envelope, let notBefore, let filters, let isDiscarded):
            var transaction = Transaction(envelope: envelope)
            transaction.declaredSize = command?.declaredSize ?? 0
            transaction.notBefore = notBefore
            transaction.filters = filters
            transaction.isDiscarded = isDiscarded
            self.transaction = transaction
            // RFC 6710 §4.1.
            let isLowered = command?.priority.map { $0 > envelope.priority } ?? false
            return answer(isLowered ? .priorityLowered(envelope.priority) : .senderOK, &output)
        case .notOwn:
            output.events.append(.notice("sender of another refused login=\(loginName)"))
            return answer(.notOwnSender, &output)
        case .refused(let reply): return answer(reply, &output)
        case .unavailable(let reason):
            output.events.append(.notice("sender lookup failed: \(reason)"))
            return answer(.unavailable, &output)
        }
    }

    /// Who this is, for filters.
    var filteredClient: FilteredClient {
        let name: String
        switch client {
        case .domain(let domain): name = domain
        case .literal(let literal): name = literal.description
        case .malformed, nil: name = "unknown"
        }
        return FilteredClient(
            name: name, peer: context.peer, hostname: context.hostname, login: login?.address.description,
            mechanism: login == nil ? nil : mechanism?.rawValue, tlsVersion: context.tls?.version.rawValue,
            tlsSuite: context.tls?.cipherSuite?.name, service: isLMTP ? "lmtp" : "submission")
    }
}

extension SMTPSyntaxError {
    func reply(badPath: SMTPReply) -> SMTPReply {
        switch self {
        case .badArgument: .badArgument
        case .badPath: badPath
        case .badParameter: .badParameter
        case .unknownParameter: .unknownParameter
        case .needsSMTPUTF8: .needsSMTPUTF8
        }
    }
}
