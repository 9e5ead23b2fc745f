import MailStore
import MailVocabulary
import MessageFormat

/// Takes one message from its file into the store's staging, with the line ends that IMAP has.
struct MessageIntake {
    private static let piece = 64 * 1024

    let store: any MailStore
    /// Octets of a message; a larger one is refused.
    let limit: Int

    /// Throws `TransferError` for a message that cannot be taken, `StoreError`.
    func stage(_ message: SourceMessage) async throws -> any StagedBody {
        let file = try ReadingFile(message.place.path)
        let writer = store.bodyWriter()
        var flow = Flow(encoding: message.encoding)
        var position = try beginWithHeader(message, file, &flow)
        repeat {
            let bytes = try file.read(position..<min(message.place.range.upperBound, position + Self.piece))
            position += bytes.count
            let isLast = bytes.isEmpty || position >= message.place.range.upperBound
            let octets = flow.octets(of: bytes[...], isLast: isLast)
            writer.write(octets.span)
            guard writer.count <= limit else { throw TransferError("\(message.place): larger than \(limit) octets") }
            if writer.needsSpill { try await writer.spill() }
            if isLast { break }
        } while true
        guard writer.count > 0 else { throw TransferError("\(message.place): the message is empty") }
        return try await writer.finish()
    }

    /// Writes an mbox message's header without the fields that are the mbox's; where its body begins.
    private func beginWithHeader(_ message: SourceMessage, _ file: ReadingFile, _ flow: inout Flow) throws -> Int {
        let range = message.place.range
        guard message.encoding == .mbox else { return range.lowerBound }
        let head = try file.read(range.prefix(MboxFields.headerLimit))
        var fields = HeaderFields(head.span)
        while fields.next() != nil {}
        let end = fields.position
        // A header without an end in sight is left as it is.
        guard end < head.count || head.count == range.count else { return range.lowerBound }
        flow.take(
            selectHeaderFields(
                from: head.span.extracting(0..<end), names: MboxFields.names, excluding: true, bodyIsEmpty: true))
        return range.lowerBound + end
    }

    /// Pieces on their way.
    private struct Flow {
        let encoding: SourceMessage.Encoding
        private var normaliser = LineEndNormaliser()
        private var unquoting = FromUnquoting()
        private var waiting: [UInt8] = []

        init(encoding: SourceMessage.Encoding) { self.encoding = encoding }

        mutating func take(_ octets: [UInt8]) { waiting += octets }

        mutating func octets(of bytes: ArraySlice<UInt8>, isLast: Bool) -> [UInt8] {
            switch encoding {
            case .verbatim: waiting += bytes
            case .mbox:
                unquoting.append(bytes, to: &waiting)
                if isLast { unquoting.finish(&waiting) }
            }
            let octets = waiting
            waiting = []
            var output: [UInt8] = []
            output.reserveCapacity(octets.count + octets.count / 16)
            normaliser.append(octets.span, to: &output)
            if isLast { normaliser.finish() }
            return output
        }
    }
}
