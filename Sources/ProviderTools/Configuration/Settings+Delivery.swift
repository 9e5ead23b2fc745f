extension Settings {
    static let delivery: [Setting] = submissionPolicy + relay + queue + dns + filters + lmtp

    private static let submissionPolicy: [Setting] = [
        Setting(
            "submission.add-date", \.submissionPolicy.addsDate, .flag,
            "Whether a message without Date gets one (RFC 6409 §8.2)."),
        Setting(
            "submission.add-message-id", \.submissionPolicy.addsMessageID, .flag,
            "Whether a message without Message-ID gets one (RFC 6409 §8.3)."),
        Setting(
            "submission.add-sender", \.submissionPolicy.addsSender, .flag,
            """
            Whether a message in the name of another address that the user was granted gets a Sender field that names \
            the user (RFC 6409 §8.1).
            """),
        Setting(
            "submission.remove-bcc", \.submissionPolicy.removesBcc, .flag,
            "Whether Bcc fields are removed, so that other recipients do not see them."),
        Setting(
            "submission.hide-client", \.submissionPolicy.hidesClient, .flag,
            "Whether Received fields leave out the address and the name of the user's device."),
        Setting(
            "submission.sent-copy", \.submissionPolicy.keepsSentCopy, .flag,
            """
            Whether a copy of what a user sends is put into their Sent mailbox. Most clients put one there themselves, \
            which then makes two.
            """),
        Setting(
            "submission.detail-separator", \.submissionPolicy.detailSeparator, .separator,
            "What stands between a user and a detail in an address, user+detail: such mail goes to the user."),
        Setting(
            "submission.recipients-per-message", \.submissionPolicy.recipientsPerMessage, .count(100...10_000),
            "How many recipients one message may have (RFC 5321 §4.5.3.1.8 asks for 100)."),
        Setting(
            "submission.messages-per-hour", \.submissionPolicy.messagesPerHour, .countLimit(1...1_000_000),
            "How many messages one user may send in an hour; further ones are put off."),
        Setting(
            "submission.messages-per-day", \.submissionPolicy.messagesPerDay, .countLimit(1...10_000_000),
            "How many messages one user may send in a day; further ones are put off."),
        Setting(
            "submission.recipients-per-hour", \.submissionPolicy.recipientsPerHour, .countLimit(1...1_000_000),
            "How many recipients one user may send to in an hour; further ones are put off."),
        Setting(
            "submission.recipients-per-day", \.submissionPolicy.recipientsPerDay, .countLimit(1...10_000_000),
            "How many recipients one user may send to in a day; further ones are put off."),
        Setting(
            "submission.longest-hold", \.submissionPolicy.longestHold, .time(.seconds(3600)...(.seconds(366 * 86_400))),
            "How far ahead a message may be held for later release (FUTURERELEASE, RFC 4865)."),
        Setting(
            "submission.shortest-deliver-by", \.submissionPolicy.shortestDeliverBy,
            .time(.seconds(1)...(.seconds(86_400))),
            "The shortest time in which a message may be asked to be delivered or returned (DELIVERBY, RFC 2852)."),
        Setting(
            "submission.highest-priority", \.submissionPolicy.highestPriority, .count(-9...9),
            "The highest priority that users may give to mail (MT-PRIORITY, RFC 6710); a higher one counts as this."),
    ]

    private static let relay: [Setting] = [
        Setting(
            "relay.mode", \.relay.mode, .choice,
            """
            Where mail for other domains goes: nowhere (none: it is refused), to their mail exchangers (direct), or to \
            one server that takes it on (smarthost).
            """),
        Setting(
            "relay.smarthost", \.relay.smarthost, .server,
            "That server. Its certificate must be valid for this name, and nothing is sent to it without TLS."),
        Setting(
            "relay.smarthost-security", \.relay.smarthostSecurity, .choice,
            "Whether TLS begins at once there (implicit, usually port 465) or by STARTTLS (usually port 587)."),
        Setting("relay.username", \.relay.username, .text, "The login name there. Default: none, no authentication."),
        Setting(
            "relay.password-file", \.relay.passwordFile, .path,
            "A file whose first line is the password there; readable by the server's user only."),
        Setting(
            "relay.password-command", \.relay.passwordCommand, .text,
            "A command that prints the password there, instead of a file; run by /bin/sh."),
        Setting(
            "relay.transports", \.relay.transports, .texts(#"["example.org=lmtp:/run/dovecot/lmtp"]"#),
            """
            Domains with a way of their own, each as domain=lmtp:/path, domain=lmtp:address:port (loopback), \
            domain=smtp:host:port (STARTTLS) or domain=submissions:host:port (TLS at once). A server must have a \
            certificate for its name.
            """),
        Setting(
            "relay.port", \.relay.port, .count(1...65_535),
            "The port of mail exchangers, which is 25; another one is for tests, and lets their names lead to this machine."
        ),
        Setting(
            "relay.policy-port", \.relay.policyPort, .count(1...65_535),
            "The port of MTA-STS policy servers, which is 443; another one is for tests."),
        Setting(
            "relay.connections", \.relay.maximumConnections, .count(1...10_000), "Outgoing connections at a time."),
        Setting(
            "relay.connections-per-destination", \.relay.maximumConnectionsPerDestination, .count(1...100),
            "Outgoing connections at a time to one destination."),
        Setting(
            "relay.tls-reports", \.relay.reportsTLS, .flag,
            "Whether domains that ask for it are sent daily reports on how TLS to them went (RFC 8460)."),
        Setting(
            "relay.tls-report-contact", \.relay.tlsReportContact, .text,
            "The address that such reports name as contact. Default: postmaster of the default domain."),
    ]

    private static let queue: [Setting] = [
        Setting(
            "queue.expiry", \.queue.expiry, .time(.seconds(60)...(.seconds(30 * 86_400))),
            "How long mail is tried before its sender is told that it could not be delivered."),
        Setting(
            "queue.delay-notice", \.queue.delayNotice, .time(.seconds(60)...(.seconds(30 * 86_400))),
            "After how long a sender is told that mail is still waiting."),
        Setting(
            "queue.first-retry", \.queue.firstRetry, .time(.seconds(1)...(.seconds(3600))),
            "How long after a first attempt that failed the next one is made; later ones wait longer."),
        Setting(
            "queue.longest-retry", \.queue.longestRetry, .time(.seconds(1)...(.seconds(86_400))),
            "The longest time between attempts."),
        Setting(
            "queue.tell-postmaster", \.queue.tellsPostmaster, .flag,
            """
            Whether the postmaster is told of mail that could not be delivered and whose sender cannot be told: it has \
            none, as notices have, or the sender's mailbox takes nothing (RFC 3461 §5.2).
            """),
    ]

    private static let dns: [Setting] = [
        Setting(
            "dns.forwarders", \.dns.forwarders, .endpoints,
            """
            Name servers to ask, as address:port. Answers are validated here, whoever gives them. Default: none, so that \
            the domains' own name servers are asked.
            """),
        Setting(
            "dns.trust-anchor", \.dns.trustAnchorFile, .path,
            "A file with DNSSEC trust anchors (DS or DNSKEY records). Default: the root's keys."),
        Setting(
            "tls.trust-roots", \.trustRootsFile, .path,
            "A PEM file with the authorities that other servers' certificates are checked by. Default: the system's."),
    ]

    private static let filters: [Setting] = [
        Setting(
            "filters.milters", \.filters.milters,
            .texts(#"["unix:/run/opendkim/opendkim.sock", "inet:8891@127.0.0.1"]"#),
            "Programs that look at mail before it is taken in, by the milter protocol, in this order."),
        Setting(
            "filters.on-failure", \.filters.failure, .choice,
            """
            What becomes of mail while a filter cannot be reached or fails: put off (tempfail), or refused (reject). It \
            is never taken unfiltered.
            """),
        Setting(
            "filters.timeout", \.filters.timeout, .time(.seconds(1)...(.seconds(600))),
            "How long a filter may take for one step."),
        Setting(
            "filters.spam-fields", \.filters.spamFields, .texts(#"["X-Spam-Flag: YES"]"#),
            "Header fields, as filters add them, that send a message to the recipient's Junk mailbox."),
    ]

    private static let lmtp: [Setting] = [
        Setting(
            "listeners.lmtp.socket", \.lmtp.socket, .path,
            """
            A UNIX socket on which a server for inbound mail delivers by LMTP (RFC 2033). Whoever can open it can deliver \
            to every account. Default: none.
            """),
        Setting(
            "listeners.lmtp.socket-mode", \.lmtp.socketMode, .permissions,
            "The socket's permission bits. The server for inbound mail must be the owner or of the group."),
        Setting(
            "listeners.lmtp.socket-owner", \.lmtp.socketOwner, .text,
            "The user that the socket belongs to, by name or number. Default: the one that the server runs as."),
        Setting(
            "listeners.lmtp.socket-group", \.lmtp.socketGroup, .text,
            """
            The socket's group, by name or number. Default: the server's own. Of others than its own groups only root \
            can choose.
            """),
        Setting(
            "listeners.lmtp.loopback", \.lmtp.loopback, .endpoints,
            """
            Addresses for the same over TCP: loopback alone, as there is neither TLS nor authentication. Every user of \
            the machine can deliver there.
            """),
    ]
}
