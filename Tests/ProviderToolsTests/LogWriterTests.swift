import Foundation
import Glibc
import Testing

@testable import ProviderTools

@Suite("Log writer")
struct LogWriterTests {
    /// A pipe, and a writer to it.
    private struct Piped {
        let reading: Int32
        let writing: Int32
        let writer: LogWriter

        init() throws {
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            (reading, writing) = (ends[0], ends[1])
            writer = LogWriter(descriptor: ends[1]) { "dropped \($0)\n" }
        }

        /// Everything up to a line that starts with `last`.
        func read(through last: String) -> [Substring] {
            var bytes: [UInt8] = []
            var piece = [UInt8](repeating: 0, count: 64 * 1024)
            while true {
                let count = Glibc.read(reading, &piece, piece.count)
                guard count > 0 else { break }
                bytes += piece[..<count]
                let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
                if bytes.last == 0x0A, lines.last?.hasPrefix(last) == true { return lines }
            }
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        }
    }

    @Test func linesComeInOrder() throws {
        let piped = try Piped()
        for number in 0..<1000 { piped.writer.write("line \(number)\n") }
        #expect(piped.writer.flush(within: .seconds(20)))
        #expect(piped.read(through: "line 999") == (0..<1000).map { "line \($0)" })
    }

    @Test("A reader that stops holds up nobody; lines are dropped, counted, and the count told")
    func stalledReader() throws {
        let piped = try Piped()
        let total = 30_000
        let time = ContinuousClock().measure {
            for number in 0..<total { piped.writer.write("line \(number) \(String(repeating: "x", count: 90))\n") }
        }
        #expect(time < .seconds(10), "nothing was waited for")
        #expect(!piped.writer.flush(within: .milliseconds(50)))
        let lines = piped.read(through: "dropped")
        let dropped = try #require(lines.last?.split(separator: " ").last.flatMap { Int($0) })
        #expect(lines.count - 1 + dropped == total)
        // Beside what is kept, the pipe itself holds 64 KiB.
        #expect(lines.count - 1 <= LogWriter.maximumLines + 1000)
        #expect(lines.first?.hasPrefix("line 0 ") == true)
        piped.writer.write("again\n")
        #expect(piped.read(through: "again") == ["again"])
    }

    @Test func octetsAreBoundedToo() throws {
        let piped = try Piped()
        let line = String(repeating: "x", count: 1 << 20) + "\n"
        for _ in 0..<10 { piped.writer.write(line) }
        let lines = piped.read(through: "dropped")
        #expect(lines.count == 4 && lines.last == "dropped 7")
        #expect(lines.dropLast().allSatisfy { $0.utf8.count == 1 << 20 }, "short writes are continued")
    }

    @Test func descriptorThatDoesNotBlock() throws {
        let piped = try Piped()
        _ = fcntl(piped.writing, F_SETFL, fcntl(piped.writing, F_GETFL) | O_NONBLOCK)
        let line = String(repeating: "x", count: 1000)
        for _ in 0..<1000 { piped.writer.write(line + "\n") }
        piped.writer.write("end\n")
        let lines = piped.read(through: "end")
        #expect(lines.count == 1001 && lines.dropLast().allSatisfy { $0 == line })
    }

    @Test func writerWithoutReaderGoesOn() throws {
        let piped = try Piped()
        signal(SIGPIPE, SIG_IGN)
        close(piped.reading)
        piped.writer.write("lost\n")
        #expect(piped.writer.flush(within: .seconds(20)))
    }
}
