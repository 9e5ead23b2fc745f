import MailVocabulary
import Testing

@testable import SessionRuntime

@Suite("Limits on connections")
struct LimitTests {
    private func address(_ text: String) throws -> NetworkAddress { try #require(NetworkAddress(text)) }

    /// Which limit the next connection meets; nil for none. Its place is given back at once.
    private func refusal(_ counter: ConnectionCounter, _ peer: NetworkAddress?) -> ConnectionRefusal? {
        do {
            _ = try counter.admit(peer)
            return nil
        } catch { return error }
    }

    @Test("By address: open and unauthenticated; others are not concerned")
    func byAddress() throws {
        var limits = RuntimeLimits()
        limits.connectionsPerAddress = 3
        limits.unauthenticatedPerAddress = 2
        let counter = ConnectionCounter(limits)
        let (one, other) = (try address("192.0.2.1"), try address("192.0.2.2"))
        var places = try [counter.admit(one), counter.admit(one)]
        #expect(refusal(counter, one) == .unauthenticatedPerAddress)
        #expect(refusal(counter, other) == nil)
        places[0].authenticated()
        places.append(try counter.admit(one))
        places[1].authenticated()
        #expect(refusal(counter, one) == .connectionsPerAddress)
        places[1].unauthenticated()
        places.removeFirst()
        #expect(refusal(counter, one) == .unauthenticatedPerAddress)
        places = []
        #expect(refusal(counter, one) == nil)
        #expect(counter.open == 0 && counter.snapshot.unauthenticated == 0)
    }

    @Test("An IPv6 /64 is one address")
    func networks() throws {
        var limits = RuntimeLimits()
        limits.connectionsPerAddress = 1
        let counter = ConnectionCounter(limits)
        let place = try counter.admit(try address("2001:db8::1"))
        #expect(refusal(counter, try address("2001:db8::ffff:2")) == .connectionsPerAddress)
        #expect(refusal(counter, try address("2001:db8:0:1::1")) == nil)
        withExtendedLifetime(place) {}
    }

    @Test("Exempt networks are counted in all, and by no address")
    func exempt() throws {
        var limits = RuntimeLimits()
        limits.connections = 5
        limits.connectionsPerAddress = 1
        limits.connectionsPerSecond = 1
        limits.handshakesPerAddress = 1
        let counter = ConnectionCounter(limits)
        var places = [ConnectionPermit]()
        for text in ["127.0.0.1", "127.0.0.1", "::1", "::1"] { places.append(try counter.admit(try address(text))) }
        places.append(try counter.admit(nil))
        for place in places { try place.beginHandshake() }
        #expect(counter.snapshot.handshakes == 5)
        #expect(refusal(counter, try address("127.0.0.1")) == .connections)
        limits.exemptNetworks = []
        let strict = ConnectionCounter(limits)
        let place = try strict.admit(try address("127.0.0.1"))
        #expect(refusal(strict, try address("127.0.0.1")) == .connectionsPerAddress)
        withExtendedLifetime(place) {}
    }

    @Test("Handshakes: in all and by address; a place is given back with the handshake or the connection")
    func handshakes() throws {
        var limits = RuntimeLimits()
        limits.handshakes = 2
        limits.handshakesPerAddress = 1
        let counter = ConnectionCounter(limits)
        let one = try address("192.0.2.1")
        var places = try [counter.admit(one), counter.admit(one), counter.admit(nil), counter.admit(nil)]
        try places[0].beginHandshake()
        #expect(throws: ConnectionRefusal.handshakesPerAddress) { try places[1].beginHandshake() }
        try places[2].beginHandshake()
        #expect(throws: ConnectionRefusal.handshakes) { try places[3].beginHandshake() }
        places[0].endHandshake()
        places[0].endHandshake()
        try places[1].beginHandshake()
        places.remove(at: 1)
        #expect(counter.snapshot.handshakes == 1)
        places = []
        #expect(counter.snapshot.handshakes == 0 && counter.open == 0)
    }

    @Test("A refused connection leaves nothing behind")
    func refusedLeavesNothing() throws {
        var limits = RuntimeLimits()
        limits.connectionsPerAddress = 1
        limits.unauthenticatedConnections = 3
        let counter = ConnectionCounter(limits)
        let place = try counter.admit(try address("192.0.2.1"))
        for _ in 0..<10 { #expect(refusal(counter, try address("192.0.2.1")) != nil) }
        #expect(counter.open == 1 && counter.snapshot.unauthenticated == 1)
        let proxied = try counter.admit(nil)
        #expect(throws: ConnectionRefusal.connectionsPerAddress) { try proxied.identify(try address("192.0.2.1")) }
        try proxied.identify(try address("192.0.2.9"))
        withExtendedLifetime(place) {}
    }

    @Test("Arrivals: a second's worth and some more at once, then as many as time brings")
    func rates() throws {
        var rates = ArrivalRates(perSecond: 2)
        let (one, other) = (try address("192.0.2.1"), try address("2001:db8::"))
        let second: UInt64 = 1_000_000_000
        var now = 1000 * second
        #expect((0..<10).filter { _ in rates.take(one, now: now) }.count == 6)
        let isTaken = rates.take(other, now: now)
        #expect(isTaken)
        now += second
        #expect((0..<10).filter { _ in rates.take(one, now: now) }.count == 2)
        now += 100 * second
        #expect((0..<10).filter { _ in rates.take(one, now: now) }.count == 6)
    }

    @Test("Many addresses cost no more memory than few, and little time")
    func manyAddresses() throws {
        var rates = ArrivalRates(perSecond: 20)
        for number in 0..<200_000 {
            let octets = [10, UInt8(number >> 16), UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF)]
            _ = rates.take(try #require(NetworkAddress(octets: octets)), now: UInt64(number) * 1_000_000)
        }
        let isTaken = rates.take(try address("192.0.2.1"), now: 300 * 1_000_000_000)
        #expect(isTaken)
    }
}
