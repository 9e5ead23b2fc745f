import MailStore
import MessageFormat
import WireFraming

// A message's content: told piece by piece, and changed as the filter asks.

extension MilterConversation {
    /// What the message is after this filter; as it was when the filter has decided before.
    func filter(
        _ passage: FilteredPassage, _ macros: MilterMacros, _ writer: @escaping @Sendable () -> any BodyWriter
    ) async -> FilteredPassage {
        var passage = passage
        do throws(MilterError) {
            await ask(.data, macros)
            try await tellHeader(of: passage.content)
            await ask(.endOfHeader)
            try await tellBody(of: passage.content)
            var changes = MilterChanges(writer)
            let keeps = keepsLeadingSpace
            await endMessage { modification throws(MilterError) in
                try await changes.take(modification, into: &passage, keepsLeadingSpace: keeps)
            }
            if case .asking = standing { try await changes.finish(&passage) }
        } catch {
            fail(error)
        }
        return passage
    }

    private func tellHeader(of content: FilteredContent) async throws(MilterError) {
        var next = 0
        while next < content.header.fields.count, case .asking = standing {
            let (told, following) = try content.fields(from: next)
            for event in told { await ask(event) }
            next = following
        }
    }

    private func tellBody(of content: FilteredContent) async throws(MilterError) {
        var offset = 0
        while offset < content.bodyLength, case .asking = standing {
            let piece = try content.bodyPiece(at: offset)
            offset += piece.count
            await ask(.body(piece))
        }
    }
}

/// Gathers what a filter asks for; a new body goes to a writer as it comes.
private struct MilterChanges {
    private let makeWriter: @Sendable () -> any BodyWriter
    private var writer: (any BodyWriter)?
    private var lineEnds = LineEndNormaliser()
    private var count = 0

    init(_ makeWriter: @escaping @Sendable () -> any BodyWriter) { self.makeWriter = makeWriter }

    mutating func take(
        _ modification: MilterModification, into passage: inout FilteredPassage, keepsLeadingSpace: Bool
    ) async throws(MilterError) {
        guard case .body(let piece) = modification else {
            count += 1
            guard count <= FilteredHeader.maximumChanges else { throw .violation("too many changes") }
            return try passage.apply(modification, keepsLeadingSpace: keepsLeadingSpace)
        }
        let writer = writer ?? makeWriter()
        self.writer = writer
        var octets: [UInt8] = []
        lineEnds.append(piece.span, to: &octets)
        guard !lineEnds.hasNUL else { throw .violation("a body with NUL") }
        guard writer.count + octets.count <= MilterTransaction.maximumReplacement else {
            throw .violation("a body that is too large")
        }
        try await write(octets, to: writer)
    }

    private func write(_ octets: [UInt8], to writer: any BodyWriter) async throws(MilterError) {
        do { try await writer.take(octets) } catch { throw .storage("\(error)") }
    }

    mutating func finish(_ passage: inout FilteredPassage) async throws(MilterError) {
        guard let writer else { return }
        do { passage.content.replaceBody(try await writer.finish()) } catch { throw .storage("\(error)") }
    }
}
