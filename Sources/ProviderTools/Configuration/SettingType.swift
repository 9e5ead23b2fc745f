import MailVocabulary
import TLSPolicy

/// How values of one kind are read and shown.
struct SettingType<Value: Sendable>: Sendable {
    /// What a value looks like, for people; follows "expected".
    let form: String
    let read: @Sendable (SettingInput) -> Value?
    let show: @Sendable (Value) -> SettingInput?
}

extension SettingType {
    /// A kind that is one word or text.
    static func scalar(
        _ form: String, _ read: @escaping @Sendable (String) -> Value?, _ show: @escaping @Sendable (Value) -> String?
    ) -> SettingType {
        SettingType(
            form: form,
            read: { input in
                guard case .scalar(let text) = input else { return nil }
                return read(text)
            },
            show: { show($0).map(SettingInput.scalar) })
    }
}

extension SettingType where Value == String {
    static var path: SettingType {
        .scalar("an absolute path", { $0.hasPrefix("/") ? $0 : nil }, { $0 })
    }
}

extension SettingType where Value == String? {
    static var path: SettingType {
        .scalar("an absolute path", { $0.hasPrefix("/") ? .some($0) : nil }, { $0 })
    }

    static var hostname: SettingType {
        .scalar("a host name such as mail.example.org", { text in Domain(text).map { .some($0.name) } }, { $0 })
    }
}

extension SettingType where Value == Domain? {
    static var domain: SettingType {
        .scalar("a domain such as example.org", { text in Domain(text).map { .some($0) } }, { $0?.name })
    }
}

extension SettingType where Value == Bool {
    static var flag: SettingType {
        .scalar(
            "on or off",
            { text in
                switch text.asciiLowercased() {
                case "on", "true", "yes": true
                case "off", "false", "no": false
                case _: nil
                }
            }, { $0 ? "on" : "off" })
    }
}

extension SettingType where Value == Int {
    static func count(_ range: ClosedRange<Int>) -> SettingType {
        .scalar(
            "a number from \(range.lowerBound) to \(range.upperBound)",
            { Int($0).flatMap { range.contains($0) ? $0 : nil } }, { String($0) })
    }

    static func size(_ range: ClosedRange<Int>) -> SettingType {
        .scalar(
            "a size from \(ByteSize.text(range.lowerBound)) to \(ByteSize.text(range.upperBound)), such as 50 MiB",
            { ByteSize.parse($0).flatMap { range.contains($0) ? $0 : nil } }, ByteSize.text)
    }
}

extension SettingType where Value == Int? {
    static func sizeLimit(_ range: ClosedRange<Int>) -> SettingType {
        .scalar(
            "none, or a size from \(ByteSize.text(range.lowerBound)) to \(ByteSize.text(range.upperBound)), such as 5 GiB",
            { text in
                if text.asciiLowercased() == "none" { return .some(nil) }
                return ByteSize.parse(text).flatMap { range.contains($0) ? .some($0) : nil }
            }, { $0.map(ByteSize.text) })
    }

    static func countLimit(_ range: ClosedRange<Int>) -> SettingType {
        .scalar(
            "none, or a number from \(range.lowerBound) to \(range.upperBound)",
            { text in
                if text.asciiLowercased() == "none" { return .some(nil) }
                return Int(text).flatMap { range.contains($0) ? .some($0) : nil }
            }, { $0.map { String($0) } })
    }
}

extension SettingType where Value == Duration {
    static func time(_ range: ClosedRange<Duration>) -> SettingType {
        .scalar(
            "a time from \(TimeSpan.text(range.lowerBound)) to \(TimeSpan.text(range.upperBound)), such as 90 s or 10 min",
            { TimeSpan.parse($0).flatMap { range.contains($0) ? $0 : nil } }, TimeSpan.text)
    }
}

extension SettingType where Value == TLSVersion {
    static var tlsVersion: SettingType {
        .scalar(
            "1.2 or 1.3",
            { text in
                switch text {
                case "1.2": .tls12
                case "1.3": .tls13
                case _: nil
                }
            }, { $0 == .tls12 ? "1.2" : "1.3" })
    }
}

extension SettingType where Value: RawRepresentable<String> & CaseIterable {
    static var choice: SettingType {
        .scalar(
            "one of " + Value.allCases.map(\.rawValue).joined(separator: ", "), { Value(rawValue: $0) }, { $0.rawValue }
        )
    }
}

extension SettingType where Value == [Endpoint] {
    static var endpoints: SettingType {
        SettingType(
            form: #"a list of addresses such as ["*:993"], ["192.0.2.1:993", "[2001:db8::1]:993"], or [] for none"#,
            read: { input in
                let items = if case .list(let items) = input { items } else { [String]() }
                if case .scalar(let text) = input { return Endpoint(text).map { [$0] } }
                let endpoints = items.compactMap(Endpoint.init)
                return endpoints.count == items.count ? endpoints : nil
            },
            show: { .list($0.map(\.description)) })
    }
}

/// Sizes as people write them, in units of 1024.
package enum ByteSize {
    private static let units: [(name: String, octets: Int)] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)]

    /// Octets; nil for what is no size.
    package static func parse(_ text: String) -> Int? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = Int(digits) else { return nil }
        if unit.isEmpty { return number }
        guard let factor = units.first(where: { $0.name == unit })?.octets else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: factor)
        return overflow ? nil : product
    }

    package static func text(_ octets: Int) -> String {
        for unit in units where octets >= unit.octets && octets % unit.octets == 0 {
            return "\(octets / unit.octets) \(unit.name)"
        }
        return String(octets)
    }
}

/// Times as people write them.
enum TimeSpan {
    private static let units: [(name: String, seconds: Int)] = [("h", 3600), ("min", 60), ("s", 1)]

    static func parse(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = Int32(digits), let factor = units.first(where: { $0.name == unit })?.seconds
        else { return nil }
        return .seconds(Int(number) * factor)
    }

    static func text(_ duration: Duration) -> String {
        let seconds = Int(duration.components.seconds)
        for unit in units where seconds >= unit.seconds && seconds % unit.seconds == 0 {
            return "\(seconds / unit.seconds) \(unit.name)"
        }
        return "\(seconds) s"
    }
}
