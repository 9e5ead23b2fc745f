import MailVocabulary
import WireFraming

// RFC 4467 §9. URLs stay as they are written: what they mean is `IMAPURL`'s business.
extension CommandParser {
    // genurlauth = "GENURLAUTH" 1*(SP url-rump SP mechanism)
    // url-rump   = astring
    mutating func urlsToAuthorise() throws(SyntaxError) -> IMAPRequest {
        var urls: [URLToAuthorise] = []
        repeat {
            guard urls.count < IMAPLimits.shortList else { throw SyntaxError("Too many URLs", code: .limit) }
            let url = try textArgument("a URL")
            try space()
            urls.append(URLToAuthorise(url: url, mechanism: try word("a mechanism")))
        } while cursor.take(UInt8(ascii: " "))
        return .generateURLs(urls)
    }

    // urlfetch = "URLFETCH" 1*(SP url-full)
    // url-full = astring
    mutating func urlsToFetch() throws(SyntaxError) -> IMAPRequest {
        var urls: [String] = []
        repeat {
            guard urls.count < IMAPLimits.shortList else { throw SyntaxError("Too many URLs", code: .limit) }
            urls.append(try textArgument("a URL"))
        } while cursor.take(UInt8(ascii: " "))
        return .fetchURLs(urls)
    }

    // resetkey = "RESETKEY" [SP mailbox *(SP mechanism)]
    mutating func resetKey() throws(SyntaxError) -> IMAPRequest {
        guard cursor.take(UInt8(ascii: " ")) else { return .resetKey(nil, mechanisms: []) }
        let name = try mailbox()
        var mechanisms: [String] = []
        while cursor.take(UInt8(ascii: " ")) {
            guard mechanisms.count < IMAPLimits.shortList else { throw SyntaxError("Too many names", code: .limit) }
            mechanisms.append(try word("a mechanism"))
        }
        return .resetKey(name, mechanisms: mechanisms)
    }
}
