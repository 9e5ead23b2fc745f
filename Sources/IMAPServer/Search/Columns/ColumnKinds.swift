import IMAPSyntax

/// What a column holds of each message: one value of its summary, in the form that searching, sorting or threading
/// needs. Text is mapped by i;unicode-casemap (RFC 5255 §4.3).
struct ColumnKinds: OptionSet, Sendable, Hashable {
    let rawValue: UInt16

    // For searches: what is looked at by the key of this name.
    static let subject = ColumnKinds(rawValue: 1)
    static let from = ColumnKinds(rawValue: 2)
    static let to = ColumnKinds(rawValue: 4)
    static let cc = ColumnKinds(rawValue: 8)
    static let bcc = ColumnKinds(rawValue: 16)
    /// For searches and sorting: the moment, and the writer's day.
    static let sentDate = ColumnKinds(rawValue: 32)
    // For sorting: the first address's mailbox.
    static let fromMailbox = ColumnKinds(rawValue: 64)
    static let toMailbox = ColumnKinds(rawValue: 128)
    static let ccMailbox = ColumnKinds(rawValue: 256)
    /// RFC 5957 §3.
    static let displayFrom = ColumnKinds(rawValue: 512)
    static let displayTo = ColumnKinds(rawValue: 1024)
    /// With whether it is a reply's or a forward's.
    static let baseSubject = ColumnKinds(rawValue: 2048)
    /// The message's identifier, and those it refers to.
    static let threading = ColumnKinds(rawValue: 4096)

    /// What clients mostly ask for in a large mailbox: searching by subject, and the ways of listing it.
    static let usual: ColumnKinds = [.subject, .sentDate, .fromMailbox, .baseSubject, .threading]

    /// The kinds in it, one by one.
    var each: [ColumnKinds] {
        (0..<13).map { ColumnKinds(rawValue: 1 << $0) }.filter { contains($0) }
    }
}

extension SearchKey.EnvelopeField {
    var column: ColumnKinds {
        switch self {
        case .from: .from
        case .to: .to
        case .cc: .cc
        case .bcc: .bcc
        case .subject: .subject
        }
    }
}

extension SortKey {
    /// Nil for what the index knows.
    var column: ColumnKinds? {
        switch self {
        case .arrival, .size, .relevancy: nil
        case .date: .sentDate
        case .subject: .baseSubject
        case .from: .fromMailbox
        case .to: .toMailbox
        case .cc: .ccMailbox
        case .displayFrom: .displayFrom
        case .displayTo: .displayTo
        }
    }
}

extension ThreadAlgorithm {
    var columns: ColumnKinds {
        switch self {
        case .orderedSubject: [.baseSubject, .sentDate]
        case .references: [.threading, .baseSubject, .sentDate]
        case .refs: [.threading, .sentDate]
        }
    }
}
