import IMAPSyntax
import MessageFormat
import Testing
import WireFraming

@testable import IMAPServer

@Suite struct EnvelopeWriterTests {
    private static let long = String(repeating: "x", count: 1500)
    private static let messages = [
        "", "Subject:\r\n\r\n", "Subject: plain\r\nFrom: a@b\r\nTo: c@d, E <e@f>\r\nMessage-ID: <x@y>\r\n\r\n",
        "Subject: \"quoted\" \\ and\r\n folded\r\nDate: Wed, 17 Jul 1996 02:23:25 -0700\r\n\r\n",
        "Subject: gr\u{fc}n \u{1F600}\r\nFrom: \"J\u{f6}rg\" <j@x>\r\nSender: s@x\r\nReply-To: r@x\r\n\r\n",
        "From: group: a@b, c@d;, <@route,@r2:e@f>\r\nCc: (comment) g@h\r\nBcc: i\r\nIn-Reply-To: <1@2> <3@4>\r\n\r\n",
        "Subject: \(long)\r\nFrom: \(long) <a@b>\r\n\r\n", "To: \(String(repeating: "a@b, ", count: 2000))\r\n\r\n",
        "Subject: nul\0and\u{1}\r\n\r\n",
    ]

    private func written(_ write: (inout OutputBuffer) -> Void) -> [UInt8] {
        var output = OutputBuffer()
        write(&output)
        return output.take()
    }

    @Test("An envelope is the same, kept in written form or not, for every client", arguments: messages)
    func same(_ text: String) throws {
        let summary = MessageSummary(parsing: Array(text.utf8).span)
        let encoded = summary.encoded()
        for strings in [StringEncoding.ascii, .utf8] {
            let plain = written { $0.append(envelope: summary.envelope, strings) }
            var isWritten = false
            let stored = written { isWritten = $0.append(envelopeOf: encoded.span, strings) }
            #expect(isWritten)
            #expect(String(decoding: stored, as: UTF8.self) == String(decoding: plain, as: UTF8.self))
        }
        let kept = MessageSummary.writtenEnvelope(encodedSummary: encoded.span)
        let plain = written { $0.append(envelope: summary.envelope, .ascii) }
        #expect((kept == nil) == (plain.count > MessageLimits.writtenEnvelope))
        #expect(kept.map { Array(encoded[$0.octets]) == plain } ?? true)
    }
}
