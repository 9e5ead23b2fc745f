import MailVocabulary
import MessageFormat

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    let bytes = Span<UInt8>(_unsafeElements: UnsafeBufferPointer(start: start, count: count))
    let summary = MessageSummary(parsing: bytes)
    check(summary.structure, within: 0..<count)
    precondition(MessageSummary(encoded: summary.encoded().span) == summary, "the stored form lost something")
    _ = MessageSummary(encoded: bytes)
    _ = decodeEncodedWords(bytes)
    _ = Timestamp(messageDate: bytes)
    return 0
}

private func check(_ part: BodyPart, within range: Range<Int>) {
    for inner in [part.headerRange, part.bodyRange] {
        precondition(inner.lowerBound >= range.lowerBound && inner.upperBound <= range.upperBound, "a part sticks out")
    }
    switch part.kind {
    case .single, .text: break
    case .message(_, let inner): check(inner, within: part.bodyRange)
    case .multipart(let parts): for inner in parts { check(inner, within: part.bodyRange) }
    }
}
