import MailDelivery
import SMTPSyntax
import Testing

/// Packets made by hand from descriptions of the protocol: this client is not the judge of its own octets.
@Suite struct MilterMachineTests {
    @Test func `offers version 6 with all actions and steps`() {
        var machine = MilterMachine()
        #expect(
            machine.negotiate() == [
                0, 0, 0, 13, 0x4F, 0, 0, 0, 6, 0, 0, 1, 0xFF, 0x30, 0x1F, 0xF7, 0xFF,
            ])
    }

    private func machine(options: UInt32 = 0, actions: UInt32 = 0x1FF, macros: [UInt8] = []) throws -> MilterMachine {
        var machine = MilterMachine()
        _ = machine.negotiate()
        machine.receive(agreement(actions: actions, options: options, macros: macros))
        #expect(try machine.next() == .negotiated)
        return machine
    }

    @Test func `tells of a client with its address`() throws {
        var machine = try machine()
        let four = try machine.tell(
            .connect(hostname: "mail.example", peer: "192.0.2.1", port: 0x1234), MilterMacros())
        #expect(
            four == [0, 0, 0, 27, 0x43] + Array("mail.example\0".utf8) + [0x34, 0x12, 0x34] + Array("192.0.2.1\0".utf8))
    }

    @Test func `tells of a client with an IPv6 address, and of one without any`() throws {
        var machine = try machine()
        let six = try machine.tell(.connect(hostname: "x", peer: "2001:db8::1", port: 25), MilterMacros())
        #expect(six == [0, 0, 0, 18, 0x43, 0x78, 0, 0x36, 0, 25] + Array("2001:db8::1\0".utf8))
        machine.receive(packet("c"))
        #expect(try machine.next() == .answer(.proceed))
        let unknown = try machine.tell(.connect(hostname: "x", peer: "", port: 0), MilterMacros())
        #expect(unknown == [0, 0, 0, 4, 0x43, 0x78, 0, 0x55])
    }

    @Test func `tells of the envelope, each word with its NUL`() throws {
        var machine = try machine()
        #expect(
            try machine.tell(.sender(["<a@x.example>", "BODY=8BITMIME"]), MilterMacros())
                == packet("M", "<a@x.example>\0BODY=8BITMIME\0"))
    }

    @Test func `hands macros over ahead of a step, in the usual order`() throws {
        var machine = try machine()
        var macros = MilterMacros()
        macros["{auth_authen}"] = "ann"
        macros["{mail_addr}"] = "a@x.example"
        macros["{rcpt_addr}"] = "not for this step"
        #expect(
            try machine.tell(.sender(["<>"]), macros)
                == packet("D", "M{auth_authen}\0ann\0{mail_addr}\0a@x.example\0") + packet("M", "<>\0"))
    }

    @Test func `hands over what the filter asked for, and nothing where it asked for nothing`() throws {
        let wanted = number(2) + Array("{auth_authen} j\0".utf8) + number(6) + Array("\0".utf8)
        var machine = try machine(macros: wanted)
        var macros = MilterMacros()
        macros["j"] = "mx.example"
        macros["i"] = "4711"
        macros["{mail_addr}"] = "a@x.example"
        #expect(
            try machine.tell(.sender(["<>"]), macros) == packet("D", "Mj\0mx.example\0") + packet("M", "<>\0"))
        machine.receive(packet("c"))
        _ = try machine.next()
        #expect(try machine.tell(.endOfHeader, macros) == packet("N"))
    }

    @Test func `tells header values without the space, or with it, folded with LF`() throws {
        let event = MilterEvent.header(name: Array("Subject".utf8), value: Array(" a\r\n  b".utf8))
        var plain = try machine()
        #expect(try plain.tell(event, MilterMacros()) == packet("L", "Subject\0a\n  b\0"))
        var leading = try machine(options: 0x10_0000)
        #expect(try leading.tell(event, MilterMacros()) == packet("L", "Subject\0 a\n  b\0"))
    }

    @Test func `says nothing of what is not wanted, and waits for no answer that will not come`() throws {
        var machine = try machine(options: 0x01 | 0x2000)
        #expect(try machine.tell(.connect(hostname: "x", peer: "", port: 0), MilterMacros()).isEmpty)
        #expect(!machine.isAwaiting)
        #expect(try machine.tell(.hello("y"), MilterMacros()) == packet("H", "y\0"))
        #expect(!machine.isAwaiting)
        #expect(try machine.tell(.data, MilterMacros()) == packet("T"))
        #expect(machine.isAwaiting)
    }

    @Test func `leaves out what a filter has seen enough of, until the next message`() throws {
        var machine = try machine(options: 0x400)
        #expect(try machine.tell(.body([1]), MilterMacros()) == packet("B", [1]))
        machine.receive(packet("s"))
        #expect(try machine.next() == .answer(.skip))
        #expect(try machine.tell(.body([2]), MilterMacros()).isEmpty)
        #expect(!machine.isAwaiting)
        #expect(try machine.tell(.sender(["<>"]), MilterMacros()) == packet("M", "<>\0"))
        machine.receive(packet("c"))
        _ = try machine.next()
        #expect(try machine.tell(.body([3]), MilterMacros()) == packet("B", [3]))
    }

    @Test(arguments: [
        (packet("c"), MilterAnswer.proceed), (packet("a"), .accept), (packet("d"), .discard),
        (packet("r"), .refuse(SMTPReply(550, EnhancedStatus(7, 1), "Refused by a content filter"))),
        (packet("t"), .refuse(SMTPReply(451, EnhancedStatus(7, 1), "Service unavailable, try again later"))),
        (packet("4"), .refuse(SMTPReply(451, EnhancedStatus(7, 1), "Service unavailable, try again later"))),
        (packet("f"), .refuse(SMTPReply(451, EnhancedStatus(7, 1), "Service unavailable, try again later"))),
        (packet("y", "550 5.7.1 No 100%% way\0"), .refuse(SMTPReply(550, EnhancedStatus(7, 1), "No 100% way"))),
        (packet("y", "450 Later\r\n\0"), .refuse(SMTPReply(450, nil, "Later"))),
        (packet("y", "421 4.3.2 Bye\0"), .refuse(SMTPReply(451, EnhancedStatus(3, 2), "Bye"))),
        (packet("y", "554 4.7.1 Odd\0"), .refuse(SMTPReply(554, nil, "4.7.1 Odd"))),
        (
            packet("y", "550-5.7.0 one\r\n550 5.7.0 two\0"),
            .refuse(SMTPReply(550, EnhancedStatus(7, 0), lines: ["one", "two"]))
        ),
        (packet("y", "550 5.7.1 a\u{7}b\u{e9}\0"), .refuse(SMTPReply(550, EnhancedStatus(7, 1), "a?b??"))),
    ])
    func `understands every answer`(_ octets: [UInt8], _ answer: MilterAnswer) throws {
        for cut in 0...octets.count {
            var machine = try machine()
            _ = try machine.tell(.recipient(["<a@x.example>"]), MilterMacros())
            machine.receive(packet("p") + octets[..<cut])
            #expect(try machine.next() == .progress)
            if cut < octets.count { #expect(try machine.next() == nil) }
            machine.receive(Array(octets[cut...]))
            #expect(try machine.next() == .answer(answer))
            #expect(!machine.isAwaiting)
        }
    }

    @Test(arguments: [
        (packet("h", "X-A\0b\0"), MilterModification.addField(name: Array("X-A".utf8), value: Array("b".utf8))),
        (
            packet("i", number(1) + Array("X-A\0 b\n c\0".utf8)),
            .insertField(index: 1, name: Array("X-A".utf8), value: Array(" b\n c".utf8))
        ),
        (
            packet("m", number(2) + Array("X-A\0\0".utf8)),
            .changeField(index: 2, name: Array("X-A".utf8), value: [])
        ),
        (packet("b", [1, 0, 2]), .body([1, 0, 2])),
        (packet("b"), .body([])),
        (packet("q", "spam?\0"), .quarantine(reason: "spam?")),
    ])
    func `understands every change`(_ octets: [UInt8], _ modification: MilterModification) throws {
        var machine = try machine()
        _ = try machine.tell(.endOfMessage, MilterMacros())
        machine.receive(octets)
        #expect(try machine.next() == .modification(modification))
        #expect(machine.isAwaiting)
    }

    @Test(arguments: [
        "e<a@x.example>\0", "ea@x.example\0", "e<a@x.example>\0BODY=8BITMIME\0",
        "e<a@x.example>\0SIZE=1 BODY=BINARYMIME AUTH=<> MT-PRIORITY=1 REQUIRETLS\0", "+<a@x.example>\0",
        "-a@x.example\0",
        "2<a@x.example>\0", "2<a@x.example>\0\0", "2<a@x.example>\0NOTIFY=NEVER\0",
    ])
    func `understands addresses with and without brackets and parameters`(_ text: String) throws {
        var machine = try machine()
        _ = try machine.tell(.endOfMessage, MilterMacros())
        machine.receive(packet(text.first ?? " ", String(text.dropFirst())))
        guard case .modification(let modification) = try machine.next() else { throw MilterError.closed }
        switch modification {
        case .changeSender(let sender): #expect(sender.reversePath.text == "<a@x.example>")
        case .addRecipient(let recipient):
            #expect(recipient.mailbox.description == "a@x.example")
            #expect(recipient.notifications == (text.contains("NEVER") ? [] : nil))
        case .removeRecipient(let mailbox): #expect(mailbox.description == "a@x.example")
        case .addField, .insertField, .changeField, .body, .quarantine: Issue.record("\(modification)")
        }
    }

    // What no filter may say

    @Test(
        arguments: [
            [0, 0, 0, 0], [0, 1, 0, 1, 0x62], [0xFF, 0xFF, 0xFF, 0xFF], packet("?"), packet("O"), packet("c", [0]),
            packet("p", [1]), packet("h", "X-A\0b"), packet("h", "X-A\0"), packet("h", "X A\0b\0"),
            packet("h", "\0b\0"),
            packet("h", "X:\0b\0"), packet("h", "X\0b\0c\0"), packet("i", "X\0b\0"), packet("m", [0, 0, 1]),
            packet("e", "<a b@x>\0"), packet("+", "\0"), packet("+", "<a@x.example>\0NOTIFY=NEVER\0"),
            packet("2", "<a@x.example>\0EVIL=1\0"), packet("-", "<>\0"), packet("q", "no end"),
            packet("y", "250 fine\0"),
            packet("y", "55 x\0"), packet("y", "550x\0"), packet("y", "550 a\r\n450 b\0"), packet("y", "\0"),
            packet("y", "550 no end"), packet("s"), packet("l", number(0) + [0x6A, 0]),
        ] as [[UInt8]])
    func `takes a filter that breaks the rules for none`(_ octets: [UInt8]) throws {
        var machine = try machine()
        _ = try machine.tell(.endOfMessage, MilterMacros())
        machine.receive(octets)
        #expect(throws: MilterError.self) { try machine.next() }
    }

    @Test(arguments: [
        agreement(version: 1), agreement(version: 7), agreement(actions: 0x200), packet("O", number(6)), packet("c"),
        packet("O", number(6) + number(0) + number(0) + number(0)),
        packet("O", number(6) + number(0) + number(0) + number(0) + [0x6A]),
    ])
    func `negotiates only what it knows`(_ octets: [UInt8]) {
        var machine = MilterMachine()
        _ = machine.negotiate()
        machine.receive(octets)
        #expect(throws: MilterError.self) { try machine.next() }
    }

    @Test(arguments: [("h", 0x02), ("m", 0x01), ("+", 0x80), ("2", 0x04), ("-", 0x04), ("b", 0x01), ("e", 0x20)])
    func `allows no change that was not announced`(_ code: String, _ actions: Int) throws {
        var machine = try machine(actions: UInt32(actions))
        _ = try machine.tell(.endOfMessage, MilterMacros())
        machine.receive(packet(Character(code), "<a@x.example>\0<a@x.example>\0"))
        #expect(throws: MilterError.violation("a change that it had not announced")) { try machine.next() }
    }

    @Test func `allows no change before the message's end, and no word unasked`() throws {
        var early = try machine()
        _ = try early.tell(.data, MilterMacros())
        early.receive(packet("h", "X\0b\0"))
        #expect(throws: MilterError.self) { try early.next() }
        var unasked = try machine()
        unasked.receive(packet("c"))
        #expect(throws: MilterError.self) { try unasked.tell(.data, MilterMacros()) }
        #expect(!unasked.canBeReused)
        var discarding = try machine()
        _ = try discarding.tell(.hello("x"), MilterMacros())
        discarding.receive(packet("d"))
        #expect(throws: MilterError.violation("it discards a connection")) { try discarding.next() }
    }

    @Test(arguments: [(UInt32(0), 65_535), (0x1000_0000, 262_143), (0x2000_0000, 1_048_575), (0x3000_0000, 1_048_575)])
    func `keeps to the size of packets that was agreed`(_ options: UInt32, _ size: Int) throws {
        let name = Array("X".utf8)
        var machine = try machine(options: options)
        #expect(throws: MilterError.fieldTooLarge) {
            try machine.tell(.header(name: name, value: Array(repeating: 0x61, count: size - 2)), MilterMacros())
        }
        _ = try machine.tell(.header(name: name, value: Array(repeating: 0x61, count: size - 3)), MilterMacros())
        machine.receive(packet("c"))
        _ = try machine.next()
        _ = try machine.tell(.endOfMessage, MilterMacros())
        machine.receive(packet("b", Array(repeating: 0x61, count: size)))
        guard case .modification(.body(let piece)) = try machine.next() else { throw MilterError.closed }
        #expect(piece.count == size)
        machine.receive(number(UInt32(size + 2)))
        #expect(throws: MilterError.self) { try machine.next() }
    }

    @Test func `ends a message and a client's connection`() throws {
        var machine = try machine()
        _ = try machine.tell(.connect(hostname: "x", peer: "", port: 0), MilterMacros())
        #expect(!machine.canBeReused)
        machine.receive(packet("c"))
        _ = try machine.next()
        #expect(machine.canBeReused)
        #expect(machine.abort() == [0, 0, 0, 1, 0x41])
        #expect(machine.nextClient() == [0, 0, 0, 1, 0x4B])
        #expect(MilterMachine.quit == [0, 0, 0, 1, 0x51])
    }

    @Test func `shares no connection with a filter that is too old or would not notice`() throws {
        var old = MilterMachine()
        _ = old.negotiate()
        old.receive(agreement(version: 4))
        _ = try old.next()
        #expect(!old.canBeReused)
        #expect(try !machine(options: 0x1000).canBeReused)
    }
}
