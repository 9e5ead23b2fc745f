import Foundation
import MailDNS
import MailTestSupport
import Testing

@testable import MailRelay

/// Policy files over real HTTPS, from a foreign web server on loopback.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct HTTPSFetchTests {
    @Test("A policy is fetched from the right host alone, and nothing else is taken for one")
    func fetches() async throws {
        let server = try await blocking { try WebServer() }
        defer { server.stop() }
        let resolver = ScriptedResolver()
        for domain in ["good", "moved", "missing", "html", "large", "wrongname"] {
            resolver.setAddress("mta-sts.\(domain).example", [127, 0, 0, 1], .insecure)
        }
        let fetcher = HTTPSPolicyFetcher(
            resolver: resolver, trustRootsFile: server.certificate, port: server.port, allowsLoopback: true)
        let text = try await fetcher.fetch("good.example")
        #expect(STSPolicy(text)?.mode == .enforce)
        for domain in ["moved", "missing", "html", "large", "nowhere"] {
            do {
                _ = try await fetcher.fetch("\(domain).example")
                Issue.record("\(domain) is taken")
            } catch {
                guard case .unreachable = error else {
                    Issue.record("\(domain): \(error)")
                    continue
                }
            }
        }
        await #expect(
            throws: STSFetchFailure.untrusted(reason: "the certificate of mta-sts.wrongname.example does not hold")
        ) {
            try await fetcher.fetch("wrongname.example")
        }
        let suspicious = HTTPSPolicyFetcher(resolver: resolver, port: server.port, allowsLoopback: true)
        await #expect(
            throws: STSFetchFailure.untrusted(reason: "the certificate of mta-sts.good.example does not hold")
        ) {
            try await suspicious.fetch("good.example")
        }
        let careful = HTTPSPolicyFetcher(resolver: resolver, trustRootsFile: server.certificate, port: server.port)
        await #expect(throws: STSFetchFailure.unreachable(reason: "mta-sts.good.example has no address")) {
            try await careful.fetch("good.example")
        }

        let exchange = HTTPSExchange(resolver: resolver, trustRootsFile: server.certificate, allowsLoopback: true)
        let uploader = HTTPSReportUploader(exchange: exchange)
        #expect(await uploader.upload([1, 2, 3], host: "mta-sts.good.example", port: server.port, path: "/report"))
        #expect(await !uploader.upload([1, 2, 3], host: "mta-sts.missing.example", port: server.port, path: "/report"))
    }
}

/// Python's web server.
private final class WebServer: Sendable {
    let port: Int
    let certificate: String
    private let directory: String
    private let process: ChildProcess

    private static let script = """
        import http.server, ssl, sys
        policy = b"version: STSv1\\r\\nmode: enforce\\r\\nmx: mx.good.example\\r\\nmax_age: 86400\\r\\n"
        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_): pass
            def answer(self, status, type, body, **fields):
                self.send_response(status)
                self.send_header("Content-Type", type)
                self.send_header("Content-Length", str(len(body)))
                for name, value in fields.items(): self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
            def do_GET(self):
                host = self.headers["Host"].split(":")[0].split(".")[1]
                if self.path != "/.well-known/mta-sts.txt": self.answer(500, "text/plain", b"")
                elif host == "good": self.answer(200, "text/plain; charset=utf-8", policy)
                elif host == "moved": self.answer(302, "text/plain", policy, Location="/.well-known/mta-sts.txt")
                elif host == "html": self.answer(200, "text/html", policy)
                elif host == "large": self.answer(200, "text/plain", policy + b" " * 100_000)
                else: self.answer(404, "text/plain", policy)
            def do_POST(self):
                host = self.headers["Host"].split(":")[0].split(".")[1]
                body = self.rfile.read(int(self.headers["Content-Length"]))
                good = self.headers["Content-Type"] == "application/tlsrpt+gzip" and body == bytes([1, 2, 3])
                self.answer(201 if good and host == "good" else 404, "text/plain", b"")
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
        server.socket = context.wrap_socket(server.socket, server_side=True)
        open(sys.argv[3] + ".new", "w").write(str(server.server_port))
        import os; os.rename(sys.argv[3] + ".new", sys.argv[3])
        server.serve_forever()
        """

    init() throws {
        directory = FileManager.default.temporaryDirectory.appending(path: "web-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        certificate = directory + "/certificate.pem"
        let names = ["good", "moved", "missing", "html", "large"].map { "DNS:mta-sts.\($0).example" }
        let request = ChildProcess(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                "-subj", "/CN=web", "-addext", "subjectAltName=" + names.joined(separator: ","),
                "-keyout", directory + "/key.pem", "-out", certificate,
            ])
        request.isQuiet = true
        try request.run()
        request.waitUntilExit()
        let portFile = directory + "/port"
        process = ChildProcess("/usr/bin/python3", ["-c", Self.script, certificate, directory + "/key.pem", portFile])
        process.isQuiet = true
        process.leadsGroup = true
        try process.run()
        let end = ContinuousClock.now + .seconds(60)
        var text: String?
        while text == nil, ContinuousClock.now < end {
            usleep(20_000)
            text = try? String(contentsOfFile: portFile, encoding: .utf8)
        }
        port = try #require(text.flatMap { Int($0) })
    }

    func stop() {
        process.killGroup()
        try? FileManager.default.removeItem(atPath: directory)
    }
}
