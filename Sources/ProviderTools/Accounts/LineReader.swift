import Foundation
import Synchronization

/// Reads a text file by lines, in bounded memory.
final class LineReader {
    /// Octets; a user's line is some 200.
    static let maximumLine = 4096
    private static let pieceSize = 64 * 1024

    private let path: String
    private let handle: FileHandle
    private var buffer: [UInt8] = []
    private var start = 0
    private var number = 0
    private var isAtEnd = false

    init(_ path: String) throws(OperatorError) {
        self.path = path
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw OperatorError(.noInput, "\(path) cannot be read; check the path and its permissions")
        }
        self.handle = handle
    }

    deinit { try? handle.close() }

    /// Without its line end, LF or CRLF. Throws when it is too long or cannot be read.
    func next() throws(OperatorError) -> (number: Int, bytes: [UInt8])? {
        while true {
            if let end = buffer[start...].firstIndex(of: 0x0A) {
                let line = buffer[start..<end]
                start = end + 1
                return try numbered(line)
            }
            guard buffer.count - start <= Self.maximumLine else {
                throw OperatorError(.dataError, "\(path):\(number + 1): is longer than \(Self.maximumLine) octets")
            }
            guard !isAtEnd else {
                defer { start = buffer.count }
                return start < buffer.count ? try numbered(buffer[start...]) : nil
            }
            try fill()
        }
    }

    private func numbered(_ line: ArraySlice<UInt8>) throws(OperatorError) -> (number: Int, bytes: [UInt8]) {
        number += 1
        guard line.count <= Self.maximumLine else {
            throw OperatorError(.dataError, "\(path):\(number): is longer than \(Self.maximumLine) octets")
        }
        return (number, Array(line.last == 0x0D ? line.dropLast() : line))
    }

    private func fill() throws(OperatorError) {
        buffer.removeFirst(start)
        start = 0
        do {
            let piece = try handle.read(upToCount: Self.pieceSize) ?? Data()
            isAtEnd = piece.isEmpty
            buffer += piece
        } catch {
            throw OperatorError(.ioError, "\(path) cannot be read: \(error.localizedDescription)")
        }
    }
}

/// What answers bring together.
package final class Gathered<Element: Sendable>: Sendable {
    private let elements = Mutex<[Element]>([])

    package init() {}
    package func append(_ more: [Element]) { elements.withLock { $0 += more } }
    package var all: [Element] { elements.withLock { $0 } }
}
