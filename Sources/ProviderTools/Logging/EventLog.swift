import Foundation
import Glibc
package import Logging
import MailVocabulary
import Synchronization

/// Writes one line per event to standard error: `time level message key=value …`, or the same as JSON.
///
/// Whatever a peer sent appears as a quoted value whose control characters are escaped, so that no line can be forged.
/// No secret can appear: nothing that logs is given one as text.
package struct EventLogHandler: LogHandler {
    package var metadata = Logger.Metadata()
    package var logLevel: Logger.Level
    private let format: LogFormat
    private let write: @Sendable (String) -> Void

    /// - Parameter write: takes a line, with its end. Called on event loops, so it must not block.
    package init(level: Logger.Level, format: LogFormat, write: @escaping @Sendable (String) -> Void) {
        logLevel = level
        self.format = format
        self.write = write
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        var fields = metadata
        if let more = event.metadata { fields.merge(more) { $1 } }
        let pairs = fields.sorted { $0.key < $1.key }.map { (key: $0.key, value: "\($0.value)") }
        write(EventLogHandler.line(event.level, "\(event.message)", pairs, format))
    }

    /// The line that stands where a reader was too slow for `count` others.
    static func dropNotice(_ count: Int, _ format: LogFormat) -> String {
        line(.warning, "log lines dropped", [("count", "\(count)")], format)
    }

    private static func line(
        _ level: Logger.Level, _ message: String, _ pairs: [(key: String, value: String)], _ format: LogFormat
    ) -> String {
        let time = timestamp()
        switch format {
        case .text:
            let tail = pairs.map { " \($0.key)=\(quoted($0.value))" }.joined()
            return "\(time) \(level.rawValue) \(escaped(message))\(tail)\n"
        case .json:
            let members = [("time", time), ("level", level.rawValue), ("message", message)] + pairs
            return "{" + members.map { "\"\(escaped($0.0))\":\"\(escaped($0.1))\"" }.joined(separator: ",") + "}\n"
        }
    }

    /// RFC 3339, UTC, milliseconds.
    private static func timestamp() -> String {
        let milliseconds = Int64((Date().timeIntervalSince1970 * 1000).rounded(.down))
        let date = CivilDate(secondsSinceEpoch: milliseconds / 1000)
        func pad(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        return pad(date.year, 4) + "-" + pad(date.month, 2) + "-" + pad(date.day, 2) + "T" + pad(date.hour, 2) + ":"
            + pad(date.minute, 2) + ":" + pad(date.second, 2) + "." + pad(Int(milliseconds % 1000), 3) + "Z"
    }

    private static func quoted(_ text: String) -> String {
        let isWord =
            !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C && $0 != 0x3D }
        return isWord ? text : "\"" + escaped(text) + "\""
    }

    /// With the escapes of JSON strings; every control character and line separator is one.
    private static func escaped(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 < 0x20 || $0 >= 0x7F || $0 == 0x22 || $0 == 0x5C }) else { return text }
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22, 0x5C: result += "\\" + String(scalar)
            case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            case _: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

extension LogLevel {
    var loggerLevel: Logger.Level {
        switch self {
        case .debug: .debug
        case .info: .info
        case .notice: .notice
        case .warning: .warning
        case .error: .error
        }
    }
}

/// A logger as configured, to standard error.
package func makeLogger(level: LogLevel, format: LogFormat) -> Logger {
    let writer = LogWriter.standardError(format)
    return Logger(label: "latchmaild") { _ in
        EventLogHandler(level: level.loggerLevel, format: format, write: writer.write)
    }
}
