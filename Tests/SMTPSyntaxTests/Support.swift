import MailTestSupport
import SMTPSyntax
import WireFraming

extension SeededGenerator {
    mutating func bytes(upTo count: Int, from alphabet: [UInt8]) -> [UInt8] {
        (0..<Int.random(in: 0...count, using: &self)).map { _ in alphabet.randomElement(using: &self) ?? 0 }
    }

    /// A few octets changed, dropped, doubled or put in.
    mutating func mutation(of bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...4, using: &self) {
            let place = Int.random(in: 0...bytes.count, using: &self)
            switch UInt8.random(in: 0...3, using: &self) {
            case 0 where place < bytes.count: bytes[place] = .random(in: 0...255, using: &self)
            case 1 where place < bytes.count: bytes.remove(at: place)
            case 2 where place < bytes.count: bytes.insert(bytes[place], at: place)
            case _: bytes.insert(.random(in: 0...255, using: &self), at: place)
            }
        }
        return bytes
    }
}

func mail(_ text: String) -> Result<MailCommand, SMTPSyntaxError> {
    let bytes = Array(text.utf8)
    return Result { () throws(SMTPSyntaxError) in try MailCommand(parsing: bytes.span) }
}

func rcpt(_ text: String) -> Result<RcptCommand, SMTPSyntaxError> {
    let bytes = Array(text.utf8)
    return Result { () throws(SMTPSyntaxError) in try RcptCommand(parsing: bytes.span) }
}

func text(_ reply: SMTPReply) -> String {
    var output = OutputBuffer()
    reply.write(to: &output)
    return String(decoding: output.take(), as: UTF8.self)
}
