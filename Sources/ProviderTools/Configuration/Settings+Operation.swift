import MailVocabulary

extension Settings {
    static let operation: [Setting] = [
        Setting(
            "run-as", \.operation.runAs, .runAs,
            """
            Whom the server becomes when root starts it, user or user:group, once it has bound its ports. The user must be \
            able to read tls.key. Default: nobody else, and root is then refused; `run-as: root` is taken, but unwise.
            """),
        Setting(
            "listeners.proxy-networks", \.operation.proxyNetworks, .networks,
            """
            Networks of proxies, such as HAProxy. Their connections to IMAP, POP3 and submission must begin with a header \
            of the PROXY protocol, version 1 or 2, that says whom the connection is from; without it they are closed. From \
            anywhere else no such header is taken. Whoever is in these networks can claim any address.
            """),
        Setting(
            "listeners.proxy-ports", \.operation.proxyPorts, .ports,
            "The ports on which those networks are proxies' and must send the header. Default: all."),
        Setting(
            "limits.unauthenticated-per-address", \.operation.unauthenticatedPerAddress, .count(1...1_000_000),
            "Connections at a time from one address (IPv6: /64) that have not logged in."),
        Setting(
            "limits.handshakes", \.operation.handshakes, .count(1...1_000_000),
            "TLS handshakes at a time, over all protocols; connections beyond are closed."),
        Setting(
            "limits.handshakes-per-address", \.operation.handshakesPerAddress, .count(1...1_000_000),
            "TLS handshakes at a time with one address (IPv6: /64)."),
        Setting(
            "limits.connections-per-second", \.operation.connectionsPerSecond, .count(1...1_000_000),
            """
            New connections in a second from one address (IPv6: /64), four more at once now and then. A connection makes \
            one TLS handshake at most, so this bounds these too.
            """),
        Setting(
            "limits.exempt-networks", \.operation.exemptNetworks, .networks,
            """
            Networks for which the limits by address do not hold: this machine's own programs, an office with many users \
            behind one address.
            """),
        Setting(
            "metrics.listen", \.operation.metrics, .endpoints,
            """
            Where Prometheus may read metrics (HTTP, /metrics), on loopback addresses alone: they tell who uses the server \
            how, and there is no authentication. Default: nowhere.
            """),
    ]
}

extension SettingType where Value == [NetworkPrefix] {
    static var networks: SettingType {
        SettingType(
            form: #"a list of networks such as ["192.0.2.0/24", "2001:db8::/32"], or [] for none"#,
            read: { input in
                let items =
                    switch input {
                    case .list(let items): items
                    case .scalar(let text): [text]
                    }
                let networks = items.compactMap { NetworkPrefix($0) }
                return networks.count == items.count ? networks : nil
            },
            show: { .list($0.map(\.description)) })
    }
}

extension SettingType where Value == [Int] {
    static var ports: SettingType {
        SettingType(
            form: "a list of ports such as [993, 995], or []",
            read: { input in
                let items =
                    switch input {
                    case .list(let items): items
                    case .scalar(let text): [text]
                    }
                let ports = items.compactMap { UInt16($0) }.filter { $0 > 0 }.map { Int($0) }
                return ports.count == items.count ? ports : nil
            },
            show: { .list($0.map { String($0) }) })
    }
}

extension SettingType where Value == RunAs? {
    static var runAs: SettingType {
        .scalar(
            "a user such as latchmail, or user:group", { text in RunAs(text).map { .some($0) } }, { $0?.description })
    }
}
