package import IMAPSyntax
package import MailStore
package import MailVocabulary
import MessageFormat

// What IMAP URLs name (RFC 5092): for CATENATE (RFC 4469) of one's own, and for URLAUTH (RFC 4467) of whoever has
// authorised it.

/// A URL with who uses it, and from where.
package struct AddressedURL: Sendable {
    package var url: IMAPURL
    package var account: Account
    /// The mailbox that a relative URL without one is of.
    package var selected: MailboxName?
    /// This server's name.
    package var host: String
}

/// A message authentication code, such as HMAC-SHA-256, of a text by a key.
package typealias URLAuthentication = @Sendable (_ key: Secret, _ text: [UInt8]) -> [UInt8]

/// A URL whose octets are the next part of a message.
package struct CatenatedPart: Sendable {
    package var url: AddressedURL
    package var writer: any BodyWriter
    /// Octets of the whole message.
    package var limit: UInt64
    package var authentication: URLAuthentication?
}

/// What a URL names.
package enum URLContent: Sendable, Equatable {
    case stored(BodyID, Range<Int>)
    case octets([UInt8])
}

extension IMAPService {
    /// Octets that are copied at a time.
    private static let copiedAtOnce = 128 * 1024

    /// Adds what the URL names to the message. Throws `AppendProblem`.
    func catenate(_ part: CatenatedPart) async throws {
        guard let mailbox = try await mailbox(of: part.url, part.authentication),
            let content = try await content(of: part.url.url, in: mailbox)
        else { throw AppendProblem.badURL }
        switch content {
        case .octets(let octets):
            guard UInt64(part.writer.count + octets.count) <= part.limit else { throw AppendProblem.tooLarge }
            part.writer.write(octets.span)
        case .stored(let body, let range):
            guard UInt64(part.writer.count + range.count) <= part.limit else { throw AppendProblem.tooLarge }
            for start in stride(from: range.lowerBound, to: range.upperBound, by: Self.copiedAtOnce) {
                let piece = start..<min(start + Self.copiedAtOnce, range.upperBound)
                let octets = try await read(body, piece)
                part.writer.write(octets.span)
                if part.writer.needsSpill { try await part.writer.spill() }
            }
        }
    }

    private func read(_ body: BodyID, _ range: Range<Int>) async throws -> [UInt8] {
        do {
            let octets = try await store.read(body, range)
            guard octets.count == range.count else { throw AppendProblem.badURL }
            return octets
        } catch StoreError.noSuchBody {
            throw AppendProblem.badURL
        }
    }

    /// The mailbox that a URL of CATENATE is of: one of the user's own, or of who has authorised the URL.
    private func mailbox(
        of addressed: AddressedURL, _ authentication: URLAuthentication?
    ) async throws -> Mailbox? {
        if addressed.url.authorization != nil {
            guard let authentication else { return nil }
            return try await authorisedMailbox(of: addressed, authentication)
        }
        if addressed.url.server != nil {
            guard try await owner(of: addressed)?.id == addressed.account.id else { return nil }
        }
        guard let name = addressed.url.mailbox ?? addressed.selected else { return nil }
        guard let found = try await find(name, for: addressed.account), found.rights.contains(.read) else { return nil }
        return found.mailbox
    }

    /// Whose URL it is: nil when it is of another server, or of nobody.
    func owner(of addressed: AddressedURL) async throws -> Account? {
        guard let server = addressed.url.server, let user = server.user,
            let account = try await account(named: user, at: server.host)
        else { return nil }
        let hosts = [addressed.host.asciiLowercased(), account.address.domain.name.asciiLowercased()]
        return hosts.contains(server.host) && !account.isDisabled ? account : nil
    }

    /// By address, or by its local part at a domain.
    func account(named user: String, at host: String) async throws -> Account? {
        guard let address = Address(user.contains("@") ? user : "\(user)@\(host)") else { return nil }
        return try await store.account(address)
    }

    /// What the URL names in the mailbox; nil when there is no such thing.
    func content(of url: IMAPURL, in mailbox: Mailbox) async throws -> URLContent? {
        guard let number = url.uid, let uid = UID(number),
            url.uidValidity.map({ $0 == mailbox.uidValidity.value }) ?? true
        else { return nil }
        let snapshot = try await store.open(mailbox.id)
        guard let position = snapshot.position(of: uid) else { return nil }
        let row = snapshot[position]
        var root: BodyPart?
        if url.section != BodySection() {
            guard let summary = try await store.summaries([row.body]).first ?? nil else { return nil }
            root = BodyPart(encodedSummary: summary.span)
        }
        switch url.section.content(size: Int(row.size), root: root) {
        case .none: return nil
        case .octets(let range): return .stored(row.body, url.partial?.range(within: range) ?? range)
        case .fields(let header, let names, let excluding, let bodyIsEmpty):
            let octets = try await store.read(row.body, header.prefix(FetchRun.header))
            let fields = selectHeaderFields(
                from: octets.span, names: names, excluding: excluding, bodyIsEmpty: bodyIsEmpty)
            return .octets(Array(fields[url.partial?.range(within: fields.indices) ?? fields.indices]))
        }
    }
}

extension IMAPURL.Partial {
    fileprivate func range(within content: Range<Int>) -> Range<Int> {
        let range = range(of: content.count)
        return content.lowerBound + range.lowerBound..<content.lowerBound + range.upperBound
    }
}
