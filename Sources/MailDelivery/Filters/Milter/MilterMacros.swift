package import SMTPSyntax

/// Named values that filters are given, by the names of the sendmail program: a letter, or words in braces.
package struct MilterMacros: Sendable {
    /// What is handed over at a stage to a filter that has not said what it wants, as Postfix does by default.
    static let usual: [MilterMacroStage: [String]] = [
        .connect: [
            "j", "{daemon_name}", "v", "_", "{client_addr}", "{client_name}", "{client_port}", "{client_ptr}",
        ],
        .hello: ["{tls_version}", "{cipher}", "{cipher_bits}"],
        .sender: ["i", "{auth_type}", "{auth_authen}", "{mail_addr}", "{mail_host}", "{mail_mailer}"],
        .recipient: ["i", "{rcpt_addr}", "{rcpt_host}", "{rcpt_mailer}"],
        .data: ["i"],
        .endOfMessage: ["i"],
        .endOfHeader: ["i"],
    ]

    private var values: [String: String] = [:]

    package init() {}

    package subscript(name: String) -> String? {
        get { values[name] }
        set { values[name] = newValue }
    }

    /// The packet that goes ahead of a step; empty when there is nothing to hand over.
    func packet(ahead step: MilterStep, wanted: [MilterMacroStage: [String]]) -> [UInt8] {
        guard let stage = MilterMacroStage(step) else { return [] }
        var payload: [UInt8] = [step.rawValue]
        for name in wanted[stage] ?? Self.usual[stage] ?? [] {
            guard let value = values[name] ?? values["{\(name)}"] else { continue }
            payload.append(string: name)
            payload.append(string: value)
        }
        return payload.count > 1 ? MilterPacket.encode(MilterPacket.macros, payload) : []
    }
}

extension MilterMacros {
    package init(_ client: FilteredClient, server: MilterServer) {
        self["j"] = server.hostname
        self["v"] = "Latchmail \(server.version)"
        self["{daemon_name}"] = client.service
        let address = client.peer.isEmpty ? "unknown" : client.peer
        let name = client.hostname.isEmpty ? "unknown" : client.hostname
        self["_"] = "\(name) [\(address)]"
        self["{client_addr}"] = address
        self["{client_name}"] = name
        self["{client_ptr}"] = name
        self["{client_port}"] = String(client.port)
        self["{tls_version}"] = client.tlsVersion
        self["{cipher}"] = client.tlsSuite
        self["{cipher_bits}"] = client.tlsSuite.map { $0.contains("_128_") ? "128" : "256" }
        self["{auth_authen}"] = client.login
        self["{auth_type}"] = client.login == nil ? nil : client.mechanism
    }

    mutating func describe(_ sender: ReversePath, mailer: MilterServer.Mailer?) {
        switch sender {
        case .null:
            self["{mail_addr}"] = ""
            self["{mail_host}"] = ""
        case .mailbox(let mailbox):
            self["{mail_addr}"] = mailbox.description
            self["{mail_host}"] = mailbox.hostText
        }
        self["{mail_mailer}"] = mailer?.rawValue
    }

    mutating func describe(_ recipient: SMTPMailbox, mailer: MilterServer.Mailer?) {
        self["{rcpt_addr}"] = recipient.description
        self["{rcpt_host}"] = recipient.hostText
        self["{rcpt_mailer}"] = mailer?.rawValue
    }
}

/// What filters are told of the server itself.
package struct MilterServer: Sendable {
    /// What takes mail to an address.
    package enum Mailer: String, Sendable {
        case local
        case smtp
    }

    package var hostname: String
    package var version: String
    /// Nil where it is not known: the macro is then not given.
    package var mailer: @Sendable (SMTPMailbox) async -> Mailer?

    package init(
        hostname: String, version: String, mailer: @escaping @Sendable (SMTPMailbox) async -> Mailer? = { _ in nil }
    ) {
        self.hostname = hostname
        self.version = version
        self.mailer = mailer
    }
}

extension SMTPMailbox {
    var hostText: String {
        switch host {
        case .domain(let domain): String(describing: domain)
        case .literal(let literal): String(describing: literal)
        }
    }
}
