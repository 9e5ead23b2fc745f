@testable import MailClient
import MailDNS
import MailDelivery
@testable import MailRelay
import MailVocabulary
import MessageFormat
import SASL
import SMTPSyntax
import WireFraming

// What others say to this server when it is the client: the first octet chooses who, the rest is what he says. Nothing may
// trap, and no password may be said without TLS.

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>, _ count: Int) -> Int32 {
    guard count > 1 else { return 0 }
    let bytes = Array(UnsafeBufferPointer(start: start + 1, count: count - 1))
    switch start.pointee % 6 {
    case 0: server(start.pointee / 6, bytes)
    case 1: milter(bytes)
    case 2: policies(bytes)
    case 3: report(bytes)
    case 4: records(bytes)
    case _: lines(bytes)
    }
    return 0
}

/// An SMTP or LMTP server.
private func server(_ choice: UInt8, _ bytes: [UInt8]) {
    let securities: [SMTPClientSettings.Security] = [.cleartext, .opportunistic, .startTLS, .implicitTLS]
    var settings = SMTPClientSettings(security: securities[Int(choice & 3)], name: "client.example")
    if choice & 4 != 0 { settings.dialect = .lmtp }
    if choice & 8 != 0 {
        settings.credentials = PasswordCredentials(
            authenticationIdentity: "user", password: Secret(Array("secret".utf8)))
    }
    var session = SMTPClientSession(settings)
    var output = OutputBuffer()
    var position = 0
    var said: [UInt8] = []
    var step = SMTPClientStep.needInput
    while true {
        said += output.take()
        switch step {
        case .needInput:
            guard position < bytes.count else { return }
            var consumed = 0
            step = session.received(bytes[position...].span, consumed: &consumed, &output)
            position += consumed
            if consumed == 0, step == .needInput { return }
        case .startTLS:
            said = []
            step = session.secured(&output)
        case .ready:
            precondition(!session.isAuthenticated || session.isSecured, "a password in the clear")
            _ = session.takeAnswers()
            guard session.transactions < 3, let message = transaction() else { return }
            step = session.begin(message, &output)
        case .sendBody:
            step = session.body(Array("a: b\r\n\r\n.\r\n".utf8).span, &output)
            if step == .sendBody { step = session.bodyEnded(&output) }
        case .failed, .ended:
            precondition(session.takeAnswers().count < 4)
            return
        }
    }
}

private func transaction() -> SMTPTransaction? {
    guard let ann = Address("ann@x.example"), let bob = Address("bob@y.example") else { return nil }
    var envelope = SMTPEnvelope(reversePath: .mailbox(SMTPMailbox(ann)))
    envelope.identifier = "id"
    envelope.deadline = DeliveryDeadline(time: 1000, mode: .notified)
    let recipients = [SMTPRecipient(mailbox: SMTPMailbox(ann)), SMTPRecipient(mailbox: SMTPMailbox(bob))]
    let parameters = CommandWriter.MailParameters(size: 13, body: .sevenBit, isInternationalized: false, now: 0)
    return SMTPTransaction(envelope: envelope, recipients: recipients, parameters: parameters)
}

/// A content filter.
private func milter(_ bytes: [UInt8]) {
    var machine = MilterMachine()
    _ = machine.negotiate()
    machine.receive(bytes)
    do throws(MilterError) {
        let events: [MilterEvent] = [
            .hello("x"), .sender(["<a@x.example>"]), .recipient(["<b@x.example>"]), .data,
            .header(name: [0x41], value: [0x62]), .endOfHeader, .body([0x63]), .endOfMessage,
        ]
        while try machine.next() != nil, machine.isAwaiting {}
        for event in events {
            _ = try machine.tell(event, MilterMacros())
            while machine.isAwaiting { guard try machine.next() != nil else { return } }
        }
    } catch {}
}

/// What a domain publishes.
private func policies(_ bytes: [UInt8]) {
    if let policy = STSPolicy(bytes) { precondition(policy.maximumAge >= 0) }
    let texts = bytes.split(separator: 0).map { Array($0) }
    _ = STSRecord(texts)
    _ = TLSReportRecord(texts)
}

/// A notice with what others said in it: lines that any server takes, and a shape that no text breaks.
private func report(_ bytes: [UInt8]) {
    let parts = bytes.split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    func part(_ index: Int) -> String { index < parts.count ? parts[index] : "" }
    let actions: [DeliveryReport.Action] = [.failed, .delayed, .delivered, .relayed, .expanded]
    let time = Timestamp(seconds: 1_700_000_000)
    var report = DeliveryReport(
        actions[bytes.count % actions.count], host: "mail.x.example", sender: "ann@x.example",
        recipients: [
            DeliveryReport.Recipient(
                address: part(0), original: part(1), status: "5.0.0", diagnostic: part(2), remoteHost: part(3),
                lastAttempt: time)
        ], date: time, messageID: "1@mail.x.example", boundary: "=_boundary", arrival: time,
        returned: Array(part(4).utf8))
    report.envelopeIdentifier = part(5)
    report.returnsAll = bytes.count % 2 == 0
    let octets = report.encoded()
    var scan = BodyScan()
    scan.add(octets.span)
    scan.finish()
    precondition(scan.isLines && !scan.has8Bit && scan.longestLine <= 998, "a notice that cannot be sent")
}

private func records(_ bytes: [UInt8]) {
    let types: [DNSRecordType] = [.a, .aaaa, .cname, .mx, .srv, .txt, .tlsa, .soa]
    _ = DNSRecordData(Array(bytes[1...]), types[Int(bytes[0]) % types.count])
    _ = DNSName.ascii(String(decoding: bytes, as: UTF8.self))
}

/// A message for a server that takes neither 8-bit octets nor long lines.
private func lines(_ bytes: [UInt8]) {
    let target: ReencodingTarget = bytes[0] & 1 == 0 ? .sevenBit : .eightBit
    var plan = ReencodingPlan(target, longestLine: 100)
    do throws(ReencodingFailure) {
        try plan.add(bytes.span)
        try plan.finish()
        var reencoder = MessageReencoder(plan)
        let octets = try reencoder.convert(bytes.span) + (try reencoder.finish())
        var scan = BodyScan()
        scan.add(octets.span)
        scan.finish()
        precondition(scan.isLines && scan.longestLine <= 100 && !(target == .sevenBit && scan.has8Bit), "not fit")
    } catch {}
}
