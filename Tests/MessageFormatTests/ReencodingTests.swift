import MessageFormat
import Testing

/// Converted in pieces that end at `cuts`, read and written with different ones.
private func convert(
    _ message: [UInt8], to target: ReencodingTarget, cuts: [Int] = []
) throws(ReencodingFailure) -> [UInt8] {
    var plan = ReencodingPlan(target)
    try plan.add(message.span)
    try plan.finish()
    var reencoder = MessageReencoder(plan)
    var result: [UInt8] = []
    var start = 0
    for end in cuts + [message.count] {
        result += try reencoder.convert(Array(message[start..<end]).span)
        start = end
    }
    return result + (try reencoder.finish())
}

private func convert(_ text: String, to target: ReencodingTarget = .sevenBit) throws(ReencodingFailure) -> [UInt8] {
    try convert(message(text), to: target)
}

/// The parts with what they decode to.
private func decoded(_ bytes: [UInt8]) -> [String] {
    func parts(_ part: BodyPart) -> [String] {
        let name = String(decoding: part.type + octets("/") + part.subtype, as: UTF8.self)
        switch part.kind {
        case .single, .text:
            let body = Array(bytes[part.bodyRange])
            let octets = TransferEncoding(part.encoding)?.decode(body.span) ?? body
            return ["\(name) \(octets)"]
        case .message(_, let inner): return [name] + parts(inner)
        case .multipart(let children): return [name] + children.flatMap(parts)
        }
    }
    return parts(parse(bytes).structure)
}

private func scan(_ bytes: [UInt8]) -> BodyScan {
    var scan = BodyScan()
    scan.add(bytes.span)
    scan.finish()
    return scan
}

@Suite struct ReencodingTests {
    @Test("Text becomes quoted-printable, everything else base64, and it decodes to what it was (RFC 6152 §3)")
    func parts() throws {
        let text = """
            Subject: x
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary="b"
            Content-Transfer-Encoding: 8bit

            preamble
            --b
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: 8bit

            Grüße = \u{20}
            .

            --b
            Content-Type: application/octet-stream
            Content-Transfer-Encoding: 8bit

            ÿþ
            --b
            Content-Type: text/plain
            Content-Transfer-Encoding: 8bit

            plain
            --b--
            epilogue

            """
        let converted = try convert(text)
        #expect(
            String(decoding: converted, as: UTF8.self).split(separator: "\r\n", omittingEmptySubsequences: false) == [
                "Subject: x", "MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=\"b\"", "", "preamble",
                "--b", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: quoted-printable", "",
                "Gr=C3=BC=C3=9Fe =3D =20", ".", "", "--b", "Content-Type: application/octet-stream",
                "Content-Transfer-Encoding: base64", "", "w7/Dvg==", "--b", "Content-Type: text/plain", "", "plain",
                "--b--", "epilogue", "",
            ])
        #expect(decoded(converted) == decoded(message(text)))
    }

    @Test("A message without MIME gets what it needs (RFC 1428 §3); one whose labels are complete keeps them")
    func unlabelled() throws {
        #expect(
            String(decoding: try convert("Subject: x\n\nGrüße\n"), as: UTF8.self)
                == "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=unknown-8bit\r\n"
                + "Content-Transfer-Encoding: quoted-printable\r\n\r\nGr=C3=BC=C3=9Fe\r\n")
        let image = try convert("MIME-Version: 1.0\nContent-Type: image/png\n\nü\n")
        #expect(
            String(decoding: image, as: UTF8.self)
                == "MIME-Version: 1.0\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nw7wNCg==\r\n"
        )
    }

    @Test("A message inside a message is converted inside (RFC 2046 §5.2.1)")
    func nested() throws {
        let text = """
            MIME-Version: 1.0
            Content-Type: multipart/digest; boundary=b

            --b

            Subject: inner
            Content-Type: text/plain

            Grüße
            --b
            Content-Type: message/rfc822
            Content-Transfer-Encoding: 8bit

            Subject: forwarded
            MIME-Version: 1.0
            Content-Type: multipart/alternative; boundary=bb

            --bb
            Content-Type: text/html; charset=utf-8

            <p>ü</p>
            --bb--
            --b--

            """
        let converted = try convert(text)
        #expect(!scan(converted).has8Bit)
        #expect(decoded(converted) == decoded(message(text)))
    }

    @Test("What a signature covers is not changed, and what lies beside it is")
    func signed() throws {
        #expect(throws: ReencodingFailure.signed) {
            try convert("DKIM-Signature: v=1\nSubject: x\n\nGrüße\n")
        }
        func signed(_ first: String, _ second: String) -> String {
            """
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary=o

            --o
            Content-Type: multipart/signed; boundary=b; micalg=sha-256

            --b
            Content-Type: text/plain; charset=utf-8

            \(first)
            --b
            Content-Type: application/pgp-signature

            xxx
            --b--
            --o
            Content-Type: text/plain; charset=utf-8

            \(second)
            --o--

            """
        }
        #expect(throws: ReencodingFailure.signed) { try convert(signed("ü", "x")) }
        let beside = try convert(signed("x", "ü"))
        #expect(decoded(beside) == decoded(message(signed("x", "ü"))) && !scan(beside).has8Bit)
        #expect(throws: ReencodingFailure.signed) {
            try convert("Content-Type: message/rfc822\n\nDKIM-Signature: v=1\n\nü\n")
        }
    }

    @Test(
        "Where no encoding reaches, nothing is done",
        arguments: [
            "Subject: ü\n\nx\n", "Content-Type: multipart/mixed; boundary=b\n\nprä\n--b\n\nx\n--b--\n",
            "Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\nepilög\n",
            "Content-Type: multipart/mixed\n\nü\n", "Content-Type: message/partial\n\nü\n",
            "Content-Type: message/delivery-status\n\nü\n",
            "Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nü\n",
            "Content-Type: text/plain\nContent-Transfer-Encoding: x-uuencode\n\nü\n",
        ])
    func unencodable(_ text: String) {
        #expect(throws: ReencodingFailure.unencodable) { try convert(text) }
    }

    @Test("What has no shape, is too deep or has too many parts is left alone")
    func tooComplex() {
        #expect(throws: ReencodingFailure.tooComplex) { try convert("no header\nat all ü\n") }
        #expect(throws: ReencodingFailure.tooComplex) { try convert("Subject: x\n") }
        let deep = String(repeating: "Content-Type: message/rfc822\n\n", count: 80) + "\nü\n"
        #expect(throws: ReencodingFailure.tooComplex) { try convert(deep) }
        let many = "Content-Type: multipart/mixed; boundary=b\n\n" + String(repeating: "--b\n\n\n", count: 10_001)
        #expect(throws: ReencodingFailure.tooComplex) { try convert(many) }
        let long = "Subject: " + String(repeating: "x", count: 300_000) + "\n\nü\n"
        #expect(throws: ReencodingFailure.tooComplex) { try convert(long) }
    }

    @Test("Binary parts for a way that takes 8-bit lines (RFC 3030 §3); text that fits stays as it is")
    func binary() throws {
        var bytes = message(
            """
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary=b
            Content-Transfer-Encoding: binary

            --b
            Content-Type: text/plain; charset=utf-8
            Content-Transfer-Encoding: binary

            ü
            --b
            Content-Type: image/png
            Content-Transfer-Encoding: binary


            """)
        bytes += [0x89, 0x50, 0x0D, 0x0A, 0x1A, 0x0A, 0x00, 0x0D] + octets("\r\n--b--\r\n")
        let converted = try convert(bytes, to: .eightBit)
        #expect(scan(converted).isLines && scan(converted).bodyHas8Bit)
        #expect(!String(decoding: converted, as: UTF8.self).contains("binary"))
        #expect(decoded(converted) == decoded(bytes))
        let narrow = try convert(bytes, to: .sevenBit)
        #expect(scan(narrow).isLines && !scan(narrow).has8Bit)
        #expect(decoded(narrow) == decoded(bytes))
    }

    @Test("Lines that are too long for the way are encoded, where an encoding reaches and no signature is")
    func longLines() throws {
        let long = String(repeating: "y", count: 999)
        func convert(_ text: String) throws(ReencodingFailure) -> [UInt8] {
            let bytes = message(text)
            var plan = ReencodingPlan(.eightBit, longestLine: 998)
            for start in stride(from: 0, to: bytes.count, by: 700) {
                try plan.add(Array(bytes[start..<min(start + 700, bytes.count)]).span)
            }
            try plan.finish()
            var reencoder = MessageReencoder(plan)
            return try reencoder.convert(bytes.span) + (try reencoder.finish())
        }
        let text = """
            MIME-Version: 1.0
            Content-Type: multipart/mixed; boundary=b

            --b

            \(long)
            --b
            Content-Type: application/json

            \(long)
            --b
            Content-Type: text/plain; charset=utf-8

            ü \(long.dropFirst(4))
            --b--

            """
        let converted = try convert(text)
        #expect(scan(converted).longestLine <= 998 && scan(converted).bodyHas8Bit)
        #expect(decoded(converted) == decoded(message(text)))
        // What is all ASCII needs no charset.
        #expect(!String(decoding: converted, as: UTF8.self).contains("unknown-8bit"))
        #expect(scan(message(text)).longestLine == 999)
        #expect(scan(octets("a\r\nbcd\r\n\r\nef")).longestLine == 3 && scan(octets("a\r\nbcd")).longestLine == 3)
        #expect(throws: ReencodingFailure.unencodable) { try convert("Subject: \(long)\n\nx\n") }
        #expect(throws: ReencodingFailure.signed) { try convert("DKIM-Signature: v=1\n\n\(long)\n") }
        let multipart = "Content-Type: multipart/mixed; boundary=b\n\n"
        for around in [long, String(repeating: long, count: 9)] {
            #expect(throws: ReencodingFailure.unencodable) { try convert(multipart + around + "\n--b\n\nx\n--b--\n") }
            #expect(throws: ReencodingFailure.unencodable) { try convert(multipart + "--b\n\nx\n--b--\n" + around) }
        }
        #expect(try convert(multipart + long.dropLast() + "\n--b\n\nx\n--b--\n").count > 998)
    }

    /// A message of random parts and octets.
    private func randomMessage(_ random: inout SeededGenerator, depth: Int = 0) -> [UInt8] {
        let types = ["text/plain; charset=utf-8", "application/pdf", "text/html"]
        let kind = depth < 3 ? Int.random(in: 0...4, using: &random) : 0
        if kind == 3 {
            let boundary = "b\(depth)\(Int.random(in: 0...9, using: &random))"
            var bytes = octets("Content-Type: multipart/mixed; boundary=\(boundary)\r\n\r\n")
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                bytes += octets("--\(boundary)\r\n") + randomMessage(&random, depth: depth + 1) + octets("\r\n")
            }
            return bytes + octets("--\(boundary)--\r\n")
        }
        if kind == 4 {
            return octets("Content-Type: message/rfc822\r\n\r\nSubject: x\r\n")
                + randomMessage(&random, depth: depth + 1)
        }
        let type = types.randomElement(using: &random) ?? ""
        let alphabet = octets("a b=.-\t\u{7F}") + [0x0D, 0x0A, 0x0D, 0x0A, 0xC3, 0xBC, 0xFF, 0x00]
        let body = (0..<Int.random(in: 0...120, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? 0
        }
        return octets("Content-Type: \(type)\r\n\r\n") + body
    }

    @Test("Whatever the parts and however the octets are cut: the same contents, on a way that takes them")
    func random() throws {
        var random = SeededGenerator(state: 77)
        var done = 0
        for _ in 0..<1500 {
            let message = octets("MIME-Version: 1.0\r\n") + randomMessage(&random)
            for target in [ReencodingTarget.sevenBit, .eightBit] {
                let whole = Result { () throws(ReencodingFailure) in try convert(message, to: target) }
                let cuts = (0..<4).map { _ in Int.random(in: 0...message.count, using: &random) }.sorted()
                #expect(
                    whole == Result { () throws(ReencodingFailure) in try convert(message, to: target, cuts: cuts) })
                guard case .success(let converted) = whole else { continue }
                done += 1
                let result = scan(converted)
                #expect(result.isLines && (target == .eightBit || !result.has8Bit))
                #expect(decoded(converted) == decoded(message), "\(String(decoding: message, as: UTF8.self))")
            }
        }
        #expect(done > 1500)
    }

    @Test("Mutated messages end in a conversion or a refusal")
    func mutated() {
        var random = SeededGenerator(state: 3)
        for _ in 0..<1500 {
            var message = octets("MIME-Version: 1.0\r\n") + randomMessage(&random)
            for _ in 0..<4 {
                let place = Int.random(in: 0..<message.count, using: &random)
                message[place] = [0x0A, 0x0D, 0x2D, 0x3A, 0x20, 0xFC].randomElement(using: &random) ?? 0
            }
            guard let converted = try? convert(message, to: .sevenBit) else { continue }
            #expect(scan(converted).isLines && !scan(converted).has8Bit)
        }
    }
}
