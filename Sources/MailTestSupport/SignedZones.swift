package import Foundation
package import MailDNS
import Synchronization

/// Zones under `zone.example`, signed for the occasion and served by NSD on a loopback port:
///
/// | zone | what it is |
/// |---|---|
/// | zone.example | signed; the trust anchor is its key |
/// | unsigned.zone.example | a delegation without DS, proved so |
/// | bogus.zone.example | signed, and changed after that |
/// | expired.zone.example | signed, and out of date |
/// | stripped.zone.example | DS in the parent, and no signatures |
package final class SignedZones: Sendable {
    package let port: Int
    /// The DS record of zone.example's key.
    package var anchor: String { state.withLock { $0.anchor } }
    private let records: String
    private let directory: URL
    private let state = Mutex(State())

    /// Signs the zones; takes some tenths of a second. Blocks.
    ///
    /// - Parameter records: further ones of zone.example, as in a zone file.
    package init(_ records: String = "") throws {
        self.records = records + "\n"
        directory = FileManager.default.temporaryDirectory.appending(path: "dns-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        port = try Self.freePort()
        try sign()
    }

    deinit {
        stop()
        try? FileManager.default.removeItem(at: directory)
    }

    private static func freePort() throws -> Int {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = loopback(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(descriptor, generic, length) == 0 && getsockname(descriptor, generic, &length) == 0
            }
        }
        guard bound else { throw Failure(description: "no port is free") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// A resolver that knows where the zones are, and trusts the parent's key.
    package func resolver(timeout: Duration = .seconds(60)) throws -> UnboundResolver {
        try UnboundResolver(options(timeout: timeout))
    }

    package func options(timeout: Duration = .seconds(60)) -> ResolverOptions {
        var options = ResolverOptions()
        options.trustAnchors = [anchor]
        for zone in Self.zones.keys { options.stubs[zone] = .init(address: "127.0.0.1", port: port) }
        options.timeout = timeout
        return options
    }

    private struct State {
        var anchor = ""
        /// A process group of its own: NSD is three processes.
        var server: ChildProcess?
    }

    private struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    // MARK: Zones

    private static let parent = "zone.example"
    private static let head = """
        $TTL 300
        @ IN SOA ns hostmaster 1 3600 600 86400 300
        @ IN NS ns
        ns IN A 127.0.0.1

        """

    private static let zones: [String: String] = [
        parent: """
        @ IN MX 20 mx2
        @ IN MX 10 mx1
        mx1 IN A 192.0.2.1
        mx1 IN AAAA 2001:db8::1
        mx2 IN A 192.0.2.2
        _25._tcp.mx1 IN TLSA 3 1 1 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
        alias IN CNAME mx1
        twice IN CNAME alias
        leaving IN CNAME host.unsigned
        _25._tcp.leaving IN TLSA 3 1 1 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff
        loop IN CNAME loop2
        loop2 IN CNAME loop
        null IN MX 0 .
        text IN TXT "v=STSv1; " "id=20260101;"
        _submissions._tcp IN SRV 10 5 465 mx1
        large IN TXT \(largeText)
        unsigned IN NS ns
        bogus IN NS ns
        expired IN NS ns
        stripped IN NS ns
        *.wild IN A 192.0.2.7

        """,
        "unsigned.zone.example": "@ IN MX 5 host\nhost IN A 192.0.2.9\n",
        "bogus.zone.example": "@ IN MX 5 host\nhost IN A 192.0.2.10\n",
        "expired.zone.example": "@ IN MX 5 host\nhost IN A 192.0.2.11\n",
        "stripped.zone.example": "@ IN MX 5 host\nhost IN A 192.0.2.12\n",
    ]

    /// More than any datagram holds.
    private static let largeText = (0..<40).map { "\"\(String(repeating: "x", count: 200))\($0)\"" }
        .joined(separator: " ")

    private func sign() throws {
        var delegations = ""
        for (zone, records) in Self.zones where zone != Self.parent {
            try write(zone, Self.head + records)
            guard zone != "unsigned.zone.example" else { continue }
            let key = try makeKey(zone)
            delegations += try String(contentsOf: directory.appending(path: key + ".ds"), encoding: .utf8)
            if zone == "stripped.zone.example" { continue }
            let isExpired = zone == "expired.zone.example"
            try sign(zone, key, isExpired ? ["-i", "20200101000000", "-e", "20200201000000"] : [])
        }
        // After signing, as an attacker on the way would.
        let bogus = directory.appending(path: "bogus.zone.example")
        let signed = try String(contentsOf: bogus, encoding: .utf8)
        try signed.replacing("192.0.2.10", with: "192.0.2.66").write(to: bogus, atomically: true, encoding: .utf8)

        try write(Self.parent, Self.head + (Self.zones[Self.parent] ?? "") + records + delegations)
        let key = try makeKey(Self.parent)
        try sign(Self.parent, key, [])
        let anchor = try String(contentsOf: directory.appending(path: key + ".ds"), encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        state.withLock { $0.anchor = anchor }
    }

    private func write(_ zone: String, _ text: String) throws {
        try "$ORIGIN \(zone).\n\(text)".write(to: directory.appending(path: zone), atomically: true, encoding: .utf8)
    }

    private func makeKey(_ zone: String) throws -> String {
        try run("/usr/bin/ldns-keygen", ["-a", "ECDSAP256SHA256", "-k", zone])
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func sign(_ zone: String, _ key: String, _ options: [String]) throws {
        try run("/usr/bin/ldns-signzone", options + ["-n", "-o", zone, "-f", zone + ".signed", zone, key])
        let signed = directory.appending(path: zone + ".signed")
        try Data(contentsOf: signed).write(to: directory.appending(path: zone))
    }

    @discardableResult
    private func run(_ program: String, _ arguments: [String]) throws -> String {
        try Self.run(program, arguments, in: directory)
    }

    /// What a program says, when it succeeds.
    @discardableResult
    package static func run(_ program: String, _ arguments: [String], in directory: URL? = nil) throws -> String {
        let process = ChildProcess(program, arguments)
        let output = ProgramPipe()
        process.currentDirectoryURL = directory
        process.standardOutput = output
        try process.run()
        let text = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else { throw Failure(description: "\(program) \(arguments)") }
        return String(decoding: text, as: UTF8.self)
    }

    // MARK: The server

    /// Blocks until the server answers.
    package func start() throws {
        var configuration = """
            server:
              ip-address: 127.0.0.1@\(port)
              username: ""
              server-count: 1
              zonesdir: "\(directory.path)"
              database: ""
              pidfile: "\(directory.path)/nsd.pid"
              xfrdfile: "\(directory.path)/xfrd.state"
              zonelistfile: "\(directory.path)/zone.list"
              logfile: "\(directory.path)/nsd.log"
              rrl-ratelimit: 0
            remote-control:
              control-enable: no

            """
        for zone in Self.zones.keys { configuration += "zone:\n  name: \(zone)\n  zonefile: \(zone)\n" }
        let file = directory.appending(path: "nsd.conf")
        try configuration.write(to: file, atomically: true, encoding: .utf8)
        let server = ChildProcess("/usr/sbin/nsd", ["-d", "-c", file.path])
        server.leadsGroup = true
        try server.run()
        state.withLock { $0.server = server }
        try waitUntilListening()
    }

    /// Its sockets are there before it serves; what is asked meanwhile waits in them.
    private func waitUntilListening() throws {
        let end = ContinuousClock.now + .seconds(60)
        while !accepts() {
            guard ContinuousClock.now < end else { throw Failure(description: "nsd does not listen") }
            usleep(5000)
        }
        let answer = try run("/usr/bin/drill", ["-t", "-p", "\(port)", "@127.0.0.1", Self.parent, "SOA"])
        guard answer.contains("ANSWER: 1") else { throw Failure(description: "nsd does not serve") }
    }

    private func accepts() -> Bool {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        var address = Self.loopback(port)
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                connect(descriptor, generic, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    package func stop() {
        state.withLock { $0.server.take() }?.killGroup()
    }
}
