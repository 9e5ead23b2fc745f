import MailStore
import MailTestSupport
import MailVocabulary
import Testing

@testable import IMAPServer

/// What a client makes of untagged responses: it knows nothing else of the mailbox.
struct ClientModel {
    struct Message: Equatable {
        var uid: UInt32?
        var flags: Set<String>?
    }

    var messages: [Message] = []
    var recent = 0
    var keywords: Set<String> = []
    var problem: String?

    /// Reads the untagged responses; the tagged line at the end is left to the caller.
    ///
    /// - Parameter forbidsExpunge: whether EXPUNGE would be a fault.
    mutating func read(_ answer: String, forbidsExpunge: Bool = false) {
        for line in answer.split(separator: "\r\n") where line.hasPrefix("* ") {
            let words = line.dropFirst(2).split(separator: " ", maxSplits: 2)
            if let number = Int(words[0]) {
                read(number, words[1], words.count > 2 ? words[2] : "", forbidsExpunge: forbidsExpunge)
            } else if words[0] == "FLAGS" {
                keywords = Set(line.dropFirst("* FLAGS (".count).dropLast().split(separator: " ").map(String.init))
            }
        }
    }

    private mutating func read(_ number: Int, _ word: Substring, _ rest: Substring, forbidsExpunge: Bool) {
        switch word {
        case "EXISTS":
            if number < messages.count { problem = "EXISTS went down" }
            while messages.count < number { messages.append(Message()) }
        case "RECENT": recent = number
        case "EXPUNGE":
            if forbidsExpunge { problem = "EXPUNGE where it may not be" }
            guard messages.indices.contains(number - 1) else { return problem = "EXPUNGE of nothing" }
            messages.remove(at: number - 1)
        case "FETCH":
            guard messages.indices.contains(number - 1) else { return problem = "FETCH of nothing" }
            readFetch(number - 1, rest)
        case _: problem = "unexpected: \(word)"
        }
    }

    /// `(UID 4 FLAGS (\Seen))`
    private mutating func readFetch(_ index: Int, _ text: Substring) {
        if let uid = text.firstRange(of: "UID ") {
            let value = UInt32(text[uid.upperBound...].prefix { $0.isNumber })
            if let known = messages[index].uid, known != value { problem = "UID of \(index + 1) changed" }
            messages[index].uid = value
        }
        guard let flags = text.firstRange(of: "FLAGS (") else { return }
        let list = text[flags.upperBound...].prefix { $0 != ")" }
        let told = Set(list.split(separator: " ").map(String.init)).subtracting(["\\Recent"])
        messages[index].flags = told
        if !told.isSubset(of: keywords) { problem = "a flag that FLAGS does not have" }
    }
}

/// Numbers that are the same in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

@Suite struct ConcurrencyTests {
    final class Member {
        let client: Client
        var model = ClientModel()
        init(_ client: Client) { self.client = client }

        func run(_ command: String, forbidsExpunge: Bool = false) async {
            let answer = await client.send("t \(command)\r\n")
            model.read(answer, forbidsExpunge: forbidsExpunge)
        }
    }

    /// Several clients work on one mailbox; each believes only what it is told. At the end all believe what is true.
    @Test("Clients that work at once are told of everything", arguments: 1...40)
    func converge(_ seed: UInt64) async throws {
        var random = SeededGenerator(seed)
        let fixture = try await Fixture(isForgetful: seed % 4 == 0)
        try await fixture.deliver((1...8).map(Fixture.simple))
        var members: [Member] = []
        for _ in 0..<3 {
            let member = Member(await fixture.session())
            await member.run("SELECT INBOX")
            await member.run("FETCH 1:* (UID FLAGS)")
            members.append(member)
        }
        for _ in 0..<60 {
            let member = members[Int.random(in: 0..<members.count, using: &random)]
            await act(member, fixture, &random)
            #expect(member.model.problem == nil)
        }
        let truth = try await fixture.truth()
        for member in members {
            await member.run("NOOP")
            #expect(member.model.problem == nil)
            #expect(member.model.messages.count == truth.count)
            for (believed, actual) in zip(member.model.messages, truth) {
                #expect(believed.uid == nil || believed.uid == actual.uid)
                #expect(believed.flags == nil || believed.flags == actual.flags)
            }
            // What came as EXISTS alone is asked for.
            await member.run("UID FETCH 1:* FLAGS")
            #expect(member.model.problem == nil)
            #expect(member.model.messages == truth)
        }
    }

    private func act(_ member: Member, _ fixture: Fixture, _ random: inout SeededGenerator) async {
        let count = member.model.messages.count
        let number = count > 0 ? Int.random(in: 1...count, using: &random) : 0
        let flag =
            ["\\Seen", "\\Flagged", "\\Deleted", "$Forwarded", "custom\(Int.random(in: 0..<4, using: &random))"]
            .randomElement(using: &random) ?? "\\Seen"
        let sign = ["+", "-", ""].randomElement(using: &random) ?? "+"
        switch Int.random(in: 0..<14, using: &random) {
        case 0: await member.run("NOOP")
        case 1 where number > 0: await member.run("STORE \(number):* \(sign)FLAGS (\(flag))", forbidsExpunge: true)
        case 2 where number > 0:
            await storeSilently(member, number, sign, flag)
        case 3: await member.run("EXPUNGE")
        case 4 where number > 0: await member.run("FETCH \(number) (FLAGS BODY[])", forbidsExpunge: true)
        case 5 where number > 0: await member.run("COPY \(number) INBOX")
        case 6: await member.run("UID STORE 1:5 \(sign)FLAGS (\(flag))")
        case 7 where number > 0: await member.run("MOVE \(number) Trash")
        case 8: await member.run("APPEND INBOX (\(flag)) {3+}\r\nabc")
        case 9: await member.run("SEARCH UNSEEN", forbidsExpunge: true)
        case 10: await member.run("UID SEARCH ALL")
        case 11: await member.run("UID FETCH 1:* (FLAGS)")
        case 12:
            member.model.read(await member.client.send("i IDLE\r\n"))
            member.model.read(await member.client.send("DONE\r\n"))
        case _: await member.run("CHECK")
        }
    }

    /// The client knows what a silent STORE does to the flags that it believes in, and is not told.
    private func storeSilently(_ member: Member, _ number: Int, _ sign: String, _ flag: String) async {
        if var flags = member.model.messages[number - 1].flags {
            switch sign {
            case "+": flags.insert(flag)
            case "-": flags.remove(flag)
            case _: flags = [flag]
            }
            member.model.messages[number - 1].flags = flags
            // A keyword is known by its first use.
            if sign != "-" { member.model.keywords.insert(flag) }
        }
        await member.run("STORE \(number) \(sign)FLAGS.SILENT (\(flag))", forbidsExpunge: true)
    }
}

extension Fixture {
    /// What is in INBOX.
    func truth() async throws -> [ClientModel.Message] {
        let snapshot = try await store.open(try await mailbox("INBOX").id)
        var messages: [ClientModel.Message] = []
        snapshot.forEach { _, row in
            let flags = snapshot.keywords.flags(row.flags).map { flag in
                switch flag {
                case .seen: "\\Seen"
                case .answered: "\\Answered"
                case .flagged: "\\Flagged"
                case .deleted: "\\Deleted"
                case .draft: "\\Draft"
                case .keyword(let keyword): keyword.name
                }
            }
            messages.append(ClientModel.Message(uid: row.uid.value, flags: Set(flags)))
        }
        return messages
    }
}
