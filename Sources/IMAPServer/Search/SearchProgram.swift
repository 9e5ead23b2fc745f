import IMAPSyntax
import MailStore
import MailVocabulary

/// A search key made ready for a mailbox: sets resolved, flags as bits, days as numbers. It is judged with as much of
/// a message as is at hand, and says when more is needed.
indirect enum SearchProgram: Sendable {
    case constant(Bool)
    /// `flags & mask == value`
    case flags(mask: FlagBits, value: FlagBits)
    case uids(NumberSet)
    case sequenceNumbers(NumberSet)
    /// That, or higher.
    case modSeq(ModSeq)
    /// Octets: more than, fewer than.
    case larger(UInt64)
    case smaller(UInt64)
    /// INTERNALDATE in these seconds since 1970 (RFC 5032).
    case arrived(ClosedRange<Int64>)
    /// INTERNALDATE's day, since 1970.
    case day(SearchKey.DateRelation, Int64)
    case sentDay(SearchKey.DateRelation, Int64)
    /// The save date's day in UTC, since 1970.
    case savedDay(SearchKey.DateRelation, Int64)
    case email(EmailObjectID)
    case thread(ThreadObjectID)
    case envelope(SearchKey.EnvelopeField, Needle)
    /// No needle: that the field is there.
    case header(name: [UInt8], Needle?)
    case body(Needle)
    case text(Needle)
    /// What an index of text knows: false for a message that certainly has not what is looked for beside this.
    case candidates(Candidates)
    case not(SearchProgram)
    case any([SearchProgram])
    case all([SearchProgram])

    /// - Parameters:
    ///   - now: seconds since 1970.
    ///   - allowsAnyNumbers: whether sequence numbers may be beyond the mailbox.
    init(
        _ key: SearchKey, in mailbox: SelectedMailbox, now: Int64 = 0, allowsAnyNumbers: Bool = false
    ) throws(SearchProblem) {
        switch key {
        case .all: self = .constant(true)
        case .has(let flag):
            let bit = mailbox.view.keywords.bit(flag)
            self = bit.map { .flags(mask: $0, value: $0) } ?? .constant(false)
        case .lacks(let flag):
            let bit = mailbox.view.keywords.bit(flag)
            self = bit.map { .flags(mask: $0, value: []) } ?? .constant(true)
        case .recent: self = .uids(mailbox.recent)
        case .old: self = .not(.uids(mailbox.recent))
        case .new: self = .all([.uids(mailbox.recent), .flags(mask: .seen, value: [])])
        case .larger(let size): self = .larger(size)
        case .smaller(let size): self = .smaller(size)
        // RFC 5032 §3: a message that has come exactly so long ago is in both.
        case .older(let seconds): self = .arrived(.min...now - Int64(seconds))
        case .younger(let seconds): self = .arrived(now - Int64(seconds)...(.max))
        case .internalDate(let relation, let date): self = .day(relation, date.daysSinceEpoch)
        case .sentDate(let relation, let date): self = .sentDay(relation, date.daysSinceEpoch)
        case .savedDate(let relation, let date): self = .savedDay(relation, date.daysSinceEpoch)
        case .emailID(let id): self = EmailObjectID(id).map { .email($0) } ?? .constant(false)
        case .threadID(let id): self = ThreadObjectID(id).map { .thread($0) } ?? .constant(false)
        case .uid(let set):
            self = .uids(set.resolved(largest: mailbox.lastUID, saved: mailbox.saved))
        // RFC 9738 §3.2: a UID that no message can have leaves none, where `UID n:*` would name the last.
        case .uidAfter(let uid): self = .uids(uid == .max ? NumberSet() : NumberSet(uid + 1...(.max)))
        case .uidBefore(let uid): self = .uids(uid <= 1 ? NumberSet() : NumberSet(1...uid - 1))
        case .sequenceNumbers(let set):
            if case .saved = set {
                self = .uids(mailbox.saved)
            } else {
                // As ranges of positions: UIDs would have to be gathered, for every key that names all messages.
                let count = UInt32(mailbox.view.count)
                guard allowsAnyNumbers || set.largestNumber ?? 0 <= count else { throw .noSuchMessage }
                self = .sequenceNumbers(set.resolved(largest: count))
            }
        case .modSeq(let atLeast): self = .modSeq(ModSeq(atLeast))
        case .fuzzy(let key):
            self = try SearchProgram(key.loosened(), in: mailbox, now: now, allowsAnyNumbers: allowsAnyNumbers)
        case .not(let key):
            self = .not(try SearchProgram(key, in: mailbox, now: now, allowsAnyNumbers: allowsAnyNumbers))
        case .or(let a, let b):
            self = .any([
                try SearchProgram(a, in: mailbox, now: now, allowsAnyNumbers: allowsAnyNumbers),
                try SearchProgram(b, in: mailbox, now: now, allowsAnyNumbers: allowsAnyNumbers),
            ])
        case .and(let keys):
            var programs: [SearchProgram] = []
            for key in keys {
                programs.append(try SearchProgram(key, in: mailbox, now: now, allowsAnyNumbers: allowsAnyNumbers))
            }
            self = .all(programs)
        case .envelope, .header, .body, .text: self = try SearchProgram(text: key)
        }
    }

    /// Keys with strings. Every message has the empty string everywhere.
    private init(text key: SearchKey) throws(SearchProblem) {
        switch key {
        case .envelope(let field, let octets):
            let needle = try SearchProgram.needle(octets)
            self = needle.map { .envelope(field, $0) } ?? .constant(true)
        case .header(let name, let octets): self = .header(name: Array(name.utf8), try SearchProgram.needle(octets))
        case .body(let octets): self = try SearchProgram.needle(octets).map { .body($0) } ?? .constant(true)
        case .text(let octets): self = try SearchProgram.needle(octets).map { .text($0) } ?? .constant(true)
        case .all, .has, .lacks, .recent, .new, .old, .internalDate, .sentDate, .savedDate, .emailID, .threadID,
            .older, .younger, .larger, .smaller, .uid, .uidAfter, .uidBefore, .sequenceNumbers, .modSeq, .fuzzy, .not,
            .or, .and:
            self = .constant(false)
        }
    }

    /// Nil for the empty string. The charsets offered are UTF-8 and a part of it.
    private static func needle(_ octets: [UInt8]) throws(SearchProblem) -> Needle? {
        guard let text = String(validating: octets, as: UTF8.self) else { throw .malformedText }
        return text.isEmpty ? nil : Needle(text)
    }

    /// What every match must be, apart from the rest: what most searches are about is then compared at once.
    func split() -> SearchBounds {
        var bounds = SearchBounds()
        var rest: [SearchProgram] = []
        for program in conjuncts where !bounds.take(program) { rest.append(program) }
        bounds.rest = rest.isEmpty ? nil : rest.count == 1 ? rest[0] : .all(rest)
        return bounds
    }

    /// What must all hold.
    private var conjuncts: [SearchProgram] {
        if case .all(let programs) = self { return programs.flatMap(\.conjuncts) }
        return [self]
    }

    /// Whether a message matches, of which the index is known and perhaps more; nil when still more is needed.
    func judge(_ position: Int, _ row: MessageRow, _ content: SearchedContent? = nil) -> Bool? {
        switch self {
        case .constant(let value): return value
        case .flags(let mask, let value): return row.flags.intersection(mask) == value
        case .uids(let uids): return uids.contains(row.uid.value)
        case .sequenceNumbers(let numbers): return numbers.contains(UInt32(truncatingIfNeeded: position + 1))
        case .modSeq(let atLeast): return row.modSeq >= atLeast
        case .larger(let size): return UInt64(row.size) > size
        case .smaller(let size): return UInt64(row.size) < size
        case .arrived(let seconds): return seconds.contains(row.internalDate.seconds)
        case .day(let relation, let day): return relation.holds(row.internalDate.dayOfWriting, day)
        case .savedDay(let relation, let day): return relation.holds(Int64(row.savedDate) / 86_400, day)
        case .email(let id): return EmailObjectID(row) == id
        case .thread(let id): return ThreadObjectID(row) == id
        case .sentDay(let relation, let day):
            guard let content else { return nil }
            return content.sentDay.map { relation.holds($0, day) } ?? false
        case .envelope(let field, let needle): return content?.contains(needle, in: field)
        case .header(let name, let needle): return content?.contains(needle, inField: name)
        case .body(let needle): return content?.bodyContains(needle)
        case .text(let needle): return content?.textContains(needle)
        case .candidates(let candidates): return candidates.contains(position)
        case .not(let program): return program.judge(position, row, content).map { !$0 }
        case .any(let programs): return SearchProgram.judge(programs, position, row, content, decisive: true)
        case .all(let programs): return SearchProgram.judge(programs, position, row, content, decisive: false)
        }
    }

    /// `or` for `decisive` true, `and` for false: one such verdict settles it, even when others are open.
    private static func judge(
        _ programs: [SearchProgram], _ position: Int, _ row: MessageRow, _ content: SearchedContent?, decisive: Bool
    ) -> Bool? {
        var isOpen = false
        for program in programs {
            guard let verdict = program.judge(position, row, content) else {
                isOpen = true
                continue
            }
            if verdict == decisive { return decisive }
        }
        return isOpen ? nil : !decisive
    }
}

/// The part of a program that can be looked up instead of being tried on each message.
struct SearchBounds: Sendable {
    /// `flags & mask == value`
    private(set) var mask: FlagBits = []
    private(set) var value: FlagBits = []
    /// All of them hold.
    private var uids: [NumberSet] = []
    private var sequenceNumbers: [NumberSet] = []
    /// Nil when nothing is left.
    fileprivate(set) var rest: SearchProgram?

    fileprivate mutating func take(_ program: SearchProgram) -> Bool {
        switch program {
        case .constant(true): return true
        case .flags(let bits, let wanted) where mask.isDisjoint(with: bits):
            mask.formUnion(bits)
            value.formUnion(wanted)
            return true
        case .uids(let set):
            uids.append(set)
            return true
        case .sequenceNumbers(let set):
            sequenceNumbers.append(set)
            return true
        case .constant, .candidates, .flags, .modSeq, .larger, .smaller, .arrived, .savedDay, .email, .thread, .day,
            .sentDay, .envelope, .header,
            .body, .text,
            .not,
            .any, .all:
            return false
        }
    }

    /// The positions to be looked at, ascending.
    func positions(in view: MailboxSnapshot) -> [Range<Int>] {
        guard !view.isEmpty else { return [] }
        var numbers = NumberSet(1...UInt32(view.count))
        for set in sequenceNumbers { numbers = numbers.intersection(set) }
        for set in uids {
            let found = view.positions(ofManyUIDs: set).map { UInt32($0.lowerBound + 1)...UInt32($0.upperBound) }
            numbers = numbers.intersection(NumberSet(ascending: found))
        }
        return numbers.ranges.map { Int($0.lowerBound) - 1..<Int($0.upperBound) }
    }
}

extension SearchKey.DateRelation {
    func holds(_ day: Int64, _ limit: Int64) -> Bool {
        switch self {
        case .before: day < limit
        case .on: day == limit
        case .since: day >= limit
        }
    }
}

extension Timestamp {
    /// Days since 1970 in the timestamp's own zone: "disregarding time and timezone" (RFC 3501 §6.4.4).
    var dayOfWriting: Int64 {
        let local = seconds + Int64(zoneMinutes) * 60
        return local >= 0 ? local / 86_400 : (local - 86_399) / 86_400
    }
}
