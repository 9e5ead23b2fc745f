import Foundation
import Yams

/// What is wrong in a configuration, and where.
package struct ConfigurationProblem: Error, Sendable, Equatable, CustomStringConvertible {
    package var file: String
    /// From 1; nil when it is not about a line.
    package var line: Int?
    package var message: String

    package var description: String { line.map { "\(file):\($0): \(message)" } ?? "\(file): \(message)" }
}

package struct ConfigurationProblems: Error, Sendable, CustomStringConvertible {
    package var problems: [ConfigurationProblem]

    package var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Reads the YAML file against `Settings.all`.
package enum ConfigurationFile {
    /// Octets; a configuration is small.
    private static let maximumLength = 1 << 20

    /// Throws `ConfigurationProblems`, all that were found.
    package static func load(
        _ path: String, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws -> ServerConfiguration {
        let url = URL(filePath: path)
        guard let data = try? Data(contentsOf: url) else {
            throw problem(path, "cannot be read; check the path and its permissions")
        }
        guard data.count <= maximumLength, let text = String(data: data, encoding: .utf8) else {
            throw problem(path, "is not a configuration: it must be UTF-8 of at most \(maximumLength) octets")
        }
        return try parse(text, file: path, environment: environment)
    }

    package static func parse(
        _ text: String, file: String, environment: [String: String] = [:]
    ) throws -> ServerConfiguration {
        var reader = Reader(file: file)
        if let root = try compose(text, file: file) { reader.read(root, section: []) }
        reader.readEnvironment(environment)
        guard reader.problems.isEmpty else { throw ConfigurationProblems(problems: reader.problems) }
        return reader.configuration
    }

    private static func compose(_ text: String, file: String) throws -> Node? {
        do {
            return try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw ConfigurationProblems(problems: [yamlProblem(error, file: file)])
        }
    }

    private static func yamlProblem(_ error: YamlError, file: String) -> ConfigurationProblem {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            ConfigurationProblem(file: file, line: mark.line, message: "not YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            ConfigurationProblem(
                file: file, line: context.mark.line,
                message: "given twice: " + duplicates.joined(separator: ", "))
        case .no, .memory, .reader, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            ConfigurationProblem(file: file, line: nil, message: "not YAML: \(error)")
        }
    }

    private static func problem(_ file: String, _ message: String) -> ConfigurationProblems {
        ConfigurationProblems(problems: [ConfigurationProblem(file: file, line: nil, message: message)])
    }
}

/// Walks the document; collects every problem instead of stopping at the first.
private struct Reader {
    let file: String
    var configuration = ServerConfiguration()
    var problems: [ConfigurationProblem] = []

    mutating func read(_ node: Node, section: [String]) {
        guard let mapping = node.mapping else {
            // An empty section, all of it commented out, is no mistake.
            if node.scalar?.string.isEmpty == true || node.scalar?.string == "null" { return }
            let name = section.isEmpty ? "a configuration" : "“\(section.joined(separator: "."))”"
            return report(node, "\(name) consists of “key: value” lines")
        }
        for (keyNode, value) in mapping {
            guard let key = keyNode.string else {
                report(keyNode, "a key is a word")
                continue
            }
            read(key, keyNode, value, section: section)
        }
    }

    private mutating func read(_ key: String, _ keyNode: Node, _ value: Node, section: [String]) {
        let path = section + [key]
        if let setting = Settings.all.first(where: { $0.key == path.joined(separator: ".") }) {
            set(setting, value)
        } else if Settings.all.contains(where: { $0.sections.starts(with: path) }) {
            read(value, section: path)
        } else {
            report(keyNode, unknown(key, section))
        }
    }

    private mutating func set(_ setting: Setting, _ node: Node) {
        guard let input = input(node) else { return report(node, "“\(setting.key)”: expected \(setting.form)") }
        do {
            try setting.set(input, in: &configuration)
        } catch {
            report(node, "“\(setting.key)”: expected \(error.expected), got \(input.yaml)")
        }
    }

    private func input(_ node: Node) -> SettingInput? {
        if let scalar = node.scalar { return .scalar(scalar.string) }
        guard let sequence = node.sequence else { return nil }
        let items = sequence.compactMap(\.scalar?.string)
        return items.count == sequence.count ? .list(items) : nil
    }

    private func unknown(_ key: String, _ section: [String]) -> String {
        let siblings = Set(
            Settings.all.compactMap { setting -> String? in
                let words = setting.key.split(separator: ".").map(String.init)
                return words.starts(with: section) && words.count > section.count ? words[section.count] : nil
            })
        let full = (section + [key]).joined(separator: ".")
        if let near = nearestWord(to: key, among: siblings.sorted()) {
            return "unknown key “\(full)”; did you mean “\((section + [near]).joined(separator: "."))”?"
        }
        // Perhaps the right key in the wrong section.
        if let elsewhere = Settings.all.first(where: { $0.lastKey == key }) {
            return "unknown key “\(full)”; did you mean “\(elsewhere.key)”?"
        }
        return "unknown key “\(full)”; valid here: \(siblings.sorted().joined(separator: ", "))"
    }

    private mutating func report(_ node: Node, _ message: String) {
        problems.append(ConfigurationProblem(file: file, line: node.mark?.line, message: message))
    }

    mutating func readEnvironment(_ environment: [String: String]) {
        for setting in Settings.all {
            guard let variable = setting.environmentVariable, let value = environment[variable] else { continue }
            do {
                try setting.set(.scalar(value), in: &configuration)
            } catch {
                problems.append(
                    ConfigurationProblem(
                        file: "environment", line: nil, message: "\(variable): expected \(error.expected)"))
            }
        }
        let known = Settings.all.compactMap(\.environmentVariable)
        for name in environment.keys.sorted() where name.hasPrefix("LATCHMAIL_") && !known.contains(name) {
            let near = nearestWord(to: name, among: known).map { "; did you mean \($0)?" } ?? ""
            problems.append(ConfigurationProblem(file: "environment", line: nil, message: "unknown \(name)\(near)"))
        }
    }
}
