import CZlib
import NIOCore
import Testing

@testable import SessionRuntime

/// DEFLATE in both directions (RFC 4978), against zlib's own other half.
@Suite struct CompressionTests {
    /// What a peer with all of zlib's window sends: a raw stream, flushed behind each piece.
    static func compressed(_ pieces: [[UInt8]], flush: Int32 = Z_SYNC_FLUSH, level: Int32 = 9) -> ByteBuffer {
        var stream = z_stream()
        deflateInit2_(&stream, level, Z_DEFLATED, -15, 8, 0, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        defer { deflateEnd(&stream) }
        var output = ByteBuffer()
        for (index, piece) in pieces.enumerated() {
            piece.withUnsafeBytes { bytes in
                stream.next_in = bytes.bindMemory(to: UInt8.self).baseAddress
                stream.avail_in = UInt32(bytes.count)
                output.writeWithUnsafeMutableBytes(minimumWritableBytes: bytes.count + 1024) { room in
                    stream.next_out = room.bindMemory(to: UInt8.self).baseAddress
                    stream.avail_out = UInt32(room.count)
                    deflate(&stream, index == pieces.count - 1 ? flush : Z_SYNC_FLUSH)
                    return room.count - Int(stream.avail_out)
                }
            }
        }
        return output
    }

    private func inflatedWhole(_ compressed: ByteBuffer, bySegmentsOf size: Int = .max) throws -> [UInt8] {
        var input = CompressedInput(try #require(Inflater()))
        var (rest, output) = (compressed, ByteBuffer())
        while rest.readableBytes > 0 {
            let slice = rest.readSlice(length: min(size, rest.readableBytes))
            var segment = try #require(slice)
            input.add(&segment)
            var before = -1
            while output.readableBytes > before {
                before = output.readableBytes
                try input.inflate(into: &output)
            }
        }
        return Array(buffer: output)
    }

    private static let text = Array(String(repeating: "* 1 FETCH (FLAGS (\\Seen) UID 1)\r\n", count: 4000).utf8)
    private static let noise: [UInt8] = {
        var random = SystemRandomNumberGenerator()
        return (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &random) }
    }()

    @Test("What was deflated can be inflated, piece by piece, whatever it is", arguments: [1, 7, 1000, 32 * 1024])
    func roundTrip(_ size: Int) throws {
        let deflater = try #require(Deflater())
        let original = Self.text + Self.noise + Self.text
        var wire = ByteBuffer()
        for start in stride(from: 0, to: min(original.count, size * 500), by: size) {
            original[start..<min(start + size, original.count)].withUnsafeBytes { deflater.deflate($0, into: &wire) }
        }
        let expected = Array(original.prefix(size * 500))
        #expect(try inflatedWhole(wire) == expected)
        #expect(try inflatedWhole(wire, bySegmentsOf: 11) == expected)
    }

    @Test("Answers shrink; what is compressed already is passed on, and grows by next to nothing") func worth() throws {
        let deflater = try #require(Deflater())
        var wire = ByteBuffer()
        Self.text.withUnsafeBytes { deflater.deflate($0, into: &wire) }
        #expect(wire.readableBytes < Self.text.count / 8)
        wire.clear()
        for start in stride(from: 0, to: Self.noise.count, by: 10_000) {
            Self.noise[start..<start + 10_000].withUnsafeBytes { deflater.deflate($0, into: &wire) }
        }
        #expect(wire.readableBytes < Self.noise.count + 400)
    }

    @Test("A bomb grows by one piece at a time") func bomb() throws {
        let bomb = Self.compressed([[UInt8](repeating: 0, count: 50_000_000)])
        #expect(bomb.readableBytes < 64 * 1024)
        var input = CompressedInput(try #require(Inflater()))
        var (received, output, octets) = (bomb, ByteBuffer(), 0)
        input.add(&received)
        while true {
            try input.inflate(into: &output)
            guard output.readableBytes > 0 else { break }
            #expect(output.readableBytes <= Inflater.pieceSize)
            octets += output.readableBytes
            output.clear()
        }
        #expect(octets == 50_000_000)
    }

    @Test("What is no DEFLATE stream is noticed") func damaged() throws {
        for bytes in [[0xFF, 0xFF, 0xFF], Array("a NOOP\r\n".utf8), [0x00, 0x01, 0x00, 0x00, 0x00]] as [[UInt8]] {
            #expect(throws: Inflater.Damaged.self) { try self.inflatedWhole(ByteBuffer(bytes: bytes)) }
        }
        // Behind the end of the stream nothing follows.
        var ended = Self.compressed([Array("a NOOP\r\n".utf8)], flush: Z_FINISH)
        #expect(try inflatedWhole(ended) == Array("a NOOP\r\n".utf8))
        ended.writeString("b NOOP\r\n")
        #expect(throws: Inflater.Damaged.self) { try self.inflatedWhole(ended) }
    }

    @Test(
        "Compression ends behind a command, and what follows in the clear is read as it is [RFC 8437 §4.1]",
        arguments: [Z_SYNC_FLUSH, Z_FULL_FLUSH, Z_FINISH], [0, 1, 9])
    func end(_ flush: Int32, _ level: Int32) throws {
        let before = Array("a NOOP\r\n".utf8)
        let last = Array("b UNAUTHENTICATE\r\n".utf8)
        var wire = Self.compressed([before, last], flush: flush, level: level)
        wire.writeString("c NOOP\r\n")
        for size in [1, 3, 1000] {
            #expect(try clear(behind: before + last, in: wire, bySegmentsOf: size) == "c NOOP\r\n")
        }
        // A command that is still compressed is noise.
        let late = Self.compressed([before, last, Array("c NOOP\r\n".utf8)], level: level)
        #expect(try clear(behind: before + last, in: late, bySegmentsOf: 1000) != "c NOOP\r\n")
    }

    /// Ends compression when `commands` have come, as a session does; what comes then.
    private func clear(behind commands: [UInt8], in wire: ByteBuffer, bySegmentsOf size: Int) throws -> String {
        var input = CompressedInput(try #require(Inflater()))
        var (rest, output, hasEnded) = (wire, ByteBuffer(), false)
        while rest.readableBytes > 0 {
            let slice = rest.readSlice(length: min(size, rest.readableBytes))
            var segment = try #require(slice)
            guard !input.isOver else {
                output.writeBuffer(&segment)
                continue
            }
            input.add(&segment)
            var before = -1
            while output.readableBytes > before {
                before = output.readableBytes
                try input.inflate(into: &output)
                guard !hasEnded, output.readableBytes == commands.count else { continue }
                #expect(Array(buffer: output) == commands)
                output.clear()
                input.end()
                hasEnded = true
                before = -1
            }
        }
        #expect(input.isOver)
        return String(buffer: output)
    }
}
