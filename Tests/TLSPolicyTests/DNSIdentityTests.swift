import TLSPolicy
import Testing

struct DNSIdentityTests {
    @Test(
        "Presented names and hosts (RFC 9525 §6.3)",
        arguments: [
            ("mx.example.org", "mx.example.org", true), ("MX.example.org.", "mx.EXAMPLE.org", true),
            ("*.example.org", "mx.example.org", true), ("*.example.org", "a.mx.example.org", false),
            ("*.example.org", "example.org", false), ("*.example.org", ".example.org", false),
            ("*.example.org", "*.example.org", false), ("*.org", "example.org", false), ("*", "localhost", false),
            ("localhost", "localhost", true), ("m*.example.org", "mx.example.org", false),
            ("xn--*.example.org", "xn--a.example.org", false), ("", "", false), (".", ".", false),
            ("mx.example.org", "mx.example.org.evil.example", false), ("192.0.2.1", "192.0.2.1", false),
            ("*.0.2.1", "192.0.2.1", false), ("mx..org", "mx..org", false),
        ])
    func matches(_ presented: String, _ host: String, _ isRight: Bool) {
        #expect(DNSIdentity.matches(presented, host: host) == isRight)
    }
}
