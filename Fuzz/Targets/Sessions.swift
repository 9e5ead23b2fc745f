import Dispatch
import IMAPServer
import MailDelivery
import MailStore
import MailTestSupport
import MailVocabulary
import MessageFormat
import POP3Server
import SASL
import SubmissionServer
import TLSPolicy
import WireFraming

// A whole dialogue: the first octet chooses the protocol, whether TLS is on, whether someone is logged in, and how IMAP
// is set up; the rest is what the client sends. Nothing may trap, and no cleartext session may ever be authenticated.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    guard count > 1 else { return 0 }
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    let done = DispatchSemaphore(value: 0)
    Task.detached {
        await play(choice: input[0], Array(input[1...]))
        done.signal()
    }
    done.wait()
    return 0
}

private struct AnyPassword: PasswordDecision {
    let account: Account
    func decide(_ credentials: PasswordCredentials) async -> AuthenticationStep {
        credentials.password.count == 1 ? .admitted(account) : .refused("wrong")
    }
}

private func play(choice: UInt8, _ bytes: [UInt8]) async {
    let store = InMemoryStore()
    guard let domain = Domain("x.test"), let account = await prepared(store, domain) else { return }
    let tls = choice & 4 == 0 ? nil : TLSDescription(version: .tls13, cipherSuite: CipherSuite(0x1301))
    let context = SessionContext(hostname: "mail.x.test", tls: tls, canStartTLS: tls == nil)
    let door = AnyPassword(account: account)
    let isIn = choice & 8 != 0 && tls != nil
    switch choice & 3 {
    case 0:
        let service = POP3Service(store: store, authenticator: door)
        var driver = SessionDriver(POP3Session(context, authenticator: door), service: service)
        await run(&driver, login: isIn ? "USER u\r\nPASS p\r\n" : "", bytes, secured: tls != nil)
    case 1:
        var delivery = DeliverySettings()
        delivery.relaysElsewhere = choice & 16 != 0
        let acceptance = Acceptance(
            store: store, queue: store, settings: delivery, now: { Timestamp(seconds: 1_700_000_000) })
        let service = SubmissionService(
            acceptance: acceptance, store: store, authenticator: door,
            settings: SubmissionSettings(role: choice & 32 != 0 ? .lmtp : .submission))
        var driver = SessionDriver(service.session(context), service: service)
        await run(
            &driver, login: isIn ? "EHLO x\r\nAUTH PLAIN AHUAcA==\r\n" : "", bytes,
            secured: tls != nil || choice & 32 != 0)
    case _:
        let service = IMAPService(store: store, authenticator: door, now: { Timestamp(seconds: 1_700_000_000) })
        var settings = IMAPSettings()
        settings.urlAuthentication = { _, text in Array(text.suffix(16)) }
        if choice & 16 != 0 {
            settings.messageLimit = .processed(1)
            settings.offersLongLiterals = false
        }
        var driver = SessionDriver(
            IMAPSession(context: context, settings: settings, store: store, authenticator: door), service: service)
        await run(&driver, login: isIn ? "a LOGIN u p\r\nb SELECT INBOX\r\n" : "", bytes, secured: tls != nil)
    }
}

private func run<Session: ProtocolSession & ~Copyable, Service: SessionService>(
    _ driver: inout SessionDriver<Session, Service>, login: String, _ bytes: [UInt8], secured: Bool
) async {
    _ = await driver.connect()
    _ = await driver.send(Array(login.utf8))
    _ = await driver.send(bytes)
    precondition(secured || driver.awaitsHandshake || !driver.session.isAuthenticated, "authenticated without TLS")
    _ = await driver.deliverChanges()
}

private func prepared(_ store: InMemoryStore, _ domain: Domain) async -> Account? {
    let verifier = SCRAMVerifier(salt: [], iterations: 1, storedKey: [], serverKey: [])
    let credentials = StoredCredentials(argon2id: "", scramSHA256: verifier)
    try? await store.addDomain(domain)
    let accounts = try? await store.addAccounts(
        ["u", "v"].map { (Address(localPart: $0, domain: domain), credentials) })
    guard let account = accounts?.first, let inbox = try? await store.mailbox(.inbox, of: account.id) else {
        return nil
    }
    let text =
        "Subject: a\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n\r\ntwo\r\n--b--\r\n"
    let body = InMemoryBody(Array(text.utf8))
    let message = NewMessage(
        body: body, internalDate: Timestamp(seconds: 0),
        summary: MessageSummary(parsing: Array(text.utf8).span).encoded())
    _ = try? await store.append([(inbox.id, [message, message])])
    return account
}
