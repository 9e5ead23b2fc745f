import Foundation
import Glibc
import Logging
import MailDNS
import MailTestSupport
import Testing

@testable import ProviderTools

@Suite("Answering challenges")
struct ChallengeTests {
    let directory: TemporaryDirectory
    private let proof = ChallengeProof(domain: "mail.example.org", token: "t0ken-_", keyAuthorization: "t0ken-_.thumb")

    init() throws { directory = try TemporaryDirectory() }

    /// RFC 8555 §8.3, §8.4.
    @Test func proofs() {
        #expect(proof.recordName == "_acme-challenge.mail.example.org")
        // printf t0ken-_.thumb | openssl dgst -sha256 -binary | basenc --base64url
        #expect(proof.recordValue == "Y__gP6-I_9CPwP4VIDlzH4yR8p7-xauCyCk8rqamlOY")
        #expect(ChallengeProof.isToken("abc-_09"))
        for text in ["", "a/b", "a.b", "a b", "a=", String(repeating: "a", count: 300)] {
            #expect(!ChallengeProof.isToken(text), "\(text)")
        }
    }

    // MARK: http-01

    private func freePort() async throws -> Int { try await blocking { try boundSocket().port } }

    /// What a server answers, whole.
    private func ask(_ port: Int, _ request: String) async throws -> String {
        try await blocking {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            defer { close(descriptor) }
            var address = loopback(port)
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard result == 0 else { return "no connection" }
            let octets = Array(request.utf8)
            _ = octets.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            var answer: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = recv(descriptor, &buffer, buffer.count, 0)
                guard count > 0 else { break }
                answer += buffer.prefix(count)
            }
            return String(decoding: answer, as: UTF8.self)
        }
    }

    private func get(_ path: String, method: String = "GET") -> String {
        "\(method) \(path) HTTP/1.1\r\nHost: mail.example.org\r\nConnection: close\r\n\r\n"
    }

    private func checkAnswers(_ challenges: HTTPChallenges, _ port: Int) async throws {
        try await challenges.put([proof])
        let path = "/.well-known/acme-challenge/t0ken-_"
        let good = try await ask(port, get(path))
        #expect(good.hasPrefix("HTTP/1.1 200 "))
        #expect(good.lowercased().contains("content-type: application/octet-stream"))
        #expect(good.hasSuffix("\r\n\r\nt0ken-_.thumb"))
        for other in [
            "/", "/.well-known/acme-challenge/", path + "x", "/.well-known/acme-challenge/../t0ken-_", "/" + path,
        ] {
            #expect(try await ask(port, get(other)).hasPrefix("HTTP/1.1 404 "), "\(other)")
        }
        #expect(try await ask(port, get(path, method: "POST")).hasPrefix("HTTP/1.1 405 "))
        #expect(try await ask(port, "nonsense\r\n\r\n").hasPrefix("HTTP/1.1 400 "))
        #expect(!(try await ask(port, get("/" + String(repeating: "a", count: 100_000))).hasPrefix("HTTP/1.1 200 ")))
        await challenges.remove([proof])
    }

    @Test func httpAnswersOnlyTokensAndOnlyWhilePending() async throws {
        let port = try await freePort()
        let challenges = HTTPChallenges(
            [.address(Endpoint(host: "127.0.0.1", port: port))], logger: Logger(label: "test"))
        #expect(try await ask(port, get("/")) == "no connection")
        try await checkAnswers(challenges, port)
        #expect(try await ask(port, get("/")) == "no connection")
        // Again, as for the next renewal.
        try await checkAnswers(challenges, port)
    }

    /// As by socket activation, without the right to open port 80.
    @Test func httpAnswersOnASocketThatWasPassedIn() async throws {
        let (descriptor, port) = try await blocking { try boundSocket(listens: true) }
        defer { close(descriptor) }
        let challenges = HTTPChallenges([.socket(descriptor)], logger: Logger(label: "test"))
        try await checkAnswers(challenges, port)
        try await checkAnswers(challenges, port)
    }

    @Test func aTakenPortIsExplained() async throws {
        let (descriptor, port) = try await blocking { try boundSocket(listens: true) }
        defer { close(descriptor) }
        let challenges = HTTPChallenges(
            [.address(Endpoint(host: "127.0.0.1", port: port))], logger: Logger(label: "test"))
        await #expect {
            try await challenges.put([self.proof])
        } throws: { error in
            "\(error)".contains("another program listens there")
        }
    }

    // MARK: Hook

    private func hook(_ script: String, seconds: Int = 60) throws -> HookChallenges {
        let file = try directory.write("#!/bin/sh\n" + script, to: "hook")
        chmod(file, 0o755)
        return HookChallenges(
            command: [file, "an argument; $HOME"], timeLimit: .seconds(seconds), logger: Logger(label: "test"),
            visibility: nil)
    }

    @Test func hooksAreToldWhatToDo() async throws {
        let seen = directory.path + "/seen"
        let hook = try hook("{ echo \"$1\"; env | grep LATCHMAIL_ | sort; } >> \(seen)\n")
        try await hook.put([proof])
        await hook.remove([proof])
        let text = try String(contentsOfFile: seen, encoding: .utf8)
        #expect(text.contains("an argument; $HOME\n"))
        #expect(text.contains("LATCHMAIL_ACTION=add\n"))
        #expect(text.contains("LATCHMAIL_ACTION=remove\n"))
        #expect(text.contains("LATCHMAIL_DOMAIN=mail.example.org\n"))
        #expect(text.contains("LATCHMAIL_RECORD=_acme-challenge.mail.example.org\n"))
        #expect(text.contains("LATCHMAIL_VALUE=\(proof.recordValue)\n"))
    }

    @Test(arguments: [("exit 3", "status 3"), ("kill -9 $$", "signal 9")])
    func failuresOfHooksAreSaid(script: String, reason: String) async throws {
        let hook = try hook(script)
        await #expect {
            try await hook.put([self.proof])
        } throws: { error in
            "\(error)".contains(reason)
        }
    }

    @Test func hooksThatHangAreEnded() async throws {
        let hook = try hook("trap '' TERM\nwhile :; do sleep 1; done\n", seconds: 1)
        await #expect {
            try await hook.put([self.proof])
        } throws: { error in
            "\(error)".contains("took longer than 1 s")
        }
    }

    @Test func missingHooksAreSaid() async throws {
        let hook = HookChallenges(
            command: ["/nonexistent/hook"], timeLimit: .seconds(5), logger: Logger(label: "test"), visibility: nil)
        await #expect {
            try await hook.put([self.proof])
        } throws: { error in
            "\(error)".contains("/nonexistent/hook cannot be run")
        }
    }

    // MARK: Zones

    @Test func aliasesAndZonesAreFollowed() async throws {
        let resolver = ScriptedResolver()
        resolver.set("_acme-challenge.mail.example.org", .cname, [.name("mail.acme.example.net")])
        let authority = DNSMessage.name("ns.example.net") + DNSMessage.name("hostmaster.example.net")
        resolver.set("example.net", .soa, [.other(authority + [UInt8](repeating: 0, count: 20))])
        resolver.set("example.net", .ns, [.name("ns.example.net")])
        resolver.setAddress("ns.example.net", [192, 0, 2, 1])
        let zones = ZoneServers(resolver: resolver)
        let target = try await zones.target(of: "_acme-challenge.mail.example.org")
        #expect(target == "mail.acme.example.net")
        let zone = try await zones.zone(of: target)
        #expect(zone.zone == "example.net")
        #expect(zone.primary == "ns.example.net")
        #expect(try await zones.servers(of: "example.net").map(\.addresses) == [[[192, 0, 2, 1]]])
        #expect(try await zones.addresses(of: "127.0.0.1") == [[127, 0, 0, 1]])
    }

    @Test func aliasesThatGoRoundEnd() async throws {
        let resolver = ScriptedResolver()
        resolver.set("a.example", .cname, [.name("b.example")])
        resolver.set("b.example", .cname, [.name("a.example")])
        await #expect(throws: ACMEError.self) { try await ZoneServers(resolver: resolver).target(of: "a.example") }
        await #expect(throws: ACMEError.self) { try await ZoneServers(resolver: resolver).zone(of: "c.example") }
    }

    @Test func bogusZonesAreNotUpdated() async throws {
        let resolver = ScriptedResolver()
        resolver.set("a.example", .cname, [], .bogus(reason: "expired"))
        await #expect {
            try await ZoneServers(resolver: resolver).target(of: "a.example")
        } throws: { error in
            "\(error)".contains("DNSSEC")
        }
    }
}

private func loopback(_ port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return address
}

/// On a free port of loopback. One that does not listen is closed again: nobody is there.
private func boundSocket(listens: Bool = false) throws -> (descriptor: Int32, port: Int) {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = loopback(0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
        }
    }
    try #require(result)
    if listens { try #require(listen(descriptor, 16) == 0) } else { close(descriptor) }
    return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
}
