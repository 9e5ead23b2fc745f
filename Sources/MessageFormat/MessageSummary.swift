/// What listing a message needs: computed once when the message is added, and kept beside it in encoded form.
package struct MessageSummary: Sendable, Equatable {
    package var envelope: Envelope
    /// The root of the structure: the message itself.
    package var structure: BodyPart

    package init(envelope: Envelope, structure: BodyPart) {
        self.envelope = envelope
        self.structure = structure
    }
}
