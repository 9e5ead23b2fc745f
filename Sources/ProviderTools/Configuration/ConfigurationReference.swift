/// The sample file and the reference, written from the definition.
package enum ConfigurationReference {
    /// A complete file in which every key is commented out.
    package static var sample: String {
        var lines = [
            "# Configuration of latchmaild. Every key is optional; what is commented out shows the default.",
            "# latchmaild check --config FILE explains what a file means.",
        ]
        var section: [String] = []
        for setting in Settings.all {
            let common = zip(section, setting.sections).prefix { $0 == $1 }.count
            lines.append("")
            for depth in common..<setting.sections.count {
                lines.append(indent(depth) + setting.sections[depth] + ":")
            }
            section = setting.sections
            for line in wrapped(setting.documentation, width: 100) {
                lines.append(indent(section.count) + "# " + line)
            }
            let value = setting.value(in: ServerConfiguration())?.yaml ?? ""
            let assignment = value.isEmpty ? setting.lastKey + ":" : setting.lastKey + ": " + value
            lines.append(indent(section.count) + "# " + assignment)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// docs/configuration.md.
    package static var markdown: String {
        var text = """
            # Configuration

            `latchmaild serve --config FILE` reads one YAML file. Every key is optional. An unknown key or a value of \
            the wrong form stops the start with file, line, key and what was expected; `latchmaild check --config \
            FILE` says the same without starting, and shows what is in effect.

            This page is written by `latchmaild config-reference`; edit `Sources/ProviderTools/Configuration/Settings.swift`.

            """
        for setting in Settings.all {
            text += "\n## `\(setting.key)`\n\n\(setting.documentation)\n\n- Value: \(setting.form)\n"
            text += "- Default: " + (setting.value(in: ServerConfiguration()).map { "`\($0.yaml)`" } ?? "none") + "\n"
            if let variable = setting.environmentVariable { text += "- Environment: `\(variable)`\n" }
        }
        return text + "\n## Sample\n\n```yaml\n" + sample + "```\n"
    }

    private static func indent(_ depth: Int) -> String { String(repeating: "  ", count: depth) }

    private static func wrapped(_ text: String, width: Int) -> [String] {
        var lines = [""]
        for word in text.split(separator: " ") {
            if lines[lines.count - 1].count + word.count + 1 > width { lines.append("") }
            lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
        }
        return lines
    }
}
