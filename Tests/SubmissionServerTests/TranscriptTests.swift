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

    @Test("A transcript is answered as it says", arguments: names, [false, true])
    func plays(_ name: String, byByte: Bool) async throws {
        // What pipelines is not the same dialogue byte by byte.
        if byByte, name.contains("pipelined") { return }
        let text = try String(contentsOf: Self.folder.appending(path: name), encoding: .utf8)
        let fixture = try await Fixture()
        var driver = name.hasPrefix("starttls") ? fixture.plainConnection() : fixture.secureConnection()
        try await driver.play(try Transcript(text), byByte: byByte)
    }
}
