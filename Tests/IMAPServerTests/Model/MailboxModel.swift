/// How a client has a mailbox told to it.
enum ClientKind: String, CaseIterable, Sendable {
    case plain, condstore, qresync, uidOnly
    /// Told of changes as they come (RFC 5465): between commands without EXPUNGE, or with it.
    case notifiedDelayed, notified

    /// Who hears of EXPUNGE at any time does not know what number is whose when a command arrives.
    var namesNumbers: Bool { usesNumbers && self != .notified }
    var notifications: String? {
        switch self {
        case .notifiedDelayed: "NOTIFY SET (SELECTED-DELAYED (MessageNew (UID FLAGS) MessageExpunge FlagChange))"
        case .notified: "NOTIFY SET (SELECTED (MessageNew MessageExpunge FlagChange)) (personal (MailboxName))"
        case .plain, .condstore, .qresync, .uidOnly: nil
        }
    }
    var usesNumbers: Bool { self != .uidOnly }
    var hearsVanished: Bool { self == .qresync || self == .uidOnly }
    var knowsModSeq: Bool { self == .condstore || self == .qresync }
}

/// A mailbox as a client knows it from untagged responses alone, and the rules that it holds the server to. It has
/// nothing of the server's own idea of a mailbox.
struct MailboxModel {
    struct Message: Equatable {
        var uid: UInt32?
        var flags: Set<String>?
        var modSeq: UInt64?
    }

    /// What a command's answer may hold.
    struct Rules {
        var allowsExpunge = true
        /// Whether FETCH answers are what the client asked for; others tell UID and MODSEQ to those who want them.
        var isFetch = false
    }

    let kind: ClientKind
    /// In the order of their numbers; in the order of their UIDs, without numbers, for a client that uses UIDs only.
    var messages: [Message] = []
    var keywords: Set<String> = []
    var uidValidity: UInt32 = 0
    /// As RFC 7162 §6 has clients keep it.
    var highestModSeq: UInt64 = 0
    private var modSeqInAnswer: UInt64 = 0
    private var toldHighest: UInt64?
    /// UIDs of VANISHED (EARLIER).
    var vanishedEarlier: [ClosedRange<UInt32>] = []
    /// Searches that are kept up to date, by tag.
    var contexts: [String: ModelContext] = [:]
    var problem: String?

    init(_ kind: ClientKind) { self.kind = kind }

    /// Reads the complete lines of an answer; those with a tag are left to the caller.
    mutating func read(_ answer: String, _ rules: Rules = Rules()) {
        for line in answer.split(separator: "\r\n") where line.hasPrefix("* ") { read(line: line.dropFirst(2), rules) }
        checkOrder()
    }

    /// The answer is complete: what it told of MODSEQ counts from now on.
    mutating func endAnswer(tagged: Substring) {
        if let value = MailboxModel.number(behind: "[HIGHESTMODSEQ ", tagged) { toldHighest = value }
        if let toldHighest {
            highestModSeq = toldHighest
        } else if modSeqInAnswer > highestModSeq {
            highestModSeq = modSeqInAnswer
        }
        forgetAnswer()
    }

    mutating func forgetAnswer() { (modSeqInAnswer, toldHighest) = (0, nil) }

    private mutating func fail(_ text: String) { problem = problem ?? text }

    private mutating func read(line: Substring, _ rules: Rules) {
        let words = line.split(separator: " ", maxSplits: 2)
        guard let first = words.first else { return }
        if let number = UInt32(first), words.count > 1 {
            read(number, words[1], words.count > 2 ? words[2] : "", rules)
            return
        }
        switch first {
        case "FLAGS":
            keywords = Set(line.dropFirst("FLAGS (".count).dropLast().split(separator: " ").map(String.init))
        case "VANISHED": readVanished(line.dropFirst("VANISHED ".count), rules)
        case "OK": readCode(line)
        case "ESEARCH": readContext(line)
        case "SEARCH", "STATUS", "CAPABILITY", "ENABLED": break
        case "NO" where line.hasPrefix("NO [MESSAGELIMIT "): break
        case _: fail("unexpected: \(line)")
        }
    }

    private mutating func readCode(_ line: Substring) {
        if let value = MailboxModel.number(behind: "[UIDVALIDITY ", line) { uidValidity = UInt32(value) }
        if let value = MailboxModel.number(behind: "[HIGHESTMODSEQ ", line) { toldHighest = value }
    }

    /// The UID down to which an answer goes, when a limit ends it (RFC 9738 §3.1).
    static func lowestProcessed(_ answer: String) -> UInt32? {
        guard let code = answer.firstRange(of: "[MESSAGELIMIT ") else { return nil }
        let numbers = answer[code.upperBound...].prefix { $0 != "]" }.split(separator: " ")
        return numbers.count > 1 ? UInt32(numbers[1]) : nil
    }

    private static func number(behind name: String, _ line: Substring) -> UInt64? {
        line.firstRange(of: name).flatMap { UInt64(line[$0.upperBound...].prefix { $0.isNumber }) }
    }

    private mutating func read(_ number: UInt32, _ word: Substring, _ rest: Substring, _ rules: Rules) {
        let index = Int(number) - 1
        switch word {
        case "EXISTS":
            if Int(number) < messages.count { fail("EXISTS went down") }
            while messages.count < Int(number) { messages.append(Message()) }
        case "RECENT":
            if Int(number) > messages.count { fail("more recent than there are") }
        case "EXPUNGE":
            guard rules.allowsExpunge, !kind.hearsVanished else { return fail("EXPUNGE where it may not be") }
            guard messages.indices.contains(index) else { return fail("EXPUNGE of nothing") }
            messages.remove(at: index)
            changeContexts { $0.forgetNumber(number) }
        case "FETCH":
            guard kind.usesNumbers else { return fail("FETCH for a client without numbers") }
            guard messages.indices.contains(index) else { return fail("FETCH of nothing") }
            readItems(index, rest, rules)
        case "UIDFETCH":
            guard !kind.usesNumbers else { return fail("UIDFETCH for a client with numbers") }
            guard let index = self.index(ofUID: number) else { return fail("UIDFETCH of nothing") }
            messages[index].uid = number
            messages.sort { ($0.uid ?? .max) < ($1.uid ?? .max) }
            readItems(messages.firstIndex { $0.uid == number } ?? index, rest, rules)
        case _: fail("unexpected: \(word)")
        }
    }

    /// `(UID 4 FLAGS (\Seen) MODSEQ (7))`
    private mutating func readItems(_ index: Int, _ text: Substring, _ rules: Rules) {
        let uid = MailboxModel.number(behind: "UID ", text).map { UInt32($0) }
        if let uid {
            if let known = messages[index].uid, known != uid { fail("the UID of \(index + 1) changed") }
            messages[index].uid = uid
        }
        let modSeq = MailboxModel.number(behind: "MODSEQ (", text)
        if let modSeq {
            if modSeq < messages[index].modSeq ?? 0 { fail("MODSEQ of \(index + 1) went down") }
            messages[index].modSeq = modSeq
            modSeqInAnswer = max(modSeqInAnswer, modSeq)
        }
        if kind.knowsModSeq, !rules.isFetch, uid == nil || modSeq == nil { fail("no UID or no MODSEQ: \(text)") }
        guard let flags = text.firstRange(of: "FLAGS (") else { return }
        let list = text[flags.upperBound...].prefix { $0 != ")" }
        let told = Set(list.split(separator: " ").map(String.init)).subtracting(["\\Recent"])
        messages[index].flags = told
        if !told.isSubset(of: keywords) { fail("a flag that FLAGS does not have") }
    }

    // VANISHED

    private mutating func readVanished(_ text: Substring, _ rules: Rules) {
        guard kind.hearsVanished else { return fail("VANISHED for a client that does not know it") }
        if text.hasPrefix("(EARLIER) ") {
            let ranges = MailboxModel.ranges(text.dropFirst("(EARLIER) ".count))
            vanishedEarlier += ranges
            let isKnown = messages.contains { message in
                message.uid.map { uid in ranges.contains { $0.contains(uid) } } ?? false
            }
            if isKnown { fail("VANISHED (EARLIER) of a message that is there") }
            return
        }
        guard rules.allowsExpunge else { return fail("VANISHED where it may not be") }
        for range in MailboxModel.ranges(text) {
            for uid in range {
                guard let index = index(ofUID: uid) else { return fail("VANISHED of nothing: \(uid)") }
                let isKnown = messages[index].uid != nil
                messages.remove(at: index)
                // Which number it had is a guess.
                if !isKnown { contexts = contexts.filter { $1.usesUIDs } }
                changeContexts { $0.forgetNumber(UInt32(index + 1)) }
            }
        }
    }

    static func ranges(_ text: Substring) -> [ClosedRange<UInt32>] {
        text.split(separator: ",").compactMap { part in
            let ends = part.split(separator: ":").compactMap { UInt32($0) }
            guard let first = ends.first, let last = ends.last, first <= last else { return nil }
            return first...last
        }
    }

    /// Where a message with that UID is; or, when it is not known yet, one that it may be.
    private func index(ofUID uid: UInt32) -> Int? {
        if let index = messages.firstIndex(where: { $0.uid == uid }) { return index }
        var candidate: Int?
        for (index, message) in messages.enumerated() {
            if let known = message.uid {
                if known < uid { candidate = nil } else { break }
            } else if candidate == nil {
                candidate = index
            }
        }
        return candidate ?? (kind.usesNumbers ? nil : messages.firstIndex { $0.uid == nil })
    }

    private mutating func checkOrder() {
        var last: UInt32 = 0
        for case let uid? in messages.map(\.uid) {
            if uid <= last { fail("UIDs do not ascend: \(uid) after \(last)") }
            last = uid
        }
    }

    // Searches that are kept up to date (RFC 5267 §4.3)

    /// `ESEARCH (TAG "u1") UID ADDTO (0 4:5)`
    private mutating func readContext(_ line: Substring) {
        guard let start = line.firstRange(of: "(TAG \""), let end = line.firstRange(of: "\")") else { return }
        let tag = String(line[start.upperBound..<end.lowerBound])
        guard var context = contexts[tag] else { return }
        context.read(line[end.upperBound...], count: messages.count)
        problem = problem ?? context.problem
        contexts[tag] = context
    }

    private mutating func changeContexts(_ change: (inout ModelContext) -> Void) {
        for tag in contexts.keys.sorted() {
            guard var context = contexts[tag] else { continue }
            change(&context)
            problem = problem ?? context.problem
            contexts[tag] = context
        }
    }

    // What a silent STORE does

    /// - Parameter lowest: the UID below which a limit left messages as they were.
    mutating func change(at indices: some Sequence<Int>, downTo lowest: UInt32?, _ sign: String, _ flag: String) {
        for index in indices where messages.indices.contains(index) {
            if let lowest {
                guard let uid = messages[index].uid else {
                    messages[index].flags = nil
                    continue
                }
                guard uid >= lowest else { continue }
            }
            guard var flags = messages[index].flags else { continue }
            switch sign {
            case "+": flags.insert(flag)
            case "-": flags.remove(flag)
            case _: flags = [flag]
            }
            messages[index].flags = flags
        }
        // A keyword is known by its first use.
        if sign != "-" { keywords.insert(flag) }
    }
}
