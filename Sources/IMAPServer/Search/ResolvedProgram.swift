import MailVocabulary

// What columns can tell of a program is put into it as sets of UIDs: then no summary is read.

extension SearchProgram {
    /// Which columns can tell something of it.
    var columnKinds: ColumnKinds {
        switch self {
        case .envelope(let field, _): field.column
        case .sentDay: .sentDate
        case .not(let program): program.columnKinds
        case .any(let programs), .all(let programs): programs.reduce(into: []) { $0.formUnion($1.columnKinds) }
        case .constant, .candidates, .flags, .uids, .sequenceNumbers, .modSeq, .larger, .smaller, .arrived, .savedDay,
            .email, .thread, .day,
            .header, .body,
            .text:
            []
        }
    }

    /// Whether a message's own octets may have to be read for it.
    var needsText: Bool {
        switch self {
        case .header, .body, .text: true
        case .not(let program): program.needsText
        case .any(let programs), .all(let programs): programs.contains(where: \.needsText)
        case .constant, .candidates, .flags, .uids, .sequenceNumbers, .modSeq, .larger, .smaller, .arrived, .savedDay,
            .email, .thread, .day,
            .sentDay,
            .envelope:
            false
        }
    }

    /// The same, what columns know looked up. A message of which they know nothing matches nothing.
    func resolved(by table: ColumnTable) -> SearchProgram {
        .all([.uids(table.uids(with: columnKinds)), lookedUp(in: table)])
    }

    private func lookedUp(in table: ColumnTable) -> SearchProgram {
        switch self {
        case .envelope(let field, let needle): .uids(table.uids(field.column, containing: needle))
        case .sentDay(let relation, let day): .uids(table.uids { relation.holds($0, day) })
        case .not(let program): .not(program.lookedUp(in: table))
        case .any(let programs): .any(programs.map { $0.lookedUp(in: table) })
        case .all(let programs): .all(programs.map { $0.lookedUp(in: table) })
        case .constant, .candidates, .flags, .uids, .sequenceNumbers, .modSeq, .larger, .smaller, .arrived, .savedDay,
            .email, .thread, .day,
            .header, .body,
            .text:
            self
        }
    }
}
