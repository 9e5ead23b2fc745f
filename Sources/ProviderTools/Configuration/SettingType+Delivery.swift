import MailVocabulary

extension SettingType where Value == String? {
    static var text: SettingType {
        .scalar("a text", { $0.isEmpty ? nil : .some($0) }, { $0 })
    }

    static var separator: SettingType {
        .scalar(
            "one of + - = _ , or none",
            { text in
                if text.asciiLowercased() == "none" { return .some(nil) }
                return ["+", "-", "=", "_"].contains(text) ? .some(text) : nil
            }, { $0 ?? "none" })
    }
}

extension SettingType where Value == [String] {
    /// - Parameter example: a list, as YAML.
    static func texts(_ example: String) -> SettingType {
        SettingType(
            form: "a list such as \(example), or [] for none",
            read: { input in
                switch input {
                case .list(let items): items.contains("") ? nil : items
                case .scalar(let text): text.isEmpty ? nil : [text]
                }
            },
            show: { .list($0) })
    }
}

extension SettingType where Value == Endpoint? {
    static var server: SettingType {
        .scalar(
            "a host name and a port such as smtp.example.net:465",
            { text in
                guard let endpoint = Endpoint(text), endpoint.host != nil, endpoint.port != 0 else { return nil }
                return .some(endpoint)
            }, { $0?.description })
    }
}

extension SettingType where Value == Int {
    static var permissions: SettingType {
        .scalar(
            "permission bits such as 0660",
            { Int($0, radix: 8).flatMap { (0o600...0o777).contains($0) ? $0 : nil } }, { "0" + String($0, radix: 8) })
    }
}
