extension MessageSummary {
    /// References that are looked at beside the first: a thread's branches rarely lose more of their messages in a row.
    private static let nearestReferences = 8

    /// What the message is called and what it answers, for finding its thread: its Message-ID, then those of
    /// References, the last (its parent) first; without References, the first of In-Reply-To (RFC 5256 §3). In the form
    /// of `messageIDs(in:)`; ten at most.
    package var threadMessageIDs: [[UInt8]] {
        let own = envelope.messageID.flatMap { messageIDs(in: $0.span, limit: 1).first }
        return [own].compactMap(\.self) + ancestors
    }

    private var ancestors: [[UInt8]] {
        guard let first = references.first else {
            return envelope.inReplyTo.flatMap { messageIDs(in: $0.span, limit: 1).first }.map { [$0] } ?? []
        }
        let nearest = Array(references.suffix(Self.nearestReferences).reversed())
        return references.count > nearest.count ? nearest + [first] : nearest
    }
}
