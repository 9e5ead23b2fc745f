import Foundation
import MailStore
import MailTestSupport
import MailVocabulary
import Testing
import WireFraming

@testable import IMAPServer

/// Bytes and nearly valid commands from a seeded generator, in every state: no trap, no answer without bounds.
@Suite struct FuzzTests {
    private static let words = [
        "a", "UID", "FETCH", "STORE", "SEARCH", "SELECT", "INBOX", "EXAMINE", "APPEND", "COPY", "MOVE", "IDLE", "DONE",
        "NOTIFY", "SET", "NONE", "(selected (MessageNew MessageExpunge))", "(personal (MailboxName))",
        "(subtree b (MessageNew MessageExpunge FlagChange))", "(UPDATE (UID))", "COMPRESS", "DEFLATE", "UNAUTHENTICATE",
        "LOGIN", "fred", "secret", "AUTHENTICATE", "PLAIN", "AGZyZWQAc2VjcmV0", "LIST", "LSUB", "\"\"", "*", "%", "1",
        "1:*", "*:4294967295", "0", "2,3", "$", "FLAGS", "+FLAGS", "-FLAGS.SILENT", "(", ")", "(\\Seen)", "\\Deleted",
        "BODY[]", "BODY.PEEK[1.2.HEADER.FIELDS (To)]<1.2>", "BODY[TEXT]<9223372036854775807.1>", "ENVELOPE",
        "BODYSTRUCTURE", "RFC822", "ALL", "NOT", "OR", "TEXT", "SUBJECT", "HEADER", "BEFORE", "1-Jan-2000", "LARGER",
        "RETURN", "(SAVE MIN)", "{3+}\r\nabc", "{3}\r\n", "{99999999999+}", "~{2+}\r\n\0\0", "CREATE", "DELETE",
        "RENAME", "Trash", "b/c", "STATUS", "(MESSAGES)", "CAPABILITY", "NOOP", "CHECK", "CLOSE", "UNSELECT", "EXPUNGE",
        "ID", "NIL", "ENABLE", "NAMESPACE", "SUBSCRIBE", "CHARSET", "UTF-8", "X", "\"quoted \\\" text\"", "&AOQ-", "&-",
    ]

    @Test("Random bytes and commands never trap and are always answered", arguments: 1...60)
    func fuzz(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed)
        let fixture = try await Fixture()
        try await fixture.deliver([FetchTests.nested, Fixture.simple(1), Fixture.simple(2)])
        for place in 0..<4 {
            let client =
                place < 2
                ? fixture.client(tls: place == 0 ? nil : Fixture.tls)
                : await fixture.session(place == 2 ? nil : "INBOX")
            if place < 2 { _ = await client.connect() }
            for _ in 0..<40 where !client.isClosed && !client.awaitsHandshake {
                let input = Bool.random(using: &random) ? Self.sentence(&random) : Self.noise(&random)
                let answer = await client.sendBytes(input)
                #expect(answer.count < 200_000)
            }
        }
        #expect(try await fixture.store.verify { _ in }.isEmpty)
    }

    @Test("Commands of all extensions, damaged, in a dialogue", arguments: 1...60)
    func commands(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed &* 7919)
        let file = URL(fileURLWithPath: #filePath)
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Fuzz/imap-commands.transcript")
        let seeds = try Transcript(try String(contentsOf: file, encoding: .utf8)).said
        let fixture = try await Fixture()
        try await fixture.deliver([FetchTests.nested, Fixture.simple(1), Fixture.simple(2), Fixture.simple(3)])
        var settings = IMAPSettings()
        settings.urlAuthentication = URLAuthorizationTests.code
        settings.messageLimit = [nil, .processed(2), .saved(1)].randomElement(using: &random) ?? nil
        for _ in 0..<6 {
            let client = await fixture.session("INBOX", settings: settings)
            for _ in 0..<60 where !client.isClosed && !client.awaitsHandshake {
                var command = seeds.randomElement(using: &random) ?? []
                for _ in 0..<Int.random(in: 0...2, using: &random) { Self.damage(&command, &random) }
                let answer = await client.sendBytes(command)
                #expect(answer.count < 200_000)
            }
        }
        #expect(try await fixture.store.verify { _ in }.isEmpty)
    }

    private static func damage(_ command: inout [UInt8], _ random: inout SeededGenerator) {
        let position = Int.random(in: 0...command.count, using: &random)
        let end = min(command.count, position + Int.random(in: 0...6, using: &random))
        switch Int.random(in: 0..<4, using: &random) {
        case 0: command.removeSubrange(position..<end)
        case 1: command.insert(contentsOf: Array((words.randomElement(using: &random) ?? "").utf8), at: position)
        case 2: command.insert(contentsOf: Array(command[position..<end]), at: position)
        case _: if position < command.count { command[position] = UInt8.random(in: 0...255, using: &random) }
        }
    }

    private static func sentence(_ random: inout SeededGenerator) -> [UInt8] {
        let count = Int.random(in: 1...7, using: &random)
        let sentence = (0..<count).map { _ in Self.words.randomElement(using: &random) ?? "" }
        let separator = Int.random(in: 0..<20, using: &random) == 0 ? "" : " "
        var bytes = Array(("t " + sentence.joined(separator: separator)).utf8)
        if Int.random(in: 0..<6, using: &random) == 0, !bytes.isEmpty {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        return bytes + Array((Int.random(in: 0..<15, using: &random) == 0 ? "\n" : "\r\n").utf8)
    }

    private static func noise(_ random: inout SeededGenerator) -> [UInt8] {
        let count = Int.random(in: 0...60, using: &random)
        let alphabet = Array("a1 {}()[]<>*%\"\\+~.:,$&/-\r\n\0é".utf8)
        return (0..<count).map { _ in alphabet.randomElement(using: &random) ?? 0 } + [0x0D, 0x0A]
    }
}
