import Foundation
import MailTestSupport
import Testing

/// Every transcript, whole and byte by byte. Those of Implicit TLS begin inside it; `starttls-*` begin outside.
@Suite("Submission transcripts")
struct TranscriptTests {
    static let folder = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Transcripts/submission")

    static let names: [String] = {
        let found = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return found.filter { $0.hasSuffix(".transcript") }.sorted()
    }()

    @Test("The transcripts are found")
    func found() { #expect(Self.names.count >= 14) }

    /// What pipelines is not the same dialogue byte by byte.
    static let dialogues = names.flatMap { name in
        name.contains("pipelined") ? [(name, false)] : [(name, false), (name, true)]
    }

    @Test("A transcript is answered as it says", arguments: dialogues)
    func plays(_ name: String, byByte: Bool) async throws {
        let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        let fixture = try await Fixture(delivery: name.contains("relay") ? Fixture.relaying : Fixture.plain)
        var driver = name.hasPrefix("starttls") ? fixture.plainConnection() : fixture.secureConnection()
        try await driver.play(try Transcript(text), byByte: byByte)
    }
}
