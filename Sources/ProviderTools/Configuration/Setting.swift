/// What stands behind a key in the file, or in an environment variable.
package enum SettingInput: Sendable, Equatable {
    case scalar(String)
    case list([String])
}

/// Why a value was not taken: what would have been.
struct SettingProblem: Error {
    var expected: String
}

/// One key of the configuration: the parser, the sample file, the reference and `check` all read it from here.
package struct Setting: Sendable {
    /// Dotted path, `tls.certificate`.
    package let key: String
    /// What a value looks like, for people.
    package let form: String
    package let documentation: String
    /// Overrides the file when set. Lists have none.
    package let environmentVariable: String?
    private let read: @Sendable (SettingInput, inout ServerConfiguration) throws(SettingProblem) -> Void
    private let show: @Sendable (ServerConfiguration) -> SettingInput?

    init<Value: Sendable>(
        _ key: String, _ field: any WritableKeyPath<ServerConfiguration, Value> & Sendable, _ type: SettingType<Value>,
        _ documentation: String
    ) {
        self.key = key
        self.form = type.form
        self.documentation = documentation
        let isList = if case .list? = type.show(ServerConfiguration()[keyPath: field]) { true } else { false }
        environmentVariable = isList ? nil : "LATCHMAIL_" + Setting.environmentName(key)
        read = { (input, configuration) throws(SettingProblem) in
            guard let value = type.read(input) else { throw SettingProblem(expected: type.form) }
            configuration[keyPath: field] = value
        }
        show = { type.show($0[keyPath: field]) }
    }

    /// Throws when the value is not of the setting's form.
    func set(_ input: SettingInput, in configuration: inout ServerConfiguration) throws(SettingProblem) {
        try read(input, &configuration)
    }

    /// As it would be written in the file; nil when nothing is set.
    package func value(in configuration: ServerConfiguration) -> SettingInput? { show(configuration) }

    var sections: [String] { key.split(separator: ".").dropLast().map(String.init) }
    var lastKey: String { String(key[(key.lastIndex(of: ".").map { key.index(after: $0) } ?? key.startIndex)...]) }

    private static func environmentName(_ key: String) -> String {
        String(key.map { $0 == "." || $0 == "-" ? "_" : Character($0.uppercased()) })
    }
}

extension SettingInput {
    /// As YAML.
    package var yaml: String {
        switch self {
        case .scalar(let text): SettingInput.quoted(text)
        case .list(let items): "[" + items.map(SettingInput.quoted).joined(separator: ", ") + "]"
        }
    }

    private static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_./ ".contains($0)) }
        guard !isPlain || Double(text) != nil && text.contains(".") else { return text }
        return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"") + "\""
    }
}
