import Testing

@testable import IMAPServer

@Suite struct NeedleTests {
    @Test("Finding agrees with the plain way, for every short text") func exhaustive() {
        var random = SeededGenerator(7)
        let letters = Array("aAbB".utf8)
        for _ in 0..<20_000 {
            let text = (0..<Int.random(in: 0...12, using: &random)).map { _ in
                letters.randomElement(using: &random) ?? 0
            }
            let sought = (0..<Int.random(in: 0...4, using: &random)).map { _ in
                letters.randomElement(using: &random) ?? 0
            }
            let needle = Needle(String(decoding: sought, as: UTF8.self))
            let plain = String(decoding: text, as: UTF8.self).lowercased()
            let wanted = String(decoding: sought, as: UTF8.self).lowercased()
            #expect(needle.isFound(in: text.span) == (wanted.isEmpty || plain.contains(wanted)))
        }
    }

    @Test("Case is folded beyond ASCII") func unicode() {
        #expect(Needle("GRÜßE").isFound(in: "viele grüße"))
        #expect(Needle("ŽLUŤOUČKÝ").isFound(in: "příliš žluťoučký kůň"))
        #expect(Needle("ŽLUT").isFound(in: "žluť"))
        #expect(!Needle("žlut'").isFound(in: "žluť"))
    }
}
