/// What a started demo says of itself: one line of JSON for programs, a screen for people.
package struct DemoDescription: Codable, Sendable, Equatable {
    package struct Ports: Codable, Sendable, Equatable {
        package var implicit: Int
        package var starttls: Int

        package init(implicit: Int, starttls: Int) {
            self.implicit = implicit
            self.starttls = starttls
        }
    }

    package struct User: Codable, Sendable, Equatable {
        package var address: String
        package var login: String
        package var password: String

        package init(address: String, login: String, password: String) {
            self.address = address
            self.login = login
            self.password = password
        }
    }

    package var host: String
    package var ca: String
    package var pid: Int32
    /// By protocol: `imap`, `pop3`, `submission`.
    package var services: [String: Ports]
    package var accounts: [User]

    package init(host: String, ca: String, pid: Int32, services: [String: Ports], accounts: [User]) {
        self.host = host
        self.ca = ca
        self.pid = pid
        self.services = services
        self.accounts = accounts
    }

    /// Users shown on the screen; the rest is in the passwords file.
    private static let usersShown = 5

    package func screen(passwordsFile: String) -> String {
        """
        Latchmail is running, for you to try out; Ctrl-C stops it.

        \(table)

        \(users(passwordsFile))

        Clients trust it by this certificate authority:
          \(ca)

        These commands work as they stand, in another terminal:

        \(commands)
        """
    }

    private var table: String {
        let rows = MailProtocol.allCases.compactMap { kind -> [String]? in
            services[kind.rawValue].map { ports in
                let name = kind == .submission ? "Submission (SMTP)" : kind.rawValue.uppercased()
                return [name, "\(host):\(ports.implicit)", "\(host):\(ports.starttls)"]
            }
        }
        return columns([["", "TLS at once", "STARTTLS"]] + rows)
    }

    private func users(_ passwordsFile: String) -> String {
        let rows = accounts.prefix(Self.usersShown).map { [$0.address, $0.password] }
        let rest = accounts.count - rows.count
        return columns([["Account", "Password"]] + rows)
            + (rest > 0 ? "\n  … and \(rest) more, in \(passwordsFile)" : "")
    }

    private func columns(_ rows: [[String]]) -> String {
        let widths = (0..<(rows.first?.count ?? 0)).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.count) }
            return String(("  " + cells.joined(separator: "   ")).trimmingSuffix { $0 == " " })
        }.joined(separator: "\n")
    }

    private var commands: String {
        guard let user = accounts.first, let imap = services["imap"], let pop3 = services["pop3"],
            let submission = services["submission"]
        else { return "" }
        let other = accounts.dropFirst().first ?? user
        let curl = "curl -sS --cacert \(shellQuoted(ca)) --user \(shellQuoted(user.login + ":" + user.password))"
        let client = "openssl s_client -quiet -no_ign_eof -verify_return_error -CAfile \(shellQuoted(ca))"
        let mail = #"printf 'From: <\#(user.address)>\nTo: <\#(other.address)>\nSubject: Hello\n\nFirst mail.\n'"#
        return """
              # list the mailboxes, read a message, list the maildrop
              \(curl) 'imaps://\(host):\(imap.implicit)/'
              \(curl) 'imaps://\(host):\(imap.implicit)/INBOX;MAILINDEX=1'
              \(curl) 'pop3s://\(host):\(pop3.implicit)/'
              # send a message to \(other.address)
              \(mail) | \(curl) 'smtps://\(host):\(submission.implicit)' --mail-from \(user.address) \
            --mail-rcpt \(other.address) --crlf --upload-file -
              # speak IMAP yourself
              \(client) -connect \(host):\(imap.implicit)
              \(client) -connect \(host):\(imap.starttls) -starttls imap
            """
    }
}

extension String {
    fileprivate func trimmingSuffix(while predicate: (Character) -> Bool) -> Substring {
        self[..<(lastIndex { !predicate($0) }.map { index(after: $0) } ?? startIndex)]
    }
}

/// For a POSIX shell.
private func shellQuoted(_ text: String) -> String {
    let isPlain =
        !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "/._-:@".contains($0)) }
    return isPlain ? text : "'" + text.replacing("'", with: #"'\''"#) + "'"
}
