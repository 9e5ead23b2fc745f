/// What listing a message needs: computed once when the message is added, and kept beside it in encoded form.
package struct MessageSummary: Sendable, Equatable {
    package var envelope: Envelope
    /// What References names, in the form of `messageIDs(in:)`, oldest first; `MessageLimits.references` at most.
    package var references: [[UInt8]]
    /// The root of the structure: the message itself.
    package var structure: BodyPart

    package init(envelope: Envelope, references: [[UInt8]] = [], structure: BodyPart) {
        self.envelope = envelope
        self.references = references
        self.structure = structure
    }
}
