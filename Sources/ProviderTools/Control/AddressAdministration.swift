import MailStore
import MailVocabulary

// Aliases, and who may send as whom.
extension Administration {
    /// Aliases in one answer.
    private static let aliasesPerReply = 1000

    func administerAddresses(_ request: ControlRequest, _ reply: @Sendable (ControlReply) -> Void) async throws {
        switch request {
        case .listAliases: try await listAliases(reply)
        case .setAlias(let name, let targets):
            let found = try targets.map { text in
                guard let address = Address(text) else { throw notAnAddress(text) }
                return address
            }
            try await store.setAlias(Alias(name: pattern(name), targets: found))
        case .removeAlias(let name): try await store.removeAlias(pattern(name))
        case .listSenderGrants(let address):
            reply(.senders(try await store.senderGrants(of: account(address).id).map(\.description)))
        case .grantSender(let address, let sender):
            try await store.grantSender(pattern(sender), to: account(address).id)
        case .revokeSender(let address, let sender):
            try await store.revokeSender(pattern(sender), of: account(address).id)
        case _: throw OperatorError(.software, "not a request about addresses")
        }
    }

    private func listAliases(_ reply: @Sendable (ControlReply) -> Void) async throws {
        let aliases = try await store.aliases().map {
            AliasRecord(name: $0.name.description, targets: $0.targets.map(\.description))
        }
        for start in stride(from: 0, to: aliases.count, by: Self.aliasesPerReply) {
            reply(.aliases(Array(aliases[start..<min(start + Self.aliasesPerReply, aliases.count)])))
        }
    }

    private func pattern(_ text: String) throws(OperatorError) -> AddressPattern {
        guard let pattern = AddressPattern(text) else {
            throw OperatorError(
                .dataError, "“\(text)” is not an address; write it like name@example.org, or @example.org for all")
        }
        return pattern
    }
}
