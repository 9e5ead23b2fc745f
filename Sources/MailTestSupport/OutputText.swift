package import WireFraming

extension OutputBuffer {
    /// What was written, as text.
    package var text: String {
        var copy = self
        return String(decoding: copy.take(), as: UTF8.self)
    }
}
