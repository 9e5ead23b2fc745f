import IMAPSyntax
import MailStore
import MailVocabulary
import WireFraming

// GENURLAUTH, URLFETCH, RESETKEY (RFC 4467).

/// A URLFETCH whose answer is being written: URL by URL, and of what one names as much as memory should hold.
struct URLStream: Sendable {
    /// With those that are no URLs of messages.
    var urls: ArraySlice<(text: String, url: AddressedURL?)>
    let authentication: URLAuthentication
    /// What is still to be written of the present URL's octets.
    var body: BodyID?
    var range = 0..<0
}

extension IMAPSession {
    /// Octets of a body that are read at a time.
    private static let urlPiece = 128 * 1024

    private mutating func refuseURLs(_ tag: String, _ output: inout SessionOutput) -> Step {
        refuse(tag, Refusal(status: .bad, text: "URLAUTH is not offered"), &output)
    }

    private func addressed(_ url: IMAPURL, _ account: Account) -> AddressedURL {
        AddressedURL(url: url, account: account, selected: nil, host: context.hostname)
    }

    /// RFC 4467 §7.
    mutating func generateURLs(
        _ tag: String, _ urls: [URLToAuthorise], _ output: inout SessionOutput
    ) -> Step {
        guard let account = state.account, let authentication = settings.urlAuthentication else {
            return refuseURLs(tag, &output)
        }
        var requests: [AuthorisationRequest] = []
        for url in urls {
            guard url.mechanism == "INTERNAL", let parsed = IMAPURL(url.url) else {
                return refuse(tag, Refusal(status: .bad, text: "Not a URL that can be authorised"), &output)
            }
            requests.append(AuthorisationRequest(text: url.url, url: addressed(parsed, account)))
        }
        return perform(.authoriseURLs(requests, authentication)) { session, outcome, output in
            guard case .authorisedURLs(let authorised) = outcome else {
                return session.concludeFailed(tag, outcome, &output)
            }
            guard let authorised else {
                return session.refuse(
                    tag, Refusal(status: .bad, text: "Not a URL that can be authorised"), &output)
            }
            var reply = OutputBuffer()
            reply.append(authorisedURLs: authorised)
            session.enqueue(reply)
            return session.conclude(tag, .ok, "GENURLAUTH completed", &output)
        }
    }

    /// RFC 4467 §7.
    mutating func fetchURLs(_ tag: String, _ urls: [String], _ output: inout SessionOutput) -> Step {
        guard let account = state.account, let authentication = settings.urlAuthentication else {
            return refuseURLs(tag, &output)
        }
        let parsed = urls.map { text in (text: text, url: IMAPURL(text).map { addressed($0, account) }) }
        outgoing.append(.urls(URLStream(urls: parsed[...], authentication: authentication)))
        return conclude(tag, .ok, "URLFETCH completed", &output)
    }

    /// Writes more of an URLFETCH; nil when all is, or more can be written at once.
    mutating func advance(_ stream: URLStream) -> Step? {
        if let body = stream.body, !stream.range.isEmpty { return read(body, stream) }
        var stream = stream
        guard let next = stream.urls.popFirst() else { return nil }
        var reply = OutputBuffer()
        reply.append(fetchedURL: next.text)
        guard let url = next.url else {
            reply.append("NIL\r\n" as StaticString)
            outgoing.insert(contentsOf: [.bytes(reply.take(), written: 0), .urls(stream)], at: 0)
            return nil
        }
        return perform(.locate(url, stream.authentication)) { session, outcome, output in
            var stream = stream
            var reply = reply
            reply.append(contentOf: outcome, &stream)
            return session.write(reply.take(), then: stream, &output)
        }
    }

    private mutating func read(_ body: BodyID, _ stream: URLStream) -> Step {
        let piece = stream.range.prefix(Self.urlPiece)
        return perform(.read(body, piece)) { session, outcome, output in
            guard case .octets(let octets) = outcome, octets.count == piece.count else {
                // Within a literal: nothing that is written now would be understood.
                output.events.append(.notice("a stored message cannot be read to its end"))
                session.state = .logout
                return .close
            }
            var stream = stream
            stream.range = piece.upperBound..<stream.range.upperBound
            return session.write(stream.range.isEmpty ? octets + [0x0D, 0x0A] : octets, then: stream, &output)
        }
    }

    private mutating func write(_ octets: [UInt8], then stream: URLStream, _ output: inout SessionOutput) -> Step {
        outgoing.insert(contentsOf: [.bytes(octets, written: 0), .urls(stream)], at: 0)
        return pump(&output)
    }

    /// RFC 4467 §7.
    mutating func resetKey(
        _ tag: String, _ name: MailboxName?, _ mechanisms: [String], _ output: inout SessionOutput
    ) -> Step {
        guard let account = state.account, settings.urlAuthentication != nil else { return refuseURLs(tag, &output) }
        guard mechanisms.allSatisfy({ $0 == "INTERNAL" }) else {
            return refuse(tag, Refusal(status: .bad, text: "There is no such mechanism"), &output)
        }
        return perform(.resetURLKeys(account.id, name)) { session, outcome, output in
            guard case .done = outcome else { return session.concludeFailed(tag, outcome, &output) }
            return session.conclude(tag, .ok, name == nil ? nil : .urlMechanisms, "RESETKEY completed", &output)
        }
    }
}

extension OutputBuffer {
    // genurlauth-data = "*" SP "GENURLAUTH" 1*(SP url-full)          RFC 4467 §9
    fileprivate mutating func append(authorisedURLs urls: [String]) {
        append("* GENURLAUTH" as StaticString)
        for url in urls {
            append(UInt8(ascii: " "))
            append(string: url)
        }
        appendLineEnd()
    }

    // urlfetch-data = "*" SP "URLFETCH" 1*(SP url-full SP nstring)
    /// Up to the value; each URL has a response of its own.
    fileprivate mutating func append(fetchedURL url: String) {
        append("* URLFETCH " as StaticString)
        append(string: url)
        append(UInt8(ascii: " "))
    }

    /// The value, or its beginning: what is to be read of it goes into the stream.
    fileprivate mutating func append(contentOf located: IMAPOutcome, _ stream: inout URLStream) {
        (stream.body, stream.range) = (nil, 0..<0)
        switch located {
        case .located(.stored(let body, let range)):
            (stream.body, stream.range) = (body, range)
            append(literalOf: range.count)
            if range.isEmpty { appendLineEnd() }
        case .located(.octets(let octets)):
            append(literalOf: octets.count)
            append(octets)
            appendLineEnd()
        case _: append("NIL\r\n" as StaticString)
        }
    }
}
