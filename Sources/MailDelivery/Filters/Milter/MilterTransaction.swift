import MailStore
import SMTPSyntax
import WireFraming

/// One message's way through all filters, in their order: each sees what those before have made of it.
actor MilterTransaction: FilterTransaction {
    /// Octets of a body that a filter puts in the place of a message's: more than any server takes from a client.
    static let maximumReplacement = 1 << 30

    private let conversations: [MilterConversation]
    private let server: MilterServer
    private var macros: MilterMacros
    private var discards = false

    init(_ conversations: [MilterConversation], server: MilterServer, macros: MilterMacros) {
        (self.conversations, self.server, self.macros) = (conversations, server, macros)
    }

    func begin(_ client: FilteredClient) async {
        for conversation in conversations { await conversation.begin(client) }
    }

    func sender(_ envelope: SMTPEnvelope) async -> FilterVerdict {
        macros.describe(envelope.reversePath, mailer: await mailer(envelope.reversePath))
        for conversation in conversations {
            let verdict = await conversation.sender(envelope.milterWords, macros: macros)
            if case .refuse = verdict { return verdict }
            if case .discard = verdict { discards = true }
        }
        return .accept
    }

    func recipient(_ recipient: SMTPRecipient) async -> FilterVerdict {
        macros.describe(recipient.mailbox, mailer: await server.mailer(recipient.mailbox))
        for conversation in conversations {
            let verdict = await conversation.recipient(recipient.milterWords, macros: macros)
            if case .refuse = verdict { return verdict }
            if case .discard = verdict { discards = true }
        }
        return .accept
    }

    func message(
        _ body: any StagedBody, identifier: String, writer: @escaping @Sendable () -> any BodyWriter
    ) async -> FilteredMessage {
        macros["i"] = identifier
        guard !discards else { return FilteredMessage(.discard) }
        do throws(MilterError) {
            var filtered = FilteredPassage(try FilteredContent(body))
            for conversation in conversations {
                filtered = await conversation.filter(filtered, macros, writer)
                let verdict = await conversation.verdict
                guard case .accept = verdict else { return FilteredMessage(verdict) }
            }
            return try await filtered.result(writer)
        } catch {
            // Which filter it would have been matters to none: the message cannot be handled.
            await conversations.first?.fail(error)
            return FilteredMessage(await conversations.first?.verdict ?? .accept)
        }
    }

    func finish() async {
        for conversation in conversations { await conversation.finish() }
    }

    private func mailer(_ sender: ReversePath) async -> MilterServer.Mailer? {
        guard case .mailbox(let mailbox) = sender else { return nil }
        return await server.mailer(mailbox)
    }
}

/// What a message has become on its way, content and envelope.
struct FilteredPassage: Sendable {
    var content: FilteredContent
    private var sender: MailCommand?
    private var added: [SMTPRecipient] = []
    private var removed: [SMTPMailbox] = []
    private var quarantine: String?

    init(_ content: FilteredContent) { self.content = content }

    /// All but pieces of a body.
    mutating func apply(_ modification: MilterModification, keepsLeadingSpace: Bool) throws(MilterError) {
        switch modification {
        case .addField, .insertField, .changeField, .body:
            try content.apply(modification, keepsLeadingSpace: keepsLeadingSpace)
        case .changeSender(let command):
            sender = command
        case .addRecipient(let recipient):
            removed.removeAll { $0 == recipient.mailbox }
            added.removeAll { $0.mailbox == recipient.mailbox }
            guard added.count < FilteredHeader.maximumChanges else { throw .violation("too many recipients") }
            added.append(recipient)
        case .removeRecipient(let mailbox):
            added.removeAll { $0.mailbox == mailbox }
            guard removed.count < FilteredHeader.maximumChanges else { throw .violation("too many recipients") }
            if !removed.contains(mailbox) { removed.append(mailbox) }
        case .quarantine(let reason):
            quarantine = reason
        }
    }

    func result(_ writer: @Sendable () -> any BodyWriter) async throws(MilterError) -> FilteredMessage {
        var message = FilteredMessage(.accept)
        if content.isChanged { message.body = try await content.write(to: writer()) }
        message.sender = sender
        message.addedRecipients = added
        message.removedRecipients = removed
        message.quarantine = quarantine
        return message
    }
}

extension SMTPEnvelope {
    /// As in MAIL: the path, then parameters.
    var milterWords: [String] {
        var words = [reversePath.text]
        if let body { words.append("BODY=\(body.rawValue)") }
        if isInternationalized { words.append("SMTPUTF8") }
        if let returned { words.append("RET=\(returned.rawValue)") }
        if let identifier { words.append("ENVID=\(XText.encode(identifier.utf8))") }
        if requiresTLS { words.append("REQUIRETLS") }
        return words
    }
}

extension SMTPRecipient {
    /// As in RCPT.
    var milterWords: [String] {
        var words = ["<\(mailbox)>"]
        if let notifications { words.append("NOTIFY=\(notifications.milterText)") }
        if let original { words.append("ORCPT=\(XText.encode(original.utf8))") }
        return words
    }
}

extension NotificationConditions {
    /// As in NOTIFY (RFC 3461 §4.1).
    fileprivate var milterText: String {
        guard !isEmpty else { return "NEVER" }
        let named: [(NotificationConditions, String)] = [
            (.success, "SUCCESS"), (.failure, "FAILURE"), (.delay, "DELAY"),
        ]
        return named.filter { contains($0.0) }.map(\.1).joined(separator: ",")
    }
}
