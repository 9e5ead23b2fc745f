import MailStore
import MailTestSupport

@testable import IMAPServer

/// A store with a mailbox that several clients work in.
struct ModelWorld: Sendable {
    let store: any MailStore
    let service: IMAPService
    var settings = IMAPSettings()

    /// A client that has logged in.
    /// - Parameter isLimited: whether its session keeps to the settings.
    func client(_ kind: ClientKind, isLimited: Bool = true) async -> SteppedClient {
        let client = SteppedClient(store, service, isLimited ? settings : IMAPSettings())
        _ = await client.run("l LOGIN fred secret\r\n")
        switch kind {
        case .plain, .condstore, .notified, .notifiedDelayed: break
        case .qresync: _ = await client.run("e ENABLE QRESYNC\r\n")
        case .uidOnly: _ = await client.run("e ENABLE UIDONLY\r\n")
        }
        return client
    }

    /// What is in INBOX, as a client finds it that has just come.
    func truth() async -> [MailboxModel.Message] {
        let client = await client(.condstore, isLimited: false)
        var model = MailboxModel(.condstore)
        model.read(await client.run("s EXAMINE INBOX (CONDSTORE)\r\n"), MailboxModel.Rules(isFetch: true))
        model.read(await client.run("f UID FETCH 1:* (FLAGS MODSEQ)\r\n"), MailboxModel.Rules(isFetch: true))
        return model.messages
    }
}

/// A client of the model with its connection: it sends commands that its own idea of the mailbox allows.
final class ModelMember {
    let kind: ClientKind
    let isReadOnly: Bool
    private let world: ModelWorld
    private var client: SteppedClient
    private(set) var model: MailboxModel
    private var rules = MailboxModel.Rules()
    private var silentChange: (indices: [Int], sign: String, flag: String)?
    private var isIdling = false
    private var tag = "t"
    private var contextsBegun = 0
    /// Whether NOTIFY says what is told.
    private var isNotified = false
    private(set) var isBusy = false
    private(set) var log: [String] = []

    init(_ kind: ClientKind, isReadOnly: Bool, _ world: ModelWorld) async {
        self.kind = kind
        self.isReadOnly = isReadOnly
        self.world = world
        client = await world.client(kind)
        model = MailboxModel(kind)
        await select()
    }

    var problem: String? { model.problem ?? (client.isClosed ? "the connection was closed" : nil) }
    private var openCommand: String { isReadOnly ? "EXAMINE" : "SELECT" }

    private func select() async {
        await run("\(openCommand) INBOX\(kind == .condstore ? " (CONDSTORE)" : "")", isFetch: true)
        await fetchAll()
        if let notifications = kind.notifications { await run(notifications) }
    }

    /// A whole command with nobody in between.
    func run(_ command: String, isFetch: Bool = false) async {
        begin(command, MailboxModel.Rules(isFetch: isFetch))
        while isBusy { await advance() }
    }

    /// As often as it takes, when there is a limit.
    func fetchAll() async {
        await run("UID FETCH 1:* (FLAGS)", isFetch: true)
        while let lowest = MailboxModel.lowestProcessed(log.last ?? "") {
            await run("UID FETCH 1:\(lowest - 1) (FLAGS)", isFetch: true)
        }
    }

    private func begin(_ command: String, _ rules: MailboxModel.Rules, tag: String = "t") {
        log.append(command)
        self.rules = rules
        self.tag = tag
        isBusy = true
        client.send("\(tag) \(command)\r\n")
    }

    /// One step of what is under way.
    func advance() async {
        await client.advance()
        guard client.isWaiting || client.isClosed else { return }
        isBusy = false
        finish(client.takeOutput())
    }

    private func finish(_ answer: String) {
        let tagged = answer.split(separator: "\r\n").last { $0.hasPrefix("\(tag) ") }
        if let change = silentChange, let tagged {
            silentChange = nil
            if !tagged.hasPrefix("\(tag) BAD "), !tagged.contains("[READ-ONLY]") {
                model.change(
                    at: Set(change.indices).subtracting(failed(tagged)),
                    downTo: MailboxModel.lowestProcessed(answer), change.sign, change.flag)
            }
        }
        log.append(answer)
        model.read(answer, rules)
        if let tagged {
            if tagged.hasPrefix("\(tag) BAD ") { model.problem = model.problem ?? "refused: \(tagged)" }
            model.endAnswer(tagged: tagged)
        }
    }

    /// The messages that a conditional STORE left alone.
    private func failed(_ tagged: Substring) -> Set<Int> {
        guard let code = tagged.firstRange(of: "[MODIFIED ") else { return [] }
        let numbers = MailboxModel.ranges(tagged[code.upperBound...].prefix { $0 != "]" }).flatMap { Array($0) }
        return Set(numbers.map { Int($0) - 1 })
    }

    // Commands

    /// Begins a command of some kind.
    func act(_ random: inout SeededGenerator) {
        if isIdling {
            isIdling = false
            log.append("DONE")
            rules = MailboxModel.Rules()
            isBusy = true
            client.send("DONE\r\n")
            return
        }
        let flag = ["\\Seen", "\\Flagged", "\\Deleted", "$Forwarded", "custom\(Int.random(in: 0..<4, using: &random))"]
            .randomElement(using: &random)
        let sign = ["+", "-", ""].randomElement(using: &random)
        guard let flag, let sign else { return }
        switch Int.random(in: 0..<60, using: &random) {
        case 0..<5: return actOnContexts(&random)
        case 5 where kind.notifications == nil: return notify(&random)
        case _: break
        }
        if kind.namesNumbers, !model.messages.isEmpty, Bool.random(using: &random) {
            actByNumber(flag, sign, &random)
        } else {
            actByUID(flag, sign, &random)
        }
    }

    private func actByNumber(_ flag: String, _ sign: String, _ random: inout SeededGenerator) {
        let count = model.messages.count
        let number = Int.random(in: 1...count, using: &random)
        let last = min(count, number + Int.random(in: 0...3, using: &random))
        let (held, fetch) = (
            MailboxModel.Rules(allowsExpunge: false), MailboxModel.Rules(allowsExpunge: false, isFetch: true)
        )
        switch Int.random(in: 0..<11, using: &random) {
        case 10: begin("REPLACE \(number) INBOX (\(flag)) {3+}\r\nabc", MailboxModel.Rules())
        case 0: begin("STORE \(number):\(last) \(sign)FLAGS (\(flag))", held)
        case 1:
            silentChange = (Array(number - 1..<last), sign, flag)
            begin("STORE \(number):\(last) \(sign)FLAGS.SILENT (\(flag))", held)
        case 2 where kind.knowsModSeq:
            silentChange = (Array(number - 1..<last), sign, flag)
            let since = Bool.random(using: &random) ? model.highestModSeq : model.messages[number - 1].modSeq ?? 1
            begin("STORE \(number):\(last) (UNCHANGEDSINCE \(since)) \(sign)FLAGS.SILENT (\(flag))", held)
        case 3 where kind.knowsModSeq:
            begin("FETCH 1:* (UID FLAGS) (CHANGEDSINCE \(max(1, model.highestModSeq)))", fetch)
        case 4: begin("FETCH \(number):\(last) (UID FLAGS)", fetch)
        case 5: begin("FETCH \(number) (UID FLAGS\(kind.knowsModSeq ? " MODSEQ" : "") BODY[])", fetch)
        case 6: begin("COPY \(number):\(last) INBOX", MailboxModel.Rules())
        case 7: begin("MOVE \(number) Trash", MailboxModel.Rules())
        case 8: begin("UID SEARCH \(number):* UNSEEN", held)
        case _: begin("SEARCH OR UNSEEN \(number)", held)
        }
    }

    private func actByUID(_ flag: String, _ sign: String, _ random: inout SeededGenerator) {
        let highest = Int(model.messages.compactMap(\.uid).max() ?? 1)
        let uid = Int.random(in: 1...highest, using: &random)
        let range = "\(uid):\(uid + Int.random(in: 0...4, using: &random))"
        let fetch = MailboxModel.Rules(isFetch: true)
        switch Int.random(in: 0..<17, using: &random) {
        case 14: begin("UID MOVE \(uid) Trash", MailboxModel.Rules())
        case 15: begin("UID SEARCH RETURN (SAVE) UID \(range)", MailboxModel.Rules())
        case 16: begin("UID STORE $ \(sign)FLAGS (\(flag))", MailboxModel.Rules())
        case 0: begin("UID STORE \(range) \(sign)FLAGS (\(flag))", MailboxModel.Rules())
        case 1, 2: begin("EXPUNGE", MailboxModel.Rules())
        case 3: begin("UID EXPUNGE \(range)", MailboxModel.Rules())
        case 4: begin("UID FETCH \(range) (FLAGS BODY.PEEK[HEADER])", fetch)
        case 5: begin("UID FETCH 1:* (FLAGS)", fetch)
        case 6, 7: begin("APPEND INBOX (\(flag)) {3+}\r\nabc", MailboxModel.Rules())
        case 8: begin("UID COPY \(range) INBOX", MailboxModel.Rules())
        case 9 where kind == .qresync:
            begin("UID FETCH 1:* (FLAGS) (CHANGEDSINCE \(max(1, model.highestModSeq)) VANISHED)", fetch)
        case 10: begin("UID SEARCH UNSEEN", MailboxModel.Rules())
        case 11:
            isIdling = true
            begin("IDLE", MailboxModel.Rules())
        case 12: begin("STATUS Trash (MESSAGES)", MailboxModel.Rules())
        case _: begin("NOOP", MailboxModel.Rules())
        }
    }

    /// A search is kept up to date from now on; when there are some already, perhaps one is not any more.
    private func actOnContexts(_ random: inout SeededGenerator) {
        if model.contexts.count > 2, let tag = model.contexts.keys.sorted().randomElement(using: &random) {
            model.contexts[tag] = nil
            return begin("CANCELUPDATE \"\(tag)\"", MailboxModel.Rules())
        }
        contextsBegun += 1
        let tag = "u\(contextsBegun)"
        let key =
            ["ALL", "UNSEEN", "FLAGGED", "UNDELETED", "KEYWORD custom1", "OR SEEN DELETED"]
            .randomElement(using: &random) ?? "ALL"
        let order = ["(SIZE)", "(REVERSE SIZE)", "(SUBJECT REVERSE ARRIVAL)"].randomElement(using: &random) ?? "(SIZE)"
        let usesUIDs = !kind.namesNumbers || Bool.random(using: &random)
        // SORT is not limited.
        let isSorted = world.settings.messageLimit != nil || Int.random(in: 0..<3, using: &random) == 0
        let name = (usesUIDs ? "UID " : "") + (isSorted ? "SORT" : "SEARCH")
        let rest = isSorted ? "\(order) UTF-8 \(key)" : key
        model.contexts[tag] = ModelContext(
            "\(name) RETURN (ALL) \(rest)", usesUIDs: usesUIDs, isSorted: isSorted)
        begin("\(name) RETURN (UPDATE ALL) \(rest)", MailboxModel.Rules(allowsExpunge: usesUIDs), tag: tag)
    }

    /// Everything that happens, but EXPUNGE where no number is lost by it (RFC 5465 §6.1.2).
    private static let everything = "NOTIFY SET (selected-delayed (MessageNew MessageExpunge FlagChange))"

    private func notify(_ random: inout SeededGenerator) {
        isNotified = true
        let wish = [
            Self.everything, "NOTIFY NONE", "NOTIFY SET (selected-delayed (MessageNew (UID FLAGS) MessageExpunge))",
        ].randomElement(using: &random)
        begin(wish ?? Self.everything, MailboxModel.Rules())
    }

    /// Searches whose results are not what they would be if they were made now. At rest there are none.
    func staleContexts() async -> [String] {
        var stale: [String] = []
        for (tag, context) in model.contexts.sorted(by: { $0.key < $1.key }) {
            let answer = await answer(to: context.command)
            let actual = ModelContext.all(answer[...])
            if model.contexts[tag]?.results != actual {
                stale.append("\(context.command): \(model.contexts[tag]?.results ?? []), is \(actual)")
            }
        }
        return stale
    }

    private func answer(to command: String) async -> String {
        begin(command, MailboxModel.Rules())
        while isBusy { await advance() }
        return log.last ?? ""
    }

    /// An idling client, or one that has asked for it, hears what is new; false when there is nothing.
    func hear() -> Bool {
        let isNotified = isNotified || kind.notifications != nil
        guard isIdling || isNotified, !isBusy, client.deliverNews() else { return false }
        rules = MailboxModel.Rules(allowsExpunge: isIdling || kind == .notified)
        isBusy = true
        return true
    }

    /// Leaves nothing under way.
    func settle() async {
        while isBusy { await advance() }
        if isIdling {
            isIdling = false
            client.send("DONE\r\n")
            isBusy = true
            while isBusy { await advance() }
        }
        if isNotified { await run(Self.everything) }
        await run("NOOP")
    }

    // Coming back (RFC 7162 §3.2.5)

    /// The connection breaks, perhaps within an answer; the client comes back with what it knows, and must know all
    /// after that.
    func reconnect(_ random: inout SeededGenerator) async {
        if isBusy {
            // What came before it broke is known; what was asked for may have happened or not.
            let heard = client.takeOutput()
            let whole = heard.ranges(of: "\r\n").last.map { heard[..<$0.upperBound] } ?? ""
            if !heard.contains("BODY[") { model.read(String(whole), rules) }
        }
        (isBusy, isIdling, isNotified, silentChange) = (false, false, false, nil)
        model.forgetAnswer()
        log.append("-- connection lost")
        let known = model.messages.filter { $0.uid != nil }
        let (validity, since) = (model.uidValidity, max(1, model.highestModSeq))
        client = await world.client(kind)
        var fresh = MailboxModel(kind)
        (fresh.keywords, fresh.highestModSeq) = (model.keywords, model.highestModSeq)
        fresh.problem = model.problem
        model = fresh
        let uids = known.compactMap { $0.uid.map(String.init) }.joined(separator: ",")
        let set = Bool.random(using: &random) || uids.isEmpty ? "" : " \(uids)"
        await run("\(openCommand) INBOX (QRESYNC (\(validity) \(since)\(set)))", isFetch: true)
        await compare(known, since)
        await fetchAll()
    }

    /// What was known and what was told on coming back are together what is.
    private func compare(_ known: [MailboxModel.Message], _ since: UInt64) async {
        let truth = await world.truth()
        var believed: [UInt32: MailboxModel.Message] = [:]
        for case let message in known {
            if let uid = message.uid, !model.vanishedEarlier.contains(where: { $0.contains(uid) }) {
                believed[uid] = message
            }
        }
        for (index, message) in model.messages.enumerated() {
            guard let uid = message.uid else { continue }
            if truth.indices.contains(index), truth[index].uid == uid {
                believed[uid] = message
            } else {
                model.problem = model.problem ?? "number \(index + 1) is not UID \(uid)"
            }
        }
        let actual = Dictionary(uniqueKeysWithValues: truth.compactMap { message in message.uid.map { ($0, message) } })
        for (uid, message) in believed {
            guard let now = actual[uid] else {
                model.problem = model.problem ?? "UID \(uid) is gone, and was not told since \(since)"
                continue
            }
            if let flags = message.flags, flags != now.flags {
                model.problem = model.problem ?? "flags of UID \(uid) changed, and were not told since \(since)"
            }
        }
        model.vanishedEarlier = []
    }
}
