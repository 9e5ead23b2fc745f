import SASL

/// From the system's cryptographic generator.
func randomBytes(_ count: Int) -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
}

/// Base64 as PHC strings have it.
func unpaddedBase64(_ bytes: [UInt8]) -> String {
    String(decoding: Base64.encode(bytes).filter { $0 != UInt8(ascii: "=") }, as: UTF8.self)
}

/// Octets that unpadded base64 stands for; nil when it is not that.
func unpaddedBase64Length(_ text: some StringProtocol) -> Int? {
    let padding = (4 - text.utf8.count % 4) % 4
    let padded = Array(text.utf8) + Array(repeating: UInt8(ascii: "="), count: padding)
    guard !text.contains("="), padding < 3 else { return nil }
    return Base64.decode(padded.span)?.count
}
