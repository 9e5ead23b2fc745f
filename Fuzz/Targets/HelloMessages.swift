import TLSPolicy

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    let bytes = Span<UInt8>(_unsafeElements: UnsafeBufferPointer(start: start, count: count))
    var whole = HandshakeCollector()
    whole.add(bytes)
    var halves = HandshakeCollector()
    halves.add(bytes.extracting(0..<count / 2))
    halves.add(bytes.extracting(count / 2..<count))
    precondition(ClientHello(whole) == ClientHello(halves), "cutting the input changed what was read")
    precondition(ServerChoice(whole) == ServerChoice(halves), "cutting the input changed what was read")
    return 0
}
