import MessageFormat
import Testing

@Suite("Parameters of RFC 2231")
struct ParameterTests {
    private func parameters(_ field: String) -> [String] {
        summary("Content-Type: x/y; \(field)\n\n").structure.parameters.map {
            "\(String(decoding: $0.name, as: UTF8.self))=\(String(decoding: $0.value, as: UTF8.self))"
        }
    }

    @Test(
        "Continuations are joined",
        arguments: [
            // RFC 2231 §3, §4.1
            (
                "access-type=URL; URL*0=\"ftp://\"; URL*1=\"cs.utk.edu/pub\"",
                ["ACCESS-TYPE=URL", "URL=ftp://cs.utk.edu/pub"]
            ),
            (
                "title*0*=us-ascii'en'This%20is%20even%20more%20; title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2=\"isn't it!\"",
                ["TITLE*=us-ascii'en'This%20is%20even%20more%20%2A%2A%2Afun%2A%2A%2A%20isn%27t%20it%21"]
            ),
            ("a*1=y; b=z; a*0=x", ["A=xy", "B=z"]), ("a*0=x; a*2=z", ["A=x"]), ("a*1=x; b=c", ["B=c"]),
            ("a*0=x; a*1*=%41", ["A*=''x%41"]), ("a*=utf-8''x", ["A*=utf-8''x"]), ("*0=x; a*b=c", ["*0=x", "A*B=c"]),
        ])
    func continuations(field: String, expected: [String]) {
        #expect(parameters(field) == expected)
    }

    @Test(
        "Decoding an extended value",
        arguments: [
            ("A*", "us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", "This is ***fun***"),
            ("A*", "iso-8859-1''%A3%20rates", "£ rates"), ("A*", "UTF-8''%e2%82%ac%zz%4", "€%zz%4"),
            ("A*", "iso-2022-jp''%41", "iso-2022-jp''%41"), ("A*", "no quotes", "no quotes"), ("A*", "''%41", "A"),
            ("A", "utf-8''%41", "utf-8''%41"),
        ])
    func decoding(name: String, value: String, expected: String) {
        #expect(text(BodyParameter(name: octets(name), value: octets(value)).decoded) == expected)
    }

    @Test("A boundary may be written as an extended value")
    func extendedBoundary() {
        let whole = "Content-Type: multipart/mixed; boundary*=ansi-x3.4-1968''b%31\n\n--b1\n\na\n--b1--"
        #expect(shape(whole) == "MULTIPART/MIXED(TEXT/PLAIN\"a\")")
    }

    @Test("Parameters beyond the limit are left out")
    func tooMany() {
        let many = (0..<MessageLimits.parameters + 10).map { "p\($0)=v" }.joined(separator: ";")
        #expect(parameters(many).count == MessageLimits.parameters)
    }
}
