extension BodyPart {
    /// The part with this number (RFC 9051 §6.4.5.1), or nil; called on the root. An empty path is the root.
    ///
    /// A message/rfc822 part's number stands for the part itself: `headerRange` is its MIME header (`n.MIME`),
    /// `bodyRange` the encapsulated message (`n`). For `n.HEADER` and `n.TEXT`, see `encapsulatedMessage`.
    package func part(at path: [Int]) -> BodyPart? {
        // The root and an encapsulated message are entered alike: a multipart's children are 1...n, anything else is
        // its own part 1. Below that, only a multipart and a message have parts.
        var current = self
        var isMessage = true
        for number in path {
            if !isMessage, let inner = current.encapsulatedMessage {
                current = inner
                isMessage = true
            }
            if case .multipart(let children) = current.kind {
                guard number >= 1, number <= children.count else { return nil }
                current = children[number - 1]
            } else {
                guard isMessage, number == 1 else { return nil }
            }
            isMessage = false
        }
        return current
    }

    /// The message in a message/rfc822 or message/global part.
    package var encapsulatedMessage: BodyPart? {
        if case .message(_, let inner) = kind { inner } else { nil }
    }

    /// The envelope of the message in a message/rfc822 or message/global part.
    package var encapsulatedEnvelope: Envelope? {
        if case .message(let envelope, _) = kind { envelope } else { nil }
    }
}
