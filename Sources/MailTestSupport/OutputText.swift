package import WireFraming

extension OutputBuffer {
    /// What was written, as text.
    package var text: String { String(decoding: bytes, as: UTF8.self) }
}
