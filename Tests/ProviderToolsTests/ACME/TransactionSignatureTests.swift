import Foundation
import MailTestSupport
import Testing

@testable import ProviderTools

private func octets(_ hex: String) -> [UInt8] {
    stride(from: 0, to: hex.count, by: 2).compactMap { place in
        let start = hex.index(hex.startIndex, offsetBy: place)
        return UInt8(hex[start..<hex.index(start, offsetBy: 2)], radix: 16)
    }
}

/// Without the identifier.
private func folded(_ octets: [UInt8]) -> [UInt8] {
    octets.dropFirst(2).map { (0x41...0x5A).contains($0) ? $0 + 0x20 : $0 }
}

@Suite("DNS updates and their signatures")
struct TransactionSignatureTests {
    // Computed by other means, and taken by dnspython.
    private static let update =
        "123428000001000000010000076578616d706c65036f726700000600010f5f61636d652d6368616c6c656e6765046d61696c076578616d706c"
        + "65036f726700001000010000003c00060568656c6c6f"
    private static let signed =
        "123428000001000000010001076578616d706c65036f726700000600010f5f61636d652d6368616c6c656e6765046d61696c076578616d706c"
        + "65036f726700001000010000003c00060568656c6c6f0461636d65036b65790000fa00ff00000000003d0b686d61632d7368613235360000"
        + "006553f100012c0020201069048eda53b71b861ef8c1afa63fab49786e120f1bfeeab0d359c663bc95123400000000"
    private static let reply =
        "1234a8000001000000000001076578616d706c65036f726700000600010461636d65036b65790000fa00ff00000000003d0b686d61632d7368"
        + "613235360000006553f105012c002060cbede381b992dbc92715375c6ed4b172b340a9e38f90d7fd128e7c10c81feb123400000000"
    private static let time: UInt64 = 1_700_000_000

    private let key = TransactionKey(name: "Acme.Key.", secret: Array(0..<32))
    private let message = DNSMessage(
        .add(timeToLive: 60), text: "hello", at: "_acme-challenge.mail.Example.org", zone: "example.org",
        identifier: 0x1234)

    /// RFC 2136 §2, RFC 8945 §4.
    @Test func requestsAreAsOthersMakeThem() {
        #expect(message.octets == octets(Self.update))
        #expect(TransactionSignature(message, key: key, time: Self.time).message == octets(Self.signed))
    }

    /// RFC 8945 §5.3.
    @Test func answersAreVerified() throws {
        let signature = TransactionSignature(message, key: key, time: Self.time)
        let reply = try #require(DNSReply(octets(Self.reply)))
        #expect(reply.responseCode == 0)
        try signature.verify(reply, time: Self.time + 5)
        #expect(throws: TransactionSignature.Failure.time) { try signature.verify(reply, time: Self.time + 600) }
        let other = TransactionSignature(message, key: TransactionKey(name: "acme.key", secret: [1]), time: Self.time)
        #expect(throws: TransactionSignature.Failure.wrong) { try other.verify(reply, time: Self.time + 5) }
    }

    /// No octet of an answer can be changed unseen, but the identifier, which the signature has its own of.
    @Test func changedAnswersAreRefused() throws {
        let signature = TransactionSignature(message, key: key, time: Self.time)
        let good = octets(Self.reply)
        for place in 2..<good.count {
            var changed = good
            changed[place] ^= 0x01
            guard let reply = DNSReply(changed) else { continue }
            #expect(throws: TransactionSignature.Failure.self, "octet \(place)") {
                try signature.verify(reply, time: Self.time + 5)
            }
        }
    }

    @Test func unsignedAnswersAreRefused() throws {
        let signature = TransactionSignature(message, key: key, time: Self.time)
        var bare = octets(Self.update)
        bare[2] |= 0x80
        let reply = try #require(DNSReply(bare))
        #expect(throws: TransactionSignature.Failure.missing) { try signature.verify(reply, time: Self.time) }
    }

    /// RFC 8945 §5.3.2: such an answer has no signature.
    @Test func aRefusedKeyIsSaid() throws {
        let signature = TransactionSignature(message, key: key, time: Self.time)
        var answer = octets("1234a8090000000000000001")
        answer += octets("0461636d65036b6579") + octets("0000fa00ff00000000001d")
        answer += octets("0b686d61632d73686132353600") + octets("00006553f105012c0000123400110000")
        let reply = try #require(DNSReply(answer))
        #expect(reply.responseCode == 9)
        #expect(throws: TransactionSignature.Failure.refused(17)) { try signature.verify(reply, time: Self.time) }
    }

    @Test func removalsNameTheRecord() {
        let removal = DNSMessage(
            .remove, text: "hello", at: "_acme-challenge.mail.example.org", zone: "example.org", identifier: 0x1234)
        // RFC 2136 §2.5.4: class NONE, no time to live.
        #expect(removal.octets.suffix(16) == octets("001000fe0000000000060568656c6c6f")[...])
    }

    @Test func questionsAndTextsAreRead() throws {
        let question = DNSMessage(question: "_acme-challenge.example.org", type: 16, identifier: 7)
        var answer = question.octets
        answer[2] = 0x84
        answer[7] = 2
        // A pointer to the question's name; two strings, and another record's one.
        answer += octets("c00c00100001000000050006") + octets("0261620263") + [0x64]
        answer += octets("c00c00100001000000050002") + octets("0178")
        let reply = try #require(DNSReply(answer))
        #expect(reply.texts(of: "_acme-challenge.Example.org") == [Array("abcd".utf8), Array("x".utf8)])
        #expect(reply.texts(of: "example.org").isEmpty)
    }

    @Test func malformedAnswersAreRefused() {
        let good = octets(Self.reply)
        for length in 0..<good.count { #expect(DNSReply(Array(good.prefix(length))) == nil, "length \(length)") }
        #expect(DNSReply(good + [0]) == nil)
        // A name that leads to itself, and one that leads on.
        #expect(DNSReply(octets("00008400000100000000000000")) == nil)
        #expect(DNSReply(octets("000084000001000000000000c00c00010001")) == nil)
        #expect(DNSReply(octets("000084000001000000000000c0ff00010001")) == nil)
        // A question is no answer.
        #expect(DNSReply(octets(Self.update)) == nil)
    }

    @Test func mutatedAnswersNeverCrash() {
        var random = SeededGenerator(seed: 2136)
        let good = octets(Self.reply)
        var refused = 0
        for _ in 0..<5000 {
            var mutated = good
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                mutated[Int.random(in: 0..<mutated.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            guard let reply = DNSReply(mutated) else {
                refused += 1
                continue
            }
            let signature = TransactionSignature(message, key: key, time: Self.time)
            // Identifiers of messages are not covered, and names are the same in upper case.
            if folded(mutated) != folded(good) {
                #expect(throws: TransactionSignature.Failure.self) { try signature.verify(reply, time: Self.time) }
            }
        }
        #expect(refused > 0)
    }

    @Test func keysAreReadAsBINDWritesThem() throws {
        let text = """
            # made by tsig-keygen
            key "acme.example.org" {
            \talgorithm hmac-sha256;
            \tsecret "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
            };
            """
        let read = try #require(TransactionKey(configuration: text))
        #expect(read.name == "acme.example.org")
        #expect(read.code([1, 2]) == key.code([1, 2]))
        for (wrong, right) in [("hmac-sha256", "hmac-md5"), ("secret", "secrets"), ("AAEC", "!!!!"), ("key ", "kee ")] {
            #expect(TransactionKey(configuration: text.replacing(wrong, with: right)) == nil, "\(right)")
        }
    }
}
