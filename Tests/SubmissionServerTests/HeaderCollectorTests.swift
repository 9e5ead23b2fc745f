import MailDelivery
import Testing

@testable import SubmissionServer

@Suite("The header of a message on its way in")
struct HeaderCollectorTests {
    private func screened(_ text: String, step: Int) -> (kept: String, received: Int, continued: Bool) {
        var collector = HeaderCollector()
        var rest: [UInt8] = []
        let bytes = Array(text.utf8)
        for start in stride(from: 0, to: bytes.count, by: step) {
            let piece = Array(bytes[start..<min(start + step, bytes.count)])
            if case .collecting = collector.state { collector.take(piece.span) } else { rest += piece }
        }
        collector.finish()
        let header = MessageHeader(collector.fields)
        guard case .ended(let first) = collector.state else { return ("", 0, false) }
        let kept = header.fields(withoutBlindCopies: false) + first + rest
        return (String(decoding: kept, as: UTF8.self), header.receivedCount, collector.beginsWithContinuation)
    }

    @Test(
        "Return-Path goes, Received is counted, all else stays",
        arguments: [
            ("", "", 0), ("\r\n", "\r\n", 0), ("a\r\n", "a\r\n", 0),
            ("Subject: x\r\n\r\nb\r\n", "Subject: x\r\n\r\nb\r\n", 0),
            ("Return-Path: <a@b>\r\nSubject: x\r\n\r\n", "Subject: x\r\n\r\n", 0),
            ("A: 1\r\nreturn-PATH : <a@b>\r\n more\r\n\tmore\r\nB: 2\r\n c\r\n\r\n", "A: 1\r\nB: 2\r\n c\r\n\r\n", 0),
            ("Return-Path:\r\n\r\nReturn-Path: in the body\r\n", "\r\nReturn-Path: in the body\r\n", 0),
            ("Return-Paths: x\r\nReturn-Pat: y\r\n\r\n", "Return-Paths: x\r\nReturn-Pat: y\r\n\r\n", 0),
            (
                "Received: a\r\n b\r\nRECEIVED : c\r\nReceived-SPF: d\r\nReceive: e\r\n\r\nReceived: f\r\n",
                "Received: a\r\n b\r\nRECEIVED : c\r\nReceived-SPF: d\r\nReceive: e\r\n\r\nReceived: f\r\n", 2
            ),
            ("no field\r\nReturn-Path: x\r\n", "no field\r\nReturn-Path: x\r\n", 0),
        ])
    func screens(_ message: String, _ kept: String, _ received: Int) {
        for step in [1, 2, 3, 5, 1000] {
            let result = screened(message, step: step)
            #expect(result.kept == kept)
            #expect(result.received == received)
            #expect(!result.continued)
        }
    }

    @Test("A message that begins with a continuation is noticed", arguments: [" x\r\n", "\tx\r\n", " \r\n\r\n"])
    func continuation(_ message: String) {
        #expect(screened(message, step: 1).continued)
        #expect(screened(message, step: 100).continued)
    }
}
