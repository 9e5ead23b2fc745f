import IMAPSyntax

// FUZZY (RFC 6203): a text is found when each of its words is, in any order, and in any of its forms: words are looked
// for without their endings, so that "Helo" finds "hello" and "help". Other keys are taken as they are.

extension SearchKey {
    /// The key with its texts loosened.
    func loosened() -> SearchKey { mappingTexts { $0.words.map(\.withoutEnding) } }

    /// The key with its texts as words in any order.
    func inWords() -> SearchKey { mappingTexts(\.words) }

    private func mappingTexts(_ parts: (String) -> [String]) -> SearchKey {
        func each(_ octets: [UInt8], _ key: ([UInt8]) -> SearchKey) -> SearchKey {
            // What is no UTF-8 is refused when it is made ready.
            guard let text = String(validating: octets, as: UTF8.self) else { return self }
            let parts = parts(text)
            guard !parts.isEmpty else { return self }
            return parts.count == 1 ? key(Array(parts[0].utf8)) : .and(parts.map { key(Array($0.utf8)) })
        }
        return switch self {
        case .envelope(let field, let octets): each(octets) { .envelope(field, contains: $0) }
        case .header(let name, let octets): each(octets) { .header(name: name, contains: $0) }
        case .body(let octets): each(octets) { .body(contains: $0) }
        case .text(let octets): each(octets) { .text(contains: $0) }
        case .fuzzy(let key): key.mappingTexts(parts)
        case .not(let key): .not(key.mappingTexts(parts))
        case .or(let a, let b): .or(a.mappingTexts(parts), b.mappingTexts(parts))
        case .and(let keys): .and(keys.map { $0.mappingTexts(parts) })
        case .all, .has, .lacks, .recent, .new, .old, .internalDate, .sentDate, .savedDate, .emailID, .threadID, .older,
            .younger, .larger, .smaller,
            .uid, .uidAfter, .uidBefore, .sequenceNumbers, .modSeq:
            self
        }
    }

    /// Whether FUZZY is in it: without, there is no relevancy (RFC 6203 §4).
    var isFuzzy: Bool {
        switch self {
        case .fuzzy: true
        case .not(let key): key.isFuzzy
        case .or(let a, let b): a.isFuzzy || b.isFuzzy
        case .and(let keys): keys.contains(where: \.isFuzzy)
        case .envelope, .header, .body, .text, .all, .has, .lacks, .recent, .new, .old, .internalDate, .sentDate,
            .savedDate, .emailID, .threadID, .older, .younger, .larger, .smaller, .uid, .uidAfter, .uidBefore,
            .sequenceNumbers, .modSeq:
            false
        }
    }

    /// The texts looked for under FUZZY, and not under NOT: those that a score is about.
    var scoredKeys: [SearchKey] { scoredKeys(isFuzzy: false) }

    private func scoredKeys(isFuzzy: Bool) -> [SearchKey] {
        switch self {
        case .fuzzy(let key): key.scoredKeys(isFuzzy: true)
        case .or(let a, let b): a.scoredKeys(isFuzzy: isFuzzy) + b.scoredKeys(isFuzzy: isFuzzy)
        case .and(let keys): keys.flatMap { $0.scoredKeys(isFuzzy: isFuzzy) }
        case .envelope, .header, .body, .text: isFuzzy ? [self] : []
        case .not, .all, .has, .lacks, .recent, .new, .old, .internalDate, .sentDate, .savedDate, .emailID, .threadID,
            .older, .younger, .larger,
            .smaller, .uid, .uidAfter, .uidBefore, .sequenceNumbers, .modSeq:
            []
        }
    }
}

extension String {
    fileprivate var words: [String] {
        split(whereSeparator: { $0.isWhitespace }).map(String.init)
    }

    /// Of a word of four letters or more, the first three quarters.
    fileprivate var withoutEnding: String { count < 4 ? self : String(prefix(count - count / 4)) }
}

/// What is looked for to find out how well a message matches (RFC 6203 §4): a level's score is that of the messages
/// that match its key, and no higher one.
struct ScoreLevel: Sendable {
    var key: SearchKey
    var score: Int

    /// Texts that are scored: each costs several searches in the messages found.
    static let maximumTexts = 4
    /// Of a message that matches in the loosest way.
    static let lowest = 30

    /// Best first, of one of `SearchKey.scoredKeys`.
    static func levels(of key: SearchKey) -> [ScoreLevel] {
        switch key {
        case .text(let octets):
            [
                ScoreLevel(key: .envelope(.subject, contains: octets), score: 100),
                ScoreLevel(key: key, score: 80), ScoreLevel(key: key.inWords(), score: 60),
            ]
        case _: [ScoreLevel(key: key, score: 100), ScoreLevel(key: key.inWords(), score: 70)]
        }
    }
}
