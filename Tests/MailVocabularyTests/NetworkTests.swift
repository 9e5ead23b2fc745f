import MailVocabulary
import Testing

@Suite("Addresses and networks")
struct NetworkTests {
    @Test(
        "Addresses are read as sockets write them, and written as RFC 5952 wants",
        arguments: [
            ("192.0.2.1", "192.0.2.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
            ("::", "::"), ("::1", "::1"), ("2001:db8::1", "2001:db8::1"), ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
            ("1::", "1::"), ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
            ("2001:0:0:1::1", "2001:0:0:1::1"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("fe80::1%eth0", "fe80::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"), ("::FFFF:c000:0201", "192.0.2.1"),
            ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
            ("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"),
        ])
    func accepted(text: String, written: String) {
        #expect(NetworkAddress(text)?.description == written)
    }

    @Test(
        "What is no address is none",
        arguments: [
            "", ".", ":", ":::", "1", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1..2.3", "1.2.3.4 ", "a.b.c.d",
            "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "::1:", ":1::", "g::", "1:2:3:4:5:6:7:1.2.3.4",
            "::1.2.3", "::1.2.3.4:5", "1:2:3:4:5:6:7:8::", "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", "local",
        ])
    func rejected(text: String) {
        #expect(NetworkAddress(text) == nil)
    }

    @Test func octets() {
        #expect(NetworkAddress(octets: [192, 0, 2, 1])?.description == "192.0.2.1")
        #expect(NetworkAddress(octets: [0x20, 1] + [UInt8](repeating: 0, count: 13) + [5])?.description == "2001::5")
        #expect(NetworkAddress(octets: [1, 2, 3]) == nil && NetworkAddress(octets: []) == nil)
    }

    @Test("A customer is an IPv4 address or an IPv6 /64")
    func customers() throws {
        let customer = { (text: String) in try #require(NetworkAddress(text)).customer.description }
        #expect(try customer("192.0.2.1") == "192.0.2.1")
        #expect(try customer("::ffff:192.0.2.1") == "192.0.2.1")
        #expect(try customer("2001:db8:1:2:3:4:5:6") == "2001:db8:1:2::")
        #expect(try customer("2001:db8::6") == customer("2001:db8::7:8"))
        #expect(try customer("2001:db8::6") != customer("2001:db9::6"))
    }

    @Test func loopback() {
        #expect(
            ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"].allSatisfy { NetworkAddress($0)?.isLoopback == true })
        #expect(["128.0.0.1", "::2", "::", "1::1", "::7f00:1"].allSatisfy { NetworkAddress($0)?.isLoopback == false })
    }

    @Test(
        "Networks contain what they name, and nothing of the other family",
        arguments: [
            ("192.0.2.0/24", "192.0.2.255", true), ("192.0.2.0/24", "192.0.3.0", false), ("0.0.0.0/0", "8.8.8.8", true),
            ("0.0.0.0/0", "::1", false), ("::/0", "1.2.3.4", false), ("::/0", "2001:db8::1", true),
            ("2001:db8::/32", "2001:db8:ffff::1", true), ("2001:db8::/32", "2001:db9::1", false),
            ("2001:db8::/64", "2001:db8::1:0:0:1", true), ("2001:db8::/65", "2001:db8::8000:0:0:1", false),
            ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false), ("::1", "::1", true),
            ("192.0.2.0/24", "::ffff:192.0.2.9", true), ("127.0.0.0/8", "127.9.9.9", true),
        ])
    func contains(network: String, address: String, isIn: Bool) throws {
        #expect(try #require(NetworkPrefix(network)).contains(try #require(NetworkAddress(address))) == isIn)
        #expect(NetworkPrefix(network)?.description == network)
    }

    @Test(
        "Networks that are none, or may be meant otherwise",
        arguments: [
            "", "/", "192.0.2.0/", "192.0.2.0/33", "192.0.2.0/-1", "192.0.2.0/2x", "192.0.2.1/24", "2001:db8::/129",
            "2001:db8::1/64", "2001:db8:0:0:8000::/64", "fe80::%eth0/64", "192.0.2.0/0024", "example.org",
        ])
    func noNetworks(text: String) {
        #expect(NetworkPrefix(text) == nil)
    }
}
