import Foundation
import IMAPSyntax
import MailStore
import MailTestSupport
import MailVocabulary
import MessageFormat
import Synchronization
import Testing

@testable import IMAPServer

/// Searches in a store that knows of texts where they may be.
@Suite struct IndexedSearchTests {
    @Test("An index changes no answer", arguments: SearchTests.cases) func search(_ search: SearchTests.Case)
        async throws
    {
        let fixture = try await SearchTests.fixture()
        try await fixture.index()
        let numbers = search.found.map { " \($0)" }.joined()
        await fixture.session("INBOX").expect(
            "a SEARCH \(search.keys)\r\n", "* SEARCH\(numbers)\r\na OK SEARCH completed\r\n")
    }

    @Test(
        "What an index excludes is not read, and NOT finds it",
        arguments: [
            ("TEXT tulip", "3"), ("NOT TEXT tulip", "1 2 4"), ("OR TEXT tulip BODY rose", "2 3"),
            ("NOT OR TEXT tulip BODY rose", "1 4"), ("TEXT tulip BODY rose", ""), ("NOT (NOT TEXT tulip)", "3"),
            ("NOT (TEXT tulip BODY rose)", "1 2 3 4"),
        ])
    func excluded(_ keys: String, _ found: String) async throws {
        let fixture = try await Fixture()
        try await fixture.deliver(["Subject: a\n\nnothing\n", "\nrose\n", "\ntulip\n", "\nlily\n"])
        try await fixture.index()
        let client = await fixture.session("INBOX")
        let before = fixture.served.condition.withLock(\.octetsRead)
        await client.expect(
            "a SEARCH \(keys)\r\n",
            "* SEARCH\(found.isEmpty ? "" : " " + found)\r\na OK SEARCH completed\r\n")
        #expect(fixture.served.condition.withLock(\.octetsRead) - before <= "\r\nrose\r\n\r\ntulip\r\n".utf8.count)
    }

    /// Every word of the texts is found where it is, by a scan and in what is indexed.
    @Test("What a scan finds is in what is indexed", arguments: 0..<40) func superset(_ seed: UInt64) {
        var random = SeededGenerator(seed)
        for _ in 0..<50 {
            var maker = MessageMaker(&random)
            let message = maker.message()
            let summary = MessageSummary(parsing: message.span).encoded()
            let text = SearchedText(of: MessageSummary(parsing: message.span).structure, in: message)
            guard let content = SearchedContent(summary: summary, text: text) else {
                Issue.record("a summary is not read")
                continue
            }
            var indexed: [[UInt8]] = []
            text.forEachIndexedText(encodedSummary: summary) { piece in
                indexed.append(piece.withUnsafeBufferPointer { Array($0) })
            }
            for _ in 0..<40 {
                guard let needle = MessageMaker.needle(message, indexed, &random) else { continue }
                let isFound =
                    content.textContains(needle) == true || content.contains(needle, in: .from)
                    || content.contains(needle, in: .to) || content.contains(needle, in: .subject)
                    || content.contains(needle, inField: Array("X-Any".utf8)) == true
                    || content.contains(needle, inField: Array("=?utf-8?q?x".utf8)) == true
                let isIndexed = indexed.contains { Self.holds($0, needle.octets) }
                #expect(isIndexed || !isFound, "\(String(decoding: needle.octets, as: UTF8.self)) in \(message)")
            }
        }
    }

    private static func holds(_ text: [UInt8], _ octets: [UInt8]) -> Bool {
        guard octets.count <= text.count else { return false }
        return (0...text.count - octets.count).contains { text[$0...].starts(with: octets) }
    }
}

extension Fixture {
    /// Makes the store tell, by the texts to be indexed, where something may be.
    func index() async throws {
        var texts: [BodyID: [[UInt8]]] = [:]
        let view = try await store.open(try await mailbox("INBOX").id)
        for position in 0..<view.count {
            let body = view[position].body
            let summary = try #require(try await store.summaries([body])[0])
            let bytes = try #require(try await store.read([body])[0])
            SearchedText(of: MessageSummary(parsing: bytes.span).structure, in: bytes).forEachIndexedText(
                encodedSummary: summary
            ) { piece in
                texts[body, default: []].append(piece.withUnsafeBufferPointer { Array($0) })
            }
        }
        served.condition.withLock { [texts] condition in
            condition.mayContain = { text, body in
                texts[body]?.contains { String(decoding: $0, as: UTF8.self).utf8.contains(text) } ?? true
            }
        }
    }
}

extension String.UTF8View {
    fileprivate func contains(_ octets: [UInt8]) -> Bool { Array(self).contains(octets) }
}

extension [UInt8] {
    fileprivate func contains(_ other: [UInt8]) -> Bool {
        other.count <= count && (0...count - other.count).contains { self[$0...].starts(with: other) }
    }
}

/// Messages with everything that makes searching difficult.
struct MessageMaker {
    private static let words: [[UInt8]] =
        [
            "Straße", "GRÜSSE", "İstanbul", "K\u{212A}elvin", "plain", "TEXT", "=?utf-8?q?Gr=C3=BC=C3=9Fe?=",
            "=?iso-8859-1?b?5Pb8?=", "=?utf-8?q?a?", "=?x?", "\r\n ", "\r\n\t", "\0", "\r", "=\r\n", "=C3=9C",
            "ΣΊΣΥΦΟΣ",
            "日本語", "\"Name\"", "<a@b.example>", "?=", ",", " ", " ", "é", "e\u{301}", ":", "From me",
        ].map { Array($0.utf8) } + [[0xFC, 0xDF], [0xC3], [0xE2, 0x84]]
    private var random: SeededGenerator

    init(_ random: inout SeededGenerator) { self.random = SeededGenerator(random.next()) }

    private mutating func text(_ count: Int) -> [UInt8] {
        (0..<count).flatMap { _ in Self.words.randomElement(using: &random) ?? [] }
    }

    mutating func message(words: Int? = nil) -> [UInt8] {
        var message: [UInt8] = []
        let end: [UInt8] = Bool.random(using: &random) ? [0x0D, 0x0A] : [0x0A]
        for name in ["From", "To", "Subject", "X-Any", "=?utf-8?q?x"] where Int.random(in: 0..<3, using: &random) > 0 {
            message += Array("\(name): ".utf8) + text(Int.random(in: 0..<8, using: &random)) + end
        }
        let charset = ["utf-8", "iso-8859-1", "us-ascii", "iso-2022-jp", "koi8-r"].randomElement(using: &random) ?? ""
        let encoding = ["8bit", "quoted-printable", "base64", "7bit"].randomElement(using: &random) ?? ""
        message += Array("Content-Type: text/plain; charset=\(charset)\r\n".utf8)
        message += Array("Content-Transfer-Encoding: \(encoding)\r\n\r\n".utf8)
        let text = text(words ?? Int.random(in: 0..<30, using: &random))
        guard encoding == "base64", Bool.random(using: &random) else { return message + text }
        return message + Data(text).base64EncodedString(options: [.lineLength76Characters]).utf8
    }

    /// Two messages as parts of one, the second within a message.
    mutating func compound() -> [UInt8] {
        let (first, second) = (message(), message())
        return Array("Subject: both\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\nbefore\r\n--b\r\n".utf8) + first
            + Array("\r\n--b\r\nContent-Type: message/rfc822\r\n\r\n".utf8) + second + Array("\r\n--b--\r\nafter".utf8)
    }

    /// Something that stands in a message, as it was sent or as it is read; nil when it can be in no request.
    static func sought(_ message: [UInt8], _ random: inout SeededGenerator) -> [UInt8]? {
        let summary = MessageSummary(parsing: message.span)
        var pieces = [message]
        SearchedText(of: summary.structure, in: message).forEachIndexedText(encodedSummary: summary.encoded()) {
            piece in
            pieces.append(piece.withUnsafeBufferPointer { Array($0) })
        }
        guard let piece = pieces.randomElement(using: &random), piece.count > 1 else { return nil }
        let start = Int.random(in: 0..<piece.count - 1, using: &random)
        let length =
            Bool.random(using: &random)
            ? Int.random(in: 1...12, using: &random) : Int.random(in: 1...90, using: &random)
        let sought = piece[start..<min(piece.count, start + length)].filter { $0 != 0 }
        return String(validating: sought, as: UTF8.self) == nil || sought.isEmpty ? nil : sought
    }

    /// Something that is likely to be in there.
    static func needle(_ message: [UInt8], _ indexed: [[UInt8]], _ random: inout SeededGenerator) -> Needle? {
        var octets = Bool.random(using: &random) ? message : indexed.randomElement(using: &random) ?? []
        guard octets.count > 1 else { return nil }
        let start = Int.random(in: 0..<octets.count - 1, using: &random)
        octets = Array(octets[start..<min(octets.count, start + Int.random(in: 1...12, using: &random))])
        // What stands in no request.
        octets.removeAll { $0 == 0 }
        guard let text = String(validating: octets, as: UTF8.self), !text.isEmpty else { return nil }
        return Needle(text)
    }
}
