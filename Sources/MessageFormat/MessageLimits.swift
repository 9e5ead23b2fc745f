/// What a summary holds at most, however large or strange the message. Beyond a limit the message is still served
/// whole; only the summary says less of it.
package enum MessageLimits {
    /// Octets of an envelope that is kept in written form too: nearly all are far smaller, and one that is larger is
    /// listed no more often.
    package static let writtenEnvelope = 4096
    /// Multiparts and encapsulated messages inside each other. Forwards of forwards reach about twenty; each level
    /// costs a stack frame here and a pair of parentheses in BODYSTRUCTURE. A part below is one leaf.
    package static let depth = 64
    /// Parts of one message. Digests reach some hundreds; a part can be made of seven octets, and its description
    /// takes a hundred. The part that reaches the limit is one leaf that extends to the end of the message.
    package static let parts = 1000
    /// Members of all address lists of one message. Mail to thousands of visible recipients exists; an address can be
    /// made of two octets. Further ones are left out.
    package static let addresses = 10_000
    /// Octets of all header values kept. A summary is held in memory whole. Values beyond are cut.
    package static let retainedOctets = 1 << 20
    /// Octets of one header value kept: some twenty times the longest References-like field seen in lists.
    package static let valueOctets = 1 << 16
    /// Octets of one address list or MIME field that are looked at: more than ten thousand addresses take.
    package static let fieldOctets = 1 << 20
    /// Identifiers of one References field that are kept: the first and the last. Longer threads exist; the ancestors
    /// between are told by the messages between.
    package static let references = 64
    /// Octets of one of them: no line of a header is longer (RFC 5322 §2.1.1).
    package static let messageID = 998
    /// Parameters of one field; a name split after RFC 2231 into as many pieces is over five thousand octets long.
    package static let parameters = 100
    /// Characters (Unicode scalars) of a preview (RFC 8970 §3.3).
    package static let preview = 200
    /// Octets of a text part, encoded, that are looked at for a preview: more than the style sheets at the head of any
    /// usual newsletter.
    package static let previewSource = 1 << 17
    /// Tags of one Content-Language.
    package static let languages = 32
}
