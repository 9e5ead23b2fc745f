import MailDNS
import MailTestSupport
import Testing

struct RecordDecodingTests {
    private static let samples: [(DNSRecordType, [UInt8], DNSRecordData)] = [
        (.a, [192, 0, 2, 1], .address([192, 0, 2, 1])),
        (.mx, [0, 10, 2, 0x4D, 0x58, 3, 0x6F, 0x72, 0x67, 0], .mx(preference: 10, exchange: "mx.org")),
        (.mx, [0, 0, 0], .mx(preference: 0, exchange: "")),
        (
            .srv, [0, 1, 0, 2, 0x01, 0xD1, 1, 0x68, 0],
            .srv(priority: 1, weight: 2, port: 465, target: "h")
        ),
        (.txt, [2, 0x61, 0x62, 1, 0x63], .txt([0x61, 0x62, 0x63])),
        (.tlsa, [3, 1, 1, 0xFF], .tlsa(usage: 3, selector: 1, matching: 1, data: [0xFF])),
        (.ptr, [1, 0x41, 0], .name("a")),
        (.cname, [2, 0x61, 0x2E, 1, 0x0A, 0], .name("a\\046.\\010")),
        (.caa, [0, 1], .other([0, 1])),
    ]

    @Test("Records are decoded", arguments: samples)
    func accepted(_ type: DNSRecordType, _ octets: [UInt8], _ record: DNSRecordData) {
        #expect(DNSRecordData(octets, type) == record)
    }

    @Test("What is cut short is none, except where a shorter one is one", arguments: samples)
    func incomplete(_ type: DNSRecordType, _ octets: [UInt8], _ record: DNSRecordData) {
        for count in 0..<octets.count where type != .caa {
            let part = DNSRecordData(Array(octets.prefix(count)), type)
            if type == .txt, count == 3 { continue }
            #expect(part == nil, "\(type) \(count)")
        }
    }

    @Test("Compressed, overlong and trailing names are refused")
    func rejected() {
        #expect(DNSRecordData([0, 1, 0xC0, 0x0C], .mx) == nil)
        #expect(DNSRecordData([0, 0], .ptr) == nil)
        let label: [UInt8] = [63] + [UInt8](repeating: 0x61, count: 63)
        let longest = label + label + label + [61] + [UInt8](repeating: 0x61, count: 61) + [0]
        #expect(longest.count == 255)
        #expect(DNSRecordData(longest, .ptr) != nil)
        #expect(DNSRecordData(label + label + label + label + [0], .ptr) == nil)
        #expect(DNSRecordData([64] + [UInt8](repeating: 0x61, count: 64) + [0], .ptr) == nil)
        #expect(DNSRecordData([UInt8](repeating: 0, count: 65_536), .txt) == nil)
    }

    @Test("Mutated records neither crash nor give names with raw octets")
    func mutated() {
        var generator = SeededGenerator(seed: 6698)
        for round in 0..<20_000 {
            let (_, seed, _) = Self.samples[round % Self.samples.count]
            var octets = seed
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                switch Int.random(in: 0..<3, using: &generator) {
                case 0 where !octets.isEmpty: octets.remove(at: Int.random(in: 0..<octets.count, using: &generator))
                case 1:
                    octets.insert(
                        UInt8.random(in: 0...255, using: &generator),
                        at: Int.random(in: 0...octets.count, using: &generator))
                case _ where !octets.isEmpty:
                    octets[Int.random(in: 0..<octets.count, using: &generator)] = UInt8.random(
                        in: 0...255, using: &generator)
                case _: break
                }
            }
            for type in DNSRecordType.allCases {
                guard case .name(let name)? = DNSRecordData(octets, type) else { continue }
                #expect(name.utf8.allSatisfy { (0x21...0x7E).contains($0) })
            }
        }
    }

    @Test("Addresses' names")
    func reverse() {
        #expect(DNSName.reverse(of: [192, 0, 2, 1]) == "1.2.0.192.in-addr.arpa")
        let six = DNSName.reverse(of: [0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [0x1F])
        #expect(six == "f.1." + String(repeating: "0.", count: 22) + "8.b.d.0.1.0.0.2.ip6.arpa")
        #expect(DNSName.reverse(of: [1]) == nil)
    }

    @Test(
        "U-labels become A-labels, whatever their case and composition",
        arguments: [
            ("bücher.example", "xn--bcher-kva.example"), ("Bu\u{308}cher.EXAMPLE", "xn--bcher-kva.example"),
            ("münchen.example", "xn--mnchen-3ya.example"), ("faß.example", "xn--fa-hia.example"),
            ("ü.example", "xn--tda.example"), ("他们为什么不说中文.example", "xn--ihqwcrb4cv8a8dqg056pqjye.example"),
            ("почемужеонинеговорятпорусски.example", "xn--b1abfaaepdrnnbgefbadotcwatmq2g4l.example"),
            ("Plain.Example", "plain.example"),
        ])
    func labels(_ text: String, _ ascii: String) { #expect(DNSName.ascii(text) == ascii) }

    @Test(
        "What is no label has no A-label",
        arguments: [
            "xn--ü.example", "a☺b.example", "ü..example", String(repeating: "ü", count: 64),
        ])
    func notLabels(_ text: String) { #expect(DNSName.ascii(text) == nil) }
}
