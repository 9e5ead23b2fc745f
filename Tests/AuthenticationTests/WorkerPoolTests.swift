import Dispatch
import Synchronization
import Testing

@testable import Authentication

@Suite("Fairness of waiting logins")
struct WorkerPoolTests {
    /// A pool of one thread, held up until the gate opens; what ran, in order.
    private final class Held: Sendable {
        let pool: WorkerPool
        private let gate = DispatchSemaphore(value: 0)
        private let ran = Mutex<[String]>([])
        private let refused = Mutex<[String]>([])

        init(capacity: Int = WorkerPool.standardCapacity) { pool = WorkerPool(width: 1, capacity: capacity) }

        /// Hands in the work of these peers, in order, while the thread is held up; returns who ran and who was refused.
        func run(_ peers: [String]) async -> (ran: [String], refused: [String]) {
            await withTaskGroup { group in
                let started = AsyncStream.makeStream(of: Void.self)
                group.addTask { [self] in
                    _ = await pool.run(for: "holder") {
                        started.continuation.yield()
                        self.gate.wait()
                    }
                }
                for await _ in started.stream { break }
                for (index, peer) in peers.enumerated() {
                    group.addTask { [self] in await take(peer) }
                    // One at a time, so that their order is known.
                    while pool.waitingCount + refused.withLock({ $0.count }) <= index { await Task.yield() }
                }
                gate.signal()
            }
            return (ran.withLock { $0 }, refused.withLock { $0 })
        }

        private func take(_ peer: String) async {
            let result: Void? = await pool.run(for: peer) { self.ran.withLock { $0.append(peer) } }
            if result == nil { refused.withLock { $0.append(peer) } }
        }
    }

    @Test("Who comes behind a flood is served after one of it")
    func roundRobin() async {
        let flood = Array(repeating: "192.0.2.1", count: 6)
        let (ran, refused) = await Held().run(flood + ["198.51.100.7", "2001:db8::1", "198.51.100.7"])
        #expect(
            ran == ["192.0.2.1", "198.51.100.7", "2001:db8::1", "192.0.2.1", "198.51.100.7"] + flood.dropFirst(2))
        #expect(refused.isEmpty)
    }

    @Test("Each address may have eight waiting, IPv6 by /64; the rest is refused at once")
    func share() async {
        let flood = (1...12).map { "2001:db8:0:1::\($0)" }
        let (ran, refused) = await Held().run(flood + ["2001:db8:0:2::1"])
        #expect(ran.count == 9 && ran[1] == "2001:db8:0:2::1")
        #expect(refused == Array(flood.suffix(4)))
    }

    @Test("All together may have so many waiting")
    func capacity() async {
        let (ran, refused) = await Held(capacity: 3).run((1...5).map { "192.0.2.\($0)" })
        #expect(ran == ["192.0.2.1", "192.0.2.2", "192.0.2.3"])
        #expect(refused == ["192.0.2.4", "192.0.2.5"])
    }

    @Test("This machine's own programs speak for many people")
    func loopback() async {
        let (ran, refused) = await Held().run(Array(repeating: "127.0.0.1", count: 65))
        #expect(ran.count == 64 && refused.count == 1)
    }

    @Test(
        "What is one network",
        arguments: [
            ("192.0.2.1", "192.0.2.1", true), ("192.0.2.1", "192.0.2.2", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true), ("2001:db8::1", "2001:db8:0:0:ffff::1", true),
            ("2001:db8::1", "2001:db8:0:1::1", false), ("fe80::1%eth0", "fe80::2", true), ("", "x", false),
        ])
    func networks(first: String, second: String, isOne: Bool) {
        #expect((PeerNetwork(first) == PeerNetwork(second)) == isOne)
    }

    @Test func loopbackAddresses() {
        #expect(["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"].allSatisfy { PeerNetwork($0).isLoopback })
        #expect(!["128.0.0.1", "::2", "::", "", "1::1"].contains { PeerNetwork($0).isLoopback })
    }
}
