import MailStore
import MessageFormat
import SMTPSyntax
import WireFraming

/// A message sent as BINARYMIME cannot become one of lines.
struct ConversionRefused: Error {
    /// X.6.3: conversion required but not supported (RFC 3463 §3.7).
    static let reply = SMTPReply(
        554, .init(6, 3), "The message cannot be converted for mailboxes: it is signed, or not well-formed MIME")
}

/// Whoever reads a mailbox expects lines, by POP3, by IMAP and in files. What came as BINARYMIME (RFC 3030 §3) is
/// therefore encoded, part by part, when it goes into one.
extension Acceptance {
    /// A copy of the body in lines, behind a prefix of complete lines. Throws `ConversionRefused`.
    func inLines(_ body: any StagedBody, after prefix: String) async throws -> any StagedBody {
        let writer = store.bodyWriter()
        writer.write(Array(prefix.utf8).span)
        var plan = ReencodingPlan(.eightBit)
        for piece in pieces(of: body.count) { try Self.add(Self.octets(of: body, piece), to: &plan) }
        try Self.finish(&plan)
        var reencoder = MessageReencoder(plan)
        for piece in pieces(of: body.count) {
            let converted = try Self.convert(Self.octets(of: body, piece), by: &reencoder)
            writer.write(converted.span)
            if writer.needsSpill { try await writer.spill() }
        }
        let last = try Self.finish(&reencoder)
        writer.write(last.span)
        return try await writer.finish()
    }

    private static func octets(of body: any StagedBody, _ piece: Range<Int>) throws -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(piece.count)
        try body.withBytes { bytes in
            for index in piece { octets.append(bytes[index]) }
        }
        return octets
    }

    // A failure of each step is one: the message cannot be converted.

    private static func add(_ octets: [UInt8], to plan: inout ReencodingPlan) throws(ConversionRefused) {
        do { try plan.add(octets.span) } catch { throw ConversionRefused() }
    }

    private static func finish(_ plan: inout ReencodingPlan) throws(ConversionRefused) {
        do { try plan.finish() } catch { throw ConversionRefused() }
    }

    private static func convert(
        _ octets: [UInt8], by reencoder: inout MessageReencoder
    ) throws(ConversionRefused) -> [UInt8] {
        do { return try reencoder.convert(octets.span) } catch { throw ConversionRefused() }
    }

    private static func finish(_ reencoder: inout MessageReencoder) throws(ConversionRefused) -> [UInt8] {
        do { return try reencoder.finish() } catch { throw ConversionRefused() }
    }

    func pieces(of count: Int) -> [Range<Int>] {
        stride(from: 0, to: count, by: Self.copiedAtOnce).map { $0..<min($0 + Self.copiedAtOnce, count) }
    }
}
