import Foundation
import MailDelivery
import MailStore
import MailTestSupport
import MailVocabulary
import SMTPSyntax
import SessionRuntime
import Testing
import WireFraming

private let peersArePresent = [
    "/usr/sbin/opendkim", "/usr/lib/python3/dist-packages/Milter/__init__.py",
    "/usr/lib/python3/dist-packages/dkim/__init__.py",
].allSatisfy { FileManager.default.fileExists(atPath: $0) }

/// The client against filters that others wrote, over UNIX sockets: libmilter by way of pymilter, and OpenDKIM, whose
/// signatures a third program verifies.
@Suite(.enabled(if: peersArePresent)) struct MilterPeerTests {
    private static let scripts = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../EndToEnd/support").standardized

    /// A filter's process and directory, for one test.
    private final class Peer {
        let directory: URL
        private let process = ChildProcess()

        init(_ program: String, _ arguments: (URL) throws -> [String]) async throws {
            directory = URL(filePath: NSTemporaryDirectory()).appending(path: "milter-\(UUID().uuidString)")
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
            process.executableURL = URL(filePath: program)
            process.arguments = try arguments(directory)
            try process.run()
            let path = socket
            try await blocking {
                for _ in 0..<600 where !FileManager.default.fileExists(atPath: path) { usleep(100_000) }
            }
        }

        var socket: String { directory.appending(path: "socket").path }

        deinit {
            process.terminate()
            process.waitUntilExit()
            try? FileManager.default.removeItem(at: directory)
        }
    }

    private func send(
        _ text: String, through peer: Peer, _ runtime: ClientRuntime, sender: String = "ann@example.org", times: Int = 1
    ) async throws -> [(sender: FilterVerdict, message: FilteredMessage?)] {
        let filter = MilterFilter(
            [MilterSettings(try #require(MilterAddress("unix:\(peer.socket)")))],
            server: MilterServer(hostname: "mx.example.org", version: "1"), connector: runtime
        ) { Issue.record("\($0)") }
        defer { filter.close() }
        var results: [(FilterVerdict, FilteredMessage?)] = []
        for _ in 0..<times {
            let client = FilteredClient(
                name: "client.example", peer: "127.0.0.1", port: 4711, hostname: "localhost", login: "ann",
                mechanism: "PLAIN")
            let transaction = await filter.begin(client)
            let path = ReversePath.mailbox(SMTPMailbox(try #require(Address(sender))))
            let verdict = await transaction.sender(SMTPEnvelope(reversePath: path))
            var message: FilteredMessage?
            if verdict == .accept {
                let recipient = SMTPRecipient(mailbox: SMTPMailbox(try #require(Address("bob@example.net"))))
                #expect(await transaction.recipient(recipient) == .accept)
                message = await transaction.message(body(text), identifier: "id1") { CountingWriter() }
            }
            await transaction.finish()
            results.append((verdict, message))
        }
        return results
    }

    private func libmilter() async throws -> Peer {
        try await Peer("/usr/bin/python3") {
            [
                Self.scripts.appending(path: "pymilter.py").path, $0.appending(path: "socket").path,
                $0.appending(path: "record").path,
            ]
        }
    }

    private let trace = "Received: from client by mx.example.org; Sat, 21 Nov 2026 10:00:00 +0000\r\n"

    @Test func `is understood by libmilter, and understands all that it asks for`() async throws {
        let peer = try await libmilter()
        let runtime = ClientRuntime(loops: 1)
        let text =
            trace + "Subject:no space\r\nX-Do: add X-Added at the end\r\nX-Do: insert 1 X-Inserted below the trace\r\n"
            + "X-Do: change 1 Subject changed\r\nX-Do: change 2 X-Do\r\nX-Do: body 3 0123456789\r\n"
            + "X-Do: sender <new@example.org> RET=HDRS ENVID=by+20a+20filter\r\nX-Do: recipient <carl@example.net>\r\n"
            + "X-Do: remove <bob@example.net>\r\nX-Do: quarantine for a look\r\nX-Do: progress\r\n\r\nold\r\n"
        let results = try await send(text, through: peer, runtime, times: 3)
        for (_, message) in results {
            let message = try #require(message)
            #expect(message.verdict == .accept)
            #expect(message.sender?.reversePath.text == "<new@example.org>")
            #expect(message.sender?.returned == .headers && message.sender?.identifier == "by a filter")
            #expect(message.sender?.requiresTLS == false && message.sender?.priority == nil)
            #expect(message.addedRecipients.map(\.mailbox.description) == ["carl@example.net"])
            #expect(message.removedRecipients.map(\.description) == ["bob@example.net"])
            #expect(message.quarantine == "for a look")
            let changed = try #require(try message.body?.text)
            #expect(
                changed.hasPrefix(
                    trace + "X-Inserted: below the trace\r\nSubject: changed\r\n"
                        + "X-Do: add X-Added at the end\r\nX-Do: change 1 Subject changed\r\n"))
            let replaced = String(repeating: String(repeating: "0123456789", count: 5000) + "\r\n", count: 3)
            #expect(changed.hasSuffix("X-Do: progress\r\nX-Added: at the end\r\n\r\n" + replaced))
        }
        let record = try String(contentsOf: peer.directory.appending(path: "record"), encoding: .utf8)
        #expect(record.contains(#"["connect", "localhost", ["127.0.0.1", 4711], "mx.example.org", "submission"]"#))
        #expect(record.contains(#"["sender", "<ann@example.org>", [], "ann"]"#))
        #expect(record.contains(#"["data", "id1"]"#))
        #expect(record.contains(#"["header", "Subject", "no space"]"#))
        #expect(!record.contains("Received"))
        // Three clients, and no message was called off.
        #expect(record.components(separatedBy: #"["connect""#).count == 4)
        #expect(!record.contains("abort"))
    }

    @Test func `tells libmilter long bodies in pieces until it has seen enough`() async throws {
        let peer = try await libmilter()
        let runtime = ClientRuntime(loops: 1)
        let long = String(repeating: "0123456789abcd\r\n", count: 20_000)
        _ = try await send(trace + "Subject: x\r\n\r\n" + long, through: peer, runtime)
        _ = try await send(trace + "X-Do: skip\r\n\r\n" + long, through: peer, runtime)
        let record = try String(contentsOf: peer.directory.appending(path: "record"), encoding: .utf8)
        #expect(record.contains(#"["end", 320000]"#))
        #expect(record.contains(#"["end", 65535]"#))
    }

    @Test(arguments: [("reject", 550), ("tempfail", 451), ("discard", 0)])
    func `does as libmilter answers`(_ wish: String, _ code: Int) async throws {
        let peer = try await libmilter()
        let runtime = ClientRuntime(loops: 1)
        let results = try await send(trace + "X-Do: \(wish)\r\n\r\ntext\r\n", through: peer, runtime, times: 2)
        for (_, message) in results {
            if case .refuse(let reply)? = message?.verdict {
                #expect(Int(reply.code) == code)
            } else {
                #expect(message?.verdict == .discard && code == 0)
            }
        }
        let refused = try await send("", through: peer, runtime, sender: "reject-sender@example.org")
        #expect(
            refused.first?.sender
                == .refuse(SMTPReply(550, EnhancedStatus(7, 1), lines: ["No 100% welcome", "not at all"])))
    }

    private static func run(_ program: String, _ arguments: [String], input: String = "") throws -> Int32 {
        let (process, pipe) = (ChildProcess(), ProgramPipe())
        process.executableURL = URL(filePath: program)
        process.arguments = arguments
        process.standardInput = pipe
        process.isQuiet = true
        try process.run()
        try pipe.fileHandleForWriting.write(contentsOf: Data(input.utf8))
        try pipe.fileHandleForWriting.close()
        process.waitUntilExit()
        return process.terminationStatus
    }

    @Test(arguments: ["simple/simple", "relaxed/relaxed"])
    func `lets OpenDKIM sign, by what another program holds valid`(_ canonicalization: String) async throws {
        let runtime = ClientRuntime(loops: 1)
        let peer = try await Peer("/usr/sbin/opendkim") { directory in
            let key = directory.appending(path: "key.pem").path
            _ = try Self.run("/usr/bin/openssl", ["genrsa", "-out", key, "2048"])
            let configuration = """
                Canonicalization \(canonicalization)
                Domain example.org
                Selector s1
                KeyFile \(key)
                Mode s
                Socket local:\(directory.path)/socket
                InternalHosts 127.0.0.1
                Background no
                Syslog no
                RequireSafeKeys no
                """
            try configuration.write(to: directory.appending(path: "conf"), atomically: true, encoding: .utf8)
            return ["-f", "-x", directory.appending(path: "conf").path]
        }
        let text =
            trace + "From: Ann <ann@example.org>\r\nTo:bob@example.net\r\nSubject: folded\r\n\t field  \r\n"
            + "Date: Sat, 21 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.org>\r\n\r\nline  \r\n\r\n\r\n"
        for (_, message) in try await send(text, through: peer, runtime, times: 2) {
            let signed = try #require(try message?.body?.text)
            #expect(signed.hasPrefix("DKIM-Signature: ") && signed.contains("\r\n" + trace))
            #expect(signed.hasSuffix(text.dropFirst(trace.count)))
            let checker = """
                import sys, subprocess, dkim
                key = subprocess.run(["openssl", "rsa", "-in", sys.argv[1], "-pubout", "-outform", "DER"],
                                     capture_output=True, check=True).stdout
                import base64
                record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(key)
                valid = dkim.verify(sys.stdin.buffer.read(), dnsfunc=lambda name, timeout=5: record)
                sys.exit(0 if valid else 1)
                """
            let key = peer.directory.appending(path: "key.pem").path
            let check: @Sendable (String) throws -> Int32 = {
                try Self.run("/usr/bin/python3", ["-c", checker, key], input: $0)
            }
            let valid = try await blocking { try check(signed) }
            #expect(valid == 0)
            let altered = try await blocking { try check(signed.replacing("line", with: "lime")) }
            #expect(altered == 1)
        }
    }
}
