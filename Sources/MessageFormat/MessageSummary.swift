/// What listing a message needs: computed once when the message is added, and kept beside it in encoded form.
package struct MessageSummary: Sendable, Equatable {
    package var envelope: Envelope
    /// What References names, in the form of `messageIDs(in:)`, oldest first; `MessageLimits.references` at most.
    package var references: [[UInt8]]
    /// The root of the structure: the message itself.
    package var structure: BodyPart
    /// What the message's text begins with, on one line, in UTF-8; at most `MessageLimits.preview` characters, and
    /// empty when there is no text (RFC 8970 §3.3).
    package var preview: [UInt8]

    package init(
        envelope: Envelope, references: [[UInt8]] = [], structure: BodyPart, preview: [UInt8] = []
    ) {
        self.envelope = envelope
        self.references = references
        self.structure = structure
        self.preview = preview
    }
}
