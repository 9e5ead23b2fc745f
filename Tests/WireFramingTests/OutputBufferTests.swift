import Testing

@testable import WireFraming

@Suite struct OutputBufferTests {
    private static let large = [UInt8](repeating: 7, count: 10_000)

    @Test("What is kept whole keeps its place among what is gathered") func order() {
        var output = OutputBuffer()
        output.append("head " as StaticString)
        output.append(decimal: UInt64.max)
        output.append(whole: Self.large[10..<9_000])
        output.append("between")
        output.append(whole: [1, 2, 3][...])
        output.append(whole: Self.large[...])
        let expected =
            Array("head 18446744073709551615".utf8) + Self.large[10..<9_000] + Array("between".utf8) + [1, 2, 3]
            + Self.large
        #expect(output.count == expected.count)
        var copy = output
        #expect(Array(copy.takePieces().joined()) == expected)
        #expect(copy.isEmpty && copy.count == 0)
        #expect(output.take() == expected)
        #expect(output.isEmpty && output.takePieces().isEmpty)
    }

    @Test("Taken back to any octet", arguments: [0, 3, 4, 5, 8_000, 10_003, 10_004, 10_006, 10_008, 20_007, 20_008])
    func removal(_ count: Int) {
        var output = OutputBuffer()
        output.append("head")
        output.append(whole: Self.large[...])
        output.append("tail")
        output.append(whole: Self.large[...])
        let all = Array("head".utf8) + Self.large + Array("tail".utf8) + Self.large
        output.removeAll(from: count)
        #expect(output.count == count)
        output.append("more")
        #expect(output.take() == all[..<count] + Array("more".utf8))
    }

    @Test("Never more is taken than there was room for") func room() {
        var output = OutputBuffer()
        output.append("x")
        output.append(upTo: 5) { room in
            for index in room.indices { room[index] = UInt8(ascii: "a") + UInt8(index) }
            return 3
        }
        output.append(upTo: 2) { room in
            room.update(repeating: UInt8(ascii: "z"))
            return 900
        }
        #expect(output.copy(since: 2) == Array("bczz".utf8))
        #expect(output.take() == Array("xabczz".utf8))
    }
}
