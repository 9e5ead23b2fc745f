import MailTestSupport
import POP3Server
import POP3Syntax
import Testing

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

/// Random input in every state: nothing traps, nobody gets in without TLS and a password, nothing comes back.
@Suite("POP3 fuzzing")
struct FuzzTests {
    /// No reply has this in it unless it was copied from the input.
    private static let marker = "qZ7"

    @Test("Random bytes", arguments: 0..<40)
    func bytes(_ seed: UInt64) async throws {
        var random = Seeded(state: seed)
        let fixture = try await Fixture()
        for start in 0..<4 {
            var driver = try await connection(start, of: fixture)
            for _ in 0..<20 where !driver.isClosed && !driver.awaitsHandshake {
                let input = (0..<Int.random(in: 1...80, using: &random)).map { _ in Self.byte(&random) }
                let answer = await driver.send(input)
                #expect(Self.isWellFormed(answer))
                if start != 2 { #expect(driver.isAnonymous == true) }
            }
        }
    }

    @Test("Random commands", arguments: 0..<60)
    func commands(_ seed: UInt64) async throws {
        var random = Seeded(state: seed &+ 1000)
        let fixture = try await Fixture()
        for start in 0..<4 {
            var driver = try await connection(start, of: fixture)
            var isSecure = start == 1 || start == 2
            for _ in 0..<30 where !driver.isClosed {
                if driver.awaitsHandshake {
                    #expect(await driver.handshake().isEmpty)
                    isSecure = true
                }
                let answer = await driver.send(Array(Self.line(&random).utf8))
                #expect(Self.isWellFormed(answer))
                #expect(!String(decoding: answer, as: UTF8.self).contains(Self.marker))
                if !isSecure { #expect(driver.isAnonymous == true) }
            }
            #expect(!"\(driver.events)".contains("tanstaaf"))
        }
        #expect(try await fixture.uids().count <= 2)
    }

    /// Without TLS and no way to it; with TLS; logged in; without TLS, but with STLS.
    private func connection(_ start: Int, of fixture: Fixture) async throws -> Driver {
        guard start != 2 else { return try await fixture.loggedIn() }
        var driver = start == 1 ? fixture.secureConnection() : fixture.plainConnection(canStartTLS: start == 3)
        _ = await driver.connect()
        return driver
    }

    private static func byte(_ random: inout Seeded) -> UInt8 {
        switch UInt8.random(in: 0...9, using: &random) {
        case 0: 0x0A
        case 1: 0x0D
        case 2: 0x20
        case 3...6: UInt8.random(in: 0x41...0x5A, using: &random)
        case _: UInt8.random(in: 0...255, using: &random)
        }
    }

    private static func line(_ random: inout Seeded) -> String {
        let verb = POP3Verb.allCases.randomElement(using: &random) ?? .noop
        let arguments = [
            "", " 1", " 2", " 3", " 1 1", " \(marker)", " \(marker) \(marker)", " *", " =", " PLAIN", " mrose",
            " PLAIN \(plain("", "mrose", marker))", " 99999999999999999999", " \u{1F}", " :", "\(marker)",
        ]
        let word = UInt8.random(in: 0...4, using: &random) == 0 ? verb.sample : verb.rawValue
        let argument = word.contains(" ") ? "" : arguments.randomElement(using: &random) ?? ""
        let ends = ["\r\n", "\r\n", "\r\n", "\n", "\r\nNOOP\r\n", "\r\n\(marker)\r\n"]
        return word + argument + (ends.randomElement(using: &random) ?? "\r\n")
    }

    /// Whole lines, the first of which says how it went, or asks for more.
    private static func isWellFormed(_ answer: [UInt8]) -> Bool {
        let text = String(decoding: answer, as: UTF8.self)
        return text.isEmpty
            || (text.hasSuffix("\r\n")
                && ["+OK ", "-ERR ", "+ "].contains { text.hasPrefix($0) })
    }
}
