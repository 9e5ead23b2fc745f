import MailStore
import MailTestSupport
import MailVocabulary
import MessageFormat
import Testing

@testable import SQLiteStore

/// A store whose texts are indexed when a test says so.
var indexedOptions: SQLiteStore.Options {
    var options = SQLiteStore.Options()
    options.textIndex = .maintained
    options.textIndexing.interval = nil
    options.textIndexing.rest = 0
    options.textIndexing.tidying = .seconds(86_400)
    return options
}

extension StoreFixture {
    /// Adds messages as servers do, with their summaries.
    func addMail(_ messages: [String], to mailbox: MailboxID) async throws {
        var new: [NewMessage] = []
        for message in messages {
            let octets = Array(message.utf8)
            new.append(
                NewMessage(
                    body: try await staged(octets), internalDate: Timestamp(seconds: 0, zoneMinutes: 0),
                    summary: MessageSummary(parsing: octets.span).encoded()))
        }
        _ = try await store.append([(mailbox, new)])
    }

    /// Which messages may contain a text, by position; nil when nothing is known.
    func mayContain(_ text: String, in mailbox: MailboxID) async throws -> [Bool]? {
        let view = try await store.open(mailbox)
        let bodies = (0..<view.count).map { view[$0].body }
        return try await store.mayContain(TextFolding.folded(text), bodies, in: mailbox)
    }

    func bodies(_ mailbox: MailboxID) async throws -> [BodyID] {
        let view = try await store.open(mailbox)
        return (0..<view.count).map { view[$0].body }
    }
}

/// Messages that differ in one word, and a text that is in none.
enum TextSamples {
    static func word(_ number: Int) -> String {
        var (rest, word) = (number * 7919 + 104_729, "")
        for _ in 0..<6 {
            word.append(Character(Unicode.Scalar(UInt8(0x61 + rest % 26))))
            rest = rest / 3 + 31
        }
        return "q\(word)\(number)x"
    }

    static func message(_ number: Int, octets: Int = 0) -> String {
        let filling =
            octets == 0 ? "" : (0..<octets / 12).map { "\(($0 &* 2_654_435_761 &+ number) % 99_991) word\r\n" }.joined()
        return "From: a@b.example\r\nSubject: number \(number)\r\n\r\n\(filling)This has \(word(number)) in it.\r\n"
    }

    static func messages(_ numbers: Range<Int>) -> [String] { numbers.map { message($0) } }
}
