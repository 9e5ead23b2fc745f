extension Settings {
    static let acme: [Setting] = acmeAuthority + acmeChallenges

    private static let acmeAuthority: [Setting] = [
        Setting(
            "acme.directory", \.acme.directory, .secureURL,
            """
            The directory of a certificate authority that speaks ACME (RFC 8555). When it is set, the server gets its \
            certificates there and renews them, and tls.certificate and tls.key are left out.
            """),
        Setting(
            "acme.accept-terms", \.acme.acceptsTerms, .flag,
            "Whether you agree to the authority's terms of service, whose address `latchmaild certificate status` shows."
        ),
        Setting(
            "acme.contact", \.acme.contact, .texts(#"["postmaster@example.org"]"#),
            "Mail addresses that the authority may write to."),
        Setting(
            "acme.certificates", \.acme.certificates, .texts(#"["mail.example.org imap.example.org"]"#),
            """
            The certificates to have, each by its names with spaces between; the first name names the certificate, and \
            the first certificate is the one for clients that ask for no name. Default: one, for the hostname.
            """),
        Setting(
            "acme.challenge", \.acme.challenge, .choice,
            """
            How the names are proved: this server answers on port 80 (http-01), changes the DNS by signed updates \
            (dns-01), or a program changes the DNS (hook). Wildcards need the DNS.
            """),
        Setting("acme.key-type", \.acme.keyType, .choice, "What kind of key new certificates get."),
        Setting(
            "acme.key-rollover", \.acme.rollsKeys, .flag,
            """
            Whether each renewal takes a new key. Otherwise the key stays, and TLSA records stay valid. A new key is put \
            in use only when published TLSA records name it too.
            """),
        Setting(
            "acme.preferred-chain", \.acme.preferredChain, .text,
            "Of several chains, the one with an issuer whose name contains this is taken. Default: the authority's first."
        ),
        Setting(
            "acme.eab-key-id", \.acme.externalAccountIdentifier, .text,
            "The identifier of an account that you have with the authority, when it wants one (RFC 8555 §7.3.4)."),
        Setting(
            "acme.eab-key-file", \.acme.externalAccountKeyFile, .path,
            "A file with that account's MAC key, base64url; readable by the server's user only."),
        Setting(
            "acme.trust-roots", \.acme.trustRootsFile, .path,
            "A PEM file that the authority's own server is checked by. Default: the system's authorities."),
        Setting(
            "acme.first-retry", \.acme.firstRetry, .time(.seconds(1)...(.seconds(3600))),
            "How long after a first failure it is tried again; later attempts wait longer, up to 12 h."),
    ]

    private static let acmeChallenges: [Setting] = [
        Setting(
            "acme.http-listen", \.acme.httpListeners, .endpoints,
            """
            Where http-01 is answered, only while a challenge is pending. The authority asks on port 80: another one \
            must be led here.
            """),
        Setting(
            "acme.dns-server", \.acme.dnsServer, .server,
            "The name server that takes updates, for dns-01. Default: the one that the zone's SOA record names."),
        Setting(
            "acme.dns-key-file", \.acme.dnsKeyFile, .path,
            """
            A file with the key that updates are signed by (TSIG, hmac-sha256), as tsig-keygen prints it; readable by \
            the server's user only.
            """),
        Setting(
            "acme.dns-port", \.acme.dnsPort, .count(1...65_535),
            "The port of name servers, which is 53; another one is for tests."),
        Setting(
            "acme.dns-wait", \.acme.dnsWait, .time(.seconds(0)...(.seconds(3600))),
            """
            How long to wait until all name servers of a zone show what was put there, for dns-01 and hook; 0 s does \
            not look.
            """),
        Setting(
            "acme.hook", \.acme.hook, .texts(#"["/usr/local/sbin/dns-record", "example.org"]"#),
            """
            A program and its arguments, run without a shell for each record, with LATCHMAIL_ACTION (add or remove), \
            LATCHMAIL_DOMAIN, LATCHMAIL_RECORD and LATCHMAIL_VALUE in its environment. It must end with status 0.
            """),
        Setting(
            "acme.hook-time-limit", \.acme.hookTimeLimit, .time(.seconds(1)...(.seconds(3600))),
            "How long that program may take."),
    ]
}

extension SettingType where Value == String? {
    static var secureURL: SettingType {
        .scalar(
            "an address such as https://acme-v02.api.letsencrypt.org/directory",
            { text in
                let rest = text.dropFirst("https://".count)
                let isPlain = text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
                return text.hasPrefix("https://") && isPlain && !rest.isEmpty && !rest.hasPrefix("/")
                    ? .some(text) : nil
            }, { $0 })
    }
}
