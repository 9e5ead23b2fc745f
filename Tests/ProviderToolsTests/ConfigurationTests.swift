import Foundation
import MailVocabulary
import ProviderTools
import TLSPolicy
import Testing

@Suite("Configuration file")
struct ConfigurationTests {
    private func problems(_ yaml: String, environment: [String: String] = [:]) -> [String] {
        do {
            _ = try ConfigurationFile.parse(yaml, file: "f.yaml", environment: environment)
            return []
        } catch let error as ConfigurationProblems {
            return error.problems.map(\.description)
        } catch {
            return ["\(error)"]
        }
    }

    @Test func everyKeyIsOptional() throws {
        #expect(try ConfigurationFile.parse("", file: "f") == ServerConfiguration())
        #expect(try ConfigurationFile.parse("tls:\n# nothing\n", file: "f") == ServerConfiguration())
    }

    @Test func everyValueArrives() throws {
        let configuration = try ConfigurationFile.parse(
            """
            hostname: Mail.Example.ORG
            state-directory: /srv/mail
            default-domain: example.org
            tls: { certificate: /c.pem, key: /k.pem, minimum-version: 1.3 }
            listeners:
              imap: { implicit: ["*:1993", "[::1]:2993"], starttls: [] }
              pop3: { implicit: 1995 }
              submission:
                starttls: [192.0.2.1:1587]
            limits: { message-size: 10 MiB, connections: 7, connections-per-address: 3, unauthenticated-time: 2 min }
            imap: { unauthenticate: off, long-literals: off, message-limit: 5000, save-limit: 1000 }
            authentication: { cache: off, cache-expiry: 90 s }
            log: { level: debug, format: json }
            """, file: "f")
        var expected = ServerConfiguration()
        expected.hostname = "mail.example.org"
        expected.stateDirectory = "/srv/mail"
        expected.defaultDomain = .init("example.org")
        expected.certificateFile = "/c.pem"
        expected.keyFile = "/k.pem"
        expected.minimumTLSVersion = .tls13
        expected.imap.implicit = [Endpoint(host: nil, port: 1993), Endpoint(host: "::1", port: 2993)]
        expected.imap.startTLS = []
        expected.pop3.implicit = [Endpoint(host: nil, port: 1995)]
        expected.submission.startTLS = [Endpoint(host: "192.0.2.1", port: 1587)]
        expected.maximumMessageSize = 10 << 20
        expected.maximumConnections = 7
        expected.maximumConnectionsPerAddress = 3
        expected.unauthenticatedTime = .seconds(120)
        expected.offersUnauthenticate = false
        expected.offersLongLiterals = false
        expected.messageLimit = 5000
        expected.saveLimit = 1000
        expected.cachesVerifications = false
        expected.verificationExpiry = .seconds(90)
        expected.logLevel = .debug
        expected.logFormat = .json
        #expect(configuration == expected)
    }

    @Test("Standard ports are the default: Implicit TLS and STARTTLS for each protocol")
    func standardPorts() {
        let configuration = ServerConfiguration()
        #expect(
            configuration.listeners.map(\.endpoint.description) == [
                "*:993", "*:143", "*:995", "*:110", "*:465", "*:587",
            ])
    }

    @Test(arguments: [
        ("hostnam: a.example", "f.yaml:1: unknown key “hostnam”; did you mean “hostname”?"),
        ("# c\ntls:\n  certifcate: /x", "f.yaml:3: unknown key “tls.certifcate”; did you mean “tls.certificate”?"),
        ("certificate: /x", "f.yaml:1: unknown key “certificate”; did you mean “tls.certificate”?"),
        ("log:\n  zzzzzzzz: 1", "f.yaml:2: unknown key “log.zzzzzzzz”; valid here: format, level"),
        ("state-directory: mail", "f.yaml:1: “state-directory”: expected an absolute path, got mail"),
        (
            "log:\n  level: loud",
            "f.yaml:2: “log.level”: expected one of debug, info, notice, warning, error, got loud"
        ),
        ("tls:\n\n  minimum-version: 1.1", "f.yaml:3: “tls.minimum-version”: expected 1.2 or 1.3, got \"1.1\""),
        ("limits:\n  connections: -1", "f.yaml:2: “limits.connections”: expected a number from 1 to 1000000, got -1"),
        (
            "imap:\n  message-limit: 999",
            "f.yaml:2: “imap.message-limit”: expected none, or a number from 1000 to 4294967295, got 999"
        ),
        ("authentication:\n  cache: [on]", "f.yaml:2: “authentication.cache”: expected on or off, got [on]"),
        ("tls: 5", "f.yaml:1: “tls” consists of “key: value” lines"),
        ("- a", "f.yaml:1: a configuration consists of “key: value” lines"),
        ("hostname: a.example\nhostname: b.example", "f.yaml:1: given twice: hostname"),
    ])
    func mistakesNameFileLineAndKey(yaml: String, message: String) {
        #expect(problems(yaml) == [message])
    }

    @Test(arguments: ["a: [", "\t", "a: b: c", "\"", "&a *a", "hostname: \u{1}"])
    func notYAML(_ text: String) {
        #expect(problems(text).count == 1)
        #expect(problems(text)[0].hasPrefix("f.yaml"))
    }

    @Test func allMistakesAreReportedAtOnce() {
        #expect(problems("hostname: \"-\"\nlog:\n  level: x\n  format: y\n").count == 3)
    }

    @Test(arguments: ["x", "99999", "*:", ":993", "::1:993", "[::1:993", "a b:1", "-1", "1.2.3.4:65536"])
    func badEndpoints(_ text: String) {
        #expect(Endpoint(text) == nil)
    }

    @Test func environmentOverridesTheFile() throws {
        let configuration = try ConfigurationFile.parse(
            "tls: { key: /from-file }", file: "f", environment: ["LATCHMAIL_TLS_KEY": "/run/key", "PATH": "/bin"])
        #expect(configuration.keyFile == "/run/key")
        #expect(
            problems("", environment: ["LATCHMAIL_TLS_KEI": "/x"])
                == ["environment: unknown LATCHMAIL_TLS_KEI; did you mean LATCHMAIL_TLS_KEY?"])
        #expect(problems("", environment: ["LATCHMAIL_LOG_LEVEL": "x"]).count == 1)
    }

    @Test func noSwitchLetsPasswordsTravelInCleartext() {
        let keys = Settings.all.map(\.key)
        #expect(!keys.contains { $0.contains("plaintext") || $0.contains("cleartext") || $0.contains("insecure") })
    }

    @Test func sampleFileIsTheDefault() throws {
        #expect(try ConfigurationFile.parse(ConfigurationReference.sample, file: "sample") == ServerConfiguration())
        // Uncommented, every line with a value still is.
        let lines = ConfigurationReference.sample.split(separator: "\n").map { (line: Substring) -> String in
            let trimmed: Substring = line.drop { $0 == " " }
            let isSetting = Settings.all.contains {
                trimmed.hasPrefix("# \($0.key.split(separator: ".").last ?? ""): ")
            }
            return isSetting ? String(line.replacing("# ", with: "", maxReplacements: 1)) : String(line)
        }
        #expect(try ConfigurationFile.parse(lines.joined(separator: "\n"), file: "sample") == ServerConfiguration())
    }

    @Test func referenceIsUpToDate() throws {
        let file = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent().appending(
            path: "../../docs/configuration.md")
        #expect(
            try String(contentsOf: file.standardized, encoding: .utf8) == ConfigurationReference.markdown,
            "run: latchmaild config-reference > docs/configuration.md")
    }

    @Test func mutatedSamplesNeverCrash() {
        var generator = SystemRandomNumberGenerator()
        let sample = Array("tls: { certificate: /c, key: /k }\nlisteners:\n  imap:\n    implicit: [\"*:993\"]\n".utf8)
        for _ in 0..<2000 {
            var bytes = sample
            for _ in 0..<3 { bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(in: 0...255) }
            _ = problems(String(decoding: bytes, as: UTF8.self))
        }
    }
}
