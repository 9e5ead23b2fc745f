import JWTKit

/// What a token says of itself (RFC 7519 §4, RFC 7662 §2.2): whatever it is, by name.
struct TokenClaims: JWTPayload, Sendable, Equatable {
    enum Value: Sendable, Equatable {
        case text(String)
        case texts([String])
        case number(Double)
        case flag(Bool)
        /// An object or another thing that nothing here asks for.
        case other
    }

    private(set) var values: [String: Value]

    init(_ values: [String: Value]) { self.values = values }

    private struct Name: CodingKey {
        let stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: Name.self)
        values = [:]
        for name in container.allKeys {
            values[name.stringValue] =
                if let text = try? container.decode(String.self, forKey: name) {
                    .text(text)
                } else if let flag = try? container.decode(Bool.self, forKey: name) {
                    .flag(flag)
                } else if let number = try? container.decode(Double.self, forKey: name) {
                    .number(number)
                } else if let texts = try? container.decode([String].self, forKey: name) {
                    .texts(texts)
                } else {
                    .other
                }
        }
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Name.self)
        for (name, value) in values {
            let key = Name(stringValue: name)
            switch value {
            case .text(let text): try container.encode(text, forKey: key)
            case .texts(let texts): try container.encode(texts, forKey: key)
            case .number(let number): try container.encode(number, forKey: key)
            case .flag(let flag): try container.encode(flag, forKey: key)
            case .other: try container.encodeNil(forKey: key)
            }
        }
    }

    /// What is asked of the claims is `TokenRules`'.
    func verify(using algorithm: some JWTAlgorithm) async throws {}

    func text(_ name: String) -> String? {
        guard case .text(let text) = values[name] else { return nil }
        return text
    }

    /// A text, or several.
    func texts(_ name: String) -> [String] {
        switch values[name] {
        case .text(let text): [text]
        case .texts(let texts): texts
        case .number, .flag, .other, nil: []
        }
    }

    /// Seconds since 1970 (RFC 7519 §2, NumericDate).
    func time(_ name: String) -> Double? {
        guard case .number(let seconds) = values[name], seconds.isFinite else { return nil }
        return seconds
    }

    func isFalse(_ name: String) -> Bool { values[name] == .flag(false) || values[name] == .text("false") }
}
