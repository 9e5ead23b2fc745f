import IMAPSyntax
import WireFraming

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    let bytes = Span<UInt8>(_unsafeElements: UnsafeBufferPointer(start: start, count: count))
    if let text = String(validating: UnsafeBufferPointer(start: start, count: count), as: UTF8.self) {
        _ = IMAPURL(text)
    }
    var reader = CommandReader()
    var position = 0
    for _ in 0..<count + 16 {
        var consumed = 0
        let event = reader.next(bytes.extracting(position..<count), consumed: &consumed)
        position += consumed
        precondition(position <= count, "consumed more than there was")
        switch event {
        case .needInput, .hopeless: return 0
        case .literal: if !reader.keepLiteral(), case .hopeless = reader.refuseLiteral() { return 0 }
        case .command: _ = try? reader.parse(count % 2 == 0 ? .modifiedUTF7 : .utf8)
        case .rejected: break
        }
    }
    return 0
}
