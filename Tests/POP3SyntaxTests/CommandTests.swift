import MailTestSupport
import MailVocabulary
import POP3Syntax
import Testing
import WireFraming

/// The verdict on one line.
enum Verdict: Equatable {
    case command(String)
    case rejected(POP3SyntaxError)
    case unknown
}

func verdict(_ line: [UInt8]) -> Verdict {
    var cursor = ByteCursor(line.span)
    guard let verb = POP3Verb(&cursor) else { return .unknown }
    do throws(POP3SyntaxError) {
        return .command("\(try POP3Command(verb, &cursor))")
    } catch {
        return .rejected(error)
    }
}

@Suite("POP3 command syntax")
struct CommandTests {
    @Test(
        "Accepted",
        arguments: [
            ("STAT", "stat"), ("stat", "stat"), ("sTaT", "stat"), ("QUIT", "quit"), ("NOOP", "noop"), ("RSET", "rset"),
            ("CAPA", "capa"), ("STLS", "stls"), ("UTF8", "utf8"), ("LIST", "list(nil)"),
            ("LIST 1", "list(Optional(1))"),
            ("LIST 4294967295", "list(Optional(4294967295))"), ("LIST 007", "list(Optional(7))"),
            ("UIDL", "uidl(nil)"), ("UIDL 2", "uidl(Optional(2))"), ("RETR 3", "retr(3)"), ("DELE 4", "dele(4)"),
            ("TOP 5 0", "top(5, lines: 0)"), ("USER a b:c", "user(\"a b:c\")"), ("USER müller", "user(\"müller\")"),
            ("PASS  a  ", "pass([secret])"), ("LANG", "lang(nil)"), ("LANG *", "lang(Optional(\"*\"))"),
            ("LANG en-GB", "lang(Optional(\"en-GB\"))"), ("AUTH", "auth(nil)"),
        ])
    func accepted(_ line: String, _ command: String) {
        let found = verdict(Array(line.utf8))
        guard case .command(let text) = found else {
            Issue.record("\(line): \(found)")
            return
        }
        #expect(text.replacing("POP3Syntax.POP3Command.", with: "") == command)
    }

    @Test(
        "Rejected",
        arguments: [
            ("STAT ", POP3SyntaxError.unexpectedArgument), ("STAT 1", .unexpectedArgument),
            ("STAT\0", .unexpectedArgument), ("QUIT now", .unexpectedArgument),
            ("STLS ", .unexpectedArgument), ("CAPA\t", .unexpectedArgument), ("LIST ", .invalidNumber),
            ("LIST  1", .invalidNumber), ("LIST 1 ", .unexpectedArgument), ("LIST 4294967296", .invalidNumber),
            ("LIST 18446744073709551616", .invalidNumber), ("LIST 1x", .unexpectedArgument),
            ("LIST +1", .invalidNumber),
            ("RETR", .missingArgument), ("RETR ", .invalidNumber), ("TOP 1", .missingArgument),
            ("TOP 1 ", .invalidNumber),
            ("TOP 1 2 3", .unexpectedArgument), ("USER", .missingArgument), ("USER ", .missingArgument),
            ("USER a\u{7F}", .controlCharacter), ("PASS", .missingArgument), ("PASS a\0b", .controlCharacter),
            ("LANG ", .invalidLanguage), ("LANG e n", .invalidLanguage), ("LANG é", .invalidLanguage),
            ("AUTH ", .invalidMechanism), ("AUTH é", .invalidMechanism), ("AUTH PLAIN:", .invalidMechanism),
            ("AUTH AAAAAAAAAAAAAAAAAAAAA", .invalidMechanism), ("AUTH PLAIN ", .missingArgument),
            ("AUTH PLAIN a b", .unexpectedArgument),
        ])
    func rejected(_ line: String, _ error: POP3SyntaxError) {
        #expect(verdict(Array(line.utf8)) == .rejected(error))
    }

    @Test(
        "Unknown",
        arguments: [
            "", " ", "A", "AB", "USERS", "RETR1", " STAT", "APOP a b", "XTND", "STAT:", "ＳＴＡＴ", "TOPS 1 1", "TO 1 1",
        ])
    func unknown(_ line: String) { #expect(verdict(Array(line.utf8)) == .unknown) }

    @Test("Names and passwords that are not UTF-8 (RFC 6856 §2.2)", arguments: ["USER ", "PASS "])
    func notUTF8(_ command: String) {
        for bytes: [UInt8] in [[0xFF], [0xC0, 0xAF], [0xED, 0xA0, 0x80], [0xC3]] {
            #expect(verdict(Array(command.utf8) + bytes) == .rejected(.invalidUTF8))
        }
    }

    @Test("An initial response has a limit")
    func longResponse() {
        let fits = [UInt8](repeating: 0x41, count: POP3Limits.response)
        #expect(verdict(Array("AUTH PLAIN ".utf8) + fits + [0x41]) == .rejected(.argumentTooLong))
        guard case .command = verdict(Array("AUTH PLAIN ".utf8) + fits) else {
            Issue.record("a response that fits was refused")
            return
        }
        #expect("AUTH PLAIN ".utf8.count + fits.count <= POP3Limits.auth)
    }

    @Test("Secrets do not show")
    func secrets() {
        #expect(!"\(verdict(Array("PASS hunter2".utf8)))".contains("hunter2"))
        #expect(!"\(verdict(Array("AUTH PLAIN AGEAYg==".utf8)))".contains("AGEAYg"))
    }

    @Test("Random and mutated lines never trap", arguments: 0..<20)
    func fuzz(_ seed: UInt64) {
        var random = Seeded(state: seed)
        for _ in 0..<500 {
            let verb = POP3Verb.allCases.randomElement(using: &random) ?? .noop
            var line = Array("\(verb.rawValue) 1 2 abc=".utf8.prefix(Int.random(in: 0...14, using: &random)))
            for _ in 0..<Int.random(in: 0...3, using: &random) {
                line.insert(
                    UInt8.random(in: 0...255, using: &random), at: Int.random(in: 0...line.count, using: &random))
            }
            _ = verdict(line)
        }
    }
}

/// SplitMix64: the same bytes in every run.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
