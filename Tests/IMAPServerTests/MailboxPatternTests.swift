import IMAPSyntax
import MailTestSupport
import MailVocabulary
import Testing

@testable import IMAPServer

@Suite struct MailboxPatternTests {
    /// What the words of RFC 3501 §6.3.8 say, with no thought of time.
    private func fits(_ pattern: ArraySlice<UInt8>, _ text: ArraySlice<UInt8>) -> Bool {
        guard let first = pattern.first else { return text.isEmpty }
        let rest = pattern.dropFirst()
        switch first {
        case UInt8(ascii: "*"), UInt8(ascii: "%"):
            if fits(rest, text) { return true }
            guard let next = text.first, first == UInt8(ascii: "*") || next != UInt8(ascii: "/") else { return false }
            return fits(pattern, text.dropFirst())
        case _: return text.first == first && fits(rest, text.dropFirst())
        }
    }

    @Test("Patterns fit as the RFC says", arguments: 1...20) func random(_ seed: UInt64) throws {
        var random = SeededGenerator(seed)
        func text(_ letters: String, _ length: ClosedRange<Int>) -> String {
            let letters = Array(letters)
            return String(
                (0..<Int.random(in: length, using: &random)).map { _ in
                    letters[Int.random(in: 0..<letters.count, using: &random)]
                })
        }
        var fitting = 0
        for _ in 0..<2000 {
            let pattern = text("ab/*%%*a", 1...9)
            guard let name = MailboxName(text("aab/", 1...9)) else { continue }
            let expected = fits(Array(pattern.utf8)[...], Array(name.text.utf8)[...])
            #expect(MailboxPattern(pattern).matches(name) == expected, "\(pattern) \(name)")
            if expected { fitting += 1 }
        }
        #expect(fitting > 50)
    }

    @Test("INBOX fits in any case, and nothing else does") func inbox() throws {
        let inferior = try #require(MailboxName("inbox/Inbox"))
        #expect(MailboxPattern("iNb*").matches(.inbox))
        #expect(MailboxPattern("inbox/I%").matches(inferior))
        #expect(!MailboxPattern("inbox/i%").matches(inferior))
    }

    @Test("Many wildcards cost little, and too many match nothing") func cost() throws {
        let name = try #require(MailboxName(String(repeating: "a", count: 990)))
        let hard = String(repeating: "*a", count: 31)
        let clock = ContinuousClock()
        let time = clock.measure {
            for _ in 0..<32 { #expect(!MailboxPattern(hard + "*b").matches(name)) }
        }
        #expect(time < .seconds(1))
        #expect(MailboxPattern(hard + "*").matches(name))
        #expect(!MailboxPattern(hard + "*a*").matches(name))
    }

    @Test("LSUB tells a level that is not subscribed only where the pattern does not reach below") func lsub()
        async throws
    {
        let names = ["a/b/c", "a/d", "e"].compactMap { MailboxName($0) }
        let listing = MailboxListing([], subscriptions: names)
        func told(_ pattern: String) async throws -> [String] {
            try await listing.subscribed(reference: "", pattern: pattern).map { $0.name + $0.attributes.joined() }
        }
        #expect(try await told("*") == ["a/b/c", "a/d", "e"])
        #expect(try await told("%") == ["a\\Noselect", "e"])
        #expect(try await told("a/%") == ["a/b\\Noselect", "a/d"])
    }
}
