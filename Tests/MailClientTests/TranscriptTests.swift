import Foundation
import Testing

@testable import MailClient

/// Every dialogue of `Tests/Transcripts/smtp-client`, whole and byte by byte.
@Suite("SMTP client transcripts")
struct TranscriptTests {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Transcripts/smtp-client")

    static let names: [String] = {
        let found = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return found.filter { $0.hasSuffix(".transcript") }.sorted()
    }()

    @Test("The transcripts are found")
    func found() { #expect(Self.names.count >= 30) }

    @Test("The client says what the transcript says, and nothing else", arguments: names, [false, true])
    func plays(_ name: String, byByte: Bool) throws {
        let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        // A wall that stands between two octets of one segment is not met when they come one by one.
        var player = ClientTranscript(byByte: byByte && !name.hasPrefix("injection-"))
        try player.play(text)
    }
}
