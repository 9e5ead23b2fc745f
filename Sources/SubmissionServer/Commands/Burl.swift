import MailDelivery
import MailStore
import SMTPSyntax
import WireFraming

/// A URL's content on its way into a message.
struct URLProgress {
    let octets: URLOctets
    var position = 0
    let isLast: Bool
}

// BURL (RFC 4468): a part of the message is what a URL of this server's IMAP names, that its owner has authorised for
// submission (RFC 4467).
extension SubmissionSession {
    mutating func serveBurl(_ arguments: Span<UInt8>, _ output: inout SessionOutput) -> Step {
        guard let command = try? BurlCommand(parsing: arguments) else { return refuse(.badArgument, &output) }
        guard reception == nil else { return openURL(command) }
        pendingPart = .url(command)
        return .perform(.beginMessage)
    }

    mutating func openURL(_ command: BurlCommand) -> Step {
        guard let login else { return .ready }
        urlIsLast = command.isLast
        return .perform(.openURL(command.url, login, host: context.hostname))
    }

    mutating func startURL(_ octets: URLOctets?, _ output: inout SessionOutput) -> Step {
        guard let octets else {
            reception?.refuse(.badURL)
            return endURL(size: 0, &output)
        }
        url = URLProgress(octets: octets, isLast: urlIsLast)
        if let reception, octets.count > settings.maximumMessageSize - reception.size {
            self.reception?.refuse(.tooLarge)
        }
        return continueURL(&output)
    }

    /// The next piece, or the part's end.
    mutating func continueURL(_ output: inout SessionOutput) -> Step {
        guard let url else { return .ready }
        let size = url.octets.count
        guard reception?.defect == nil, url.position < size else { return endURL(size: size, &output) }
        let end = min(url.position + SubmissionLimits.urlPiece, size)
        self.url?.position = end
        return .perform(.readURL(url.octets, url.position..<end))
    }

    mutating func receiveURL(_ octets: [UInt8]?, _ output: inout SessionOutput) -> Step {
        guard let octets else {
            reception?.refuse(.badURL)
            return continueURL(&output)
        }
        if case .header? = reception?.receiveChunk(octets.span) { return judgeHeader(&output) }
        if let writer = reception?.writer, writer.needsSpill { return .perform(.spill(writer)) }
        return continueURL(&output)
    }

    private mutating func endURL(size: Int, _ output: inout SessionOutput) -> Step {
        let isLast = urlIsLast
        (url, urlIsLast) = (nil, false)
        return endPart(ChunkProgress(remaining: 0, size: size, isLast: isLast), &output)
    }
}
