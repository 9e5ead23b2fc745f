/// The definition of the configuration file.
package enum Settings {
    /// Those of one section stand together, as they do in a file.
    package static let all: [Setting] = {
        let settings = server + operation + delivery + authentication + acme
        var sections: [String?] = []
        for setting in settings where !sections.contains(setting.sections.first) {
            sections.append(setting.sections.first)
        }
        return sections.flatMap { section in settings.filter { $0.sections.first == section } }
    }()

    private static let server: [Setting] = [
        Setting(
            "hostname", \.hostname, .hostname,
            """
            This server's own name: in greetings and Received fields, and what clients connect to. Default: the \
            machine's name.
            """),
        Setting(
            "state-directory", \.stateDirectory, .path,
            "Where mail, accounts and the control socket are kept. Must be writable by the server's user only."),
        Setting(
            "default-domain", \.defaultDomain, .domain,
            "The domain of login names without one. Default: none, so that login names are full addresses."),
        Setting(
            "tls.certificate", \.certificateFile, .path,
            """
            A PEM file with the server's certificate, followed by its intermediate certificates. Needed to serve, unless \
            acme.directory is set.
            """),
        Setting(
            "tls.key", \.keyFile, .path,
            "A PEM file with the certificate's private key. Needed to serve, unless acme.directory is set."),
        Setting(
            "tls.minimum-version", \.minimumTLSVersion, .tlsVersion,
            "The oldest TLS version to negotiate. Versions below 1.2 do not exist here (RFC 8996)."),
        Setting(
            "listeners.imap.implicit", \.imap.implicit, .endpoints,
            "Where IMAP is spoken with TLS from the first octet on. Each entry is [host:]port, * for all addresses."),
        Setting("listeners.imap.starttls", \.imap.startTLS, .endpoints, "Where IMAP begins TLS by STARTTLS."),
        Setting(
            "listeners.pop3.implicit", \.pop3.implicit, .endpoints,
            "Where POP3 is spoken with TLS from the first octet on."),
        Setting("listeners.pop3.starttls", \.pop3.startTLS, .endpoints, "Where POP3 begins TLS by STLS."),
        Setting(
            "listeners.submission.implicit", \.submission.implicit, .endpoints,
            "Where mail is submitted with TLS from the first octet on."),
        Setting(
            "listeners.submission.starttls", \.submission.startTLS, .endpoints,
            "Where mail is submitted after STARTTLS."),
        Setting(
            "limits.message-size", \.maximumMessageSize, .size(64 * 1024...1 << 30),
            "The largest message taken by submission or IMAP APPEND."),
        Setting(
            "limits.connections", \.maximumConnections, .count(1...1_000_000),
            """
            Connections at a time, over all protocols; further ones are refused. Half of them, and 5000, is as many as \
            may not have logged in. Cannot exceed what the system lets the process open, less 256 (LimitNOFILE, ulimit).
            """),
        Setting(
            "limits.connections-per-address", \.maximumConnectionsPerAddress, .count(1...1_000_000),
            "Connections at a time from one address."),
        Setting(
            "limits.unauthenticated-time", \.unauthenticatedTime, .time(.seconds(5)...(.seconds(3600))),
            "How long a connection may stay without having logged in."),
        Setting(
            "imap.unauthenticate", \.offersUnauthenticate, .flag,
            """
            Whether an IMAP client may log out and in again on one connection (UNAUTHENTICATE, RFC 8437). Turn it off \
            behind a proxy that checks only the first login of a connection.
            """),
        Setting(
            "imap.long-literals", \.offersLongLiterals, .flag,
            """
            Whether an IMAP client may send literals of any length without waiting for leave (LITERAL+), or only up to \
            4096 octets (LITERAL-, RFC 7888).
            """),
        Setting(
            "imap.message-limit", \.messageLimit, .countLimit(1000...Int(UInt32.max)),
            """
            How many messages one IMAP command may be about (MESSAGELIMIT, RFC 9738): FETCH, SEARCH, STORE, COPY, MOVE, \
            APPEND, UID EXPUNGE. Clients that do not know of such limits then see only the last messages of larger \
            mailboxes. Default: none, as the server needs no limit.
            """),
        Setting(
            "imap.save-limit", \.saveLimit, .countLimit(1000...Int(UInt32.max)),
            """
            The same for COPY and APPEND alone (SAVELIMIT). It has no meaning beside imap.message-limit. Default: none.
            """),
        Setting(
            "search.index", \.indexesTexts, .flag,
            """
            Whether texts are indexed, in the background, so that a search in them does not read every message. The \
            index takes about a seventh of what it is made from: headers and text, no attachments. Turned off, what \
            there is of it is removed.
            """),
        Setting(
            "quota.storage", \.quotaStorage, .sizeLimit(1 << 20...1 << 50),
            """
            What a user without a quota of their own (latchmaild user quota) may hold, all mailboxes together. Default: \
            none, so that only the disk is a limit.
            """),
        Setting(
            "quota.messages", \.quotaMessages, .countLimit(1...Int(UInt32.max)),
            "How many messages such a user may hold. Default: none, so that any number."),
        Setting(
            "authentication.cache", \.cachesVerifications, .flag,
            """
            Whether a password that was right a moment ago is recognised without computing argon2id again. What is \
            remembered is a keyed hash, in memory only.
            """),
        Setting(
            "authentication.cache-expiry", \.verificationExpiry, .time(.seconds(1)...(.seconds(86_400))),
            "How long it is remembered. A changed password is never found in it."),
        Setting("log.level", \.logLevel, .choice, "The least important events to log."),
        Setting("log.format", \.logFormat, .choice, "One line per event: key=value text, or JSON."),
    ]
}
