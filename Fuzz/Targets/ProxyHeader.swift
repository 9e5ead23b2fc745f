import WireFraming

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    let bytes = Span<UInt8>(_unsafeElements: UnsafeBufferPointer(start: start, count: count))
    guard case .header(_, let length) = ProxyHeader.read(bytes) else { return 0 }
    precondition(length <= count, "more was taken than there was")
    // What follows the header changes nothing of it.
    precondition(ProxyHeader.read(bytes.extracting(0..<length)) == ProxyHeader.read(bytes))
    precondition(ProxyHeader.read(bytes.extracting(0..<length - 1)) == .incomplete)
    return 0
}
