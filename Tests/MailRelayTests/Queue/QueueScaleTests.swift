import Foundation
import MailTestSupport
import Testing

/// `QUEUE_MESSAGES=100000` measures the large queue, and prints what it took.
@Suite("A long queue", .serialized)
struct QueueScaleTests {
    private static var driver: String? {
        guard let maps = try? String(contentsOfFile: "/proc/self/maps", encoding: .utf8) else { return nil }
        for line in maps.split(separator: "\n") {
            guard let start = line.firstIndex(of: "/") else { continue }
            let directory = URL(filePath: String(line[start...])).deletingLastPathComponent()
            let driver = directory.appending(path: "QueueScaleDriver").path
            if FileManager.default.isExecutableFile(atPath: driver) { return driver }
        }
        return nil
    }

    @Test("starts at once and drains without growing memory, to few destinations and to many", arguments: [40, 20_000])
    func scale(_ destinations: Int) async throws {
        let environment = ProcessInfo.processInfo.environment
        let messages = environment["QUEUE_MESSAGES"].flatMap { Int($0) } ?? 20_000
        let driver = try #require(Self.driver, "the driver is built beside the tests")
        let path = NSTemporaryDirectory() + "queue-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let output = try await blocking {
            let process = ChildProcess()
            process.executableURL = URL(filePath: driver)
            process.arguments = [path, "\(messages)", "\(destinations)"]
            let pipe = ProgramPipe()
            process.standardOutput = pipe
            try process.run()
            let data = pipe.fileHandleForReading.readDataToEndOfFile()
            process.waitUntilExit()
            return String(decoding: data, as: UTF8.self)
        }
        if environment["QUEUE_MESSAGES"] != nil { print("\(destinations) destinations: \(output)") }
        var figures: [String: Int] = [:]
        for line in output.split(separator: "\n") {
            let words = line.split(separator: " ")
            figures[String(words[0])] = words.last.flatMap { Int($0) }
        }
        #expect(figures["left"] == 0)
        #expect(figures["first"] == 50)
        #expect(figures["open"].map { $0 < 3000 } == true, "milliseconds: \(output)")
        // The database's own cache of pages for each connection is most of it, and does not grow with the queue.
        #expect(figures["memory"].map { $0 < 100 << 10 } == true, "KiB: \(output)")
    }
}
