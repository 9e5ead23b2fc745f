import IMAPSyntax
import MailStore
import MailVocabulary

// GETMETADATA and SETMETADATA (RFC 5464).

extension IMAPService {
    /// What is asked for by its name is told, with NIL when it has no value; what is below it only when it has one.
    func metadata(_ request: MetadataRequest, for user: Account) async throws -> IMAPOutcome {
        let found = try await annotated(request.place, for: user)
        var known = try await store.annotations(request.selection, on: [found?.mailbox.id], for: user.id).first ?? []
        if let use = found?.specialUseEntry, request.selection.selects(use.name) {
            known = (known + [use]).sorted { $0.name < $1.name }
        }
        var largest: Int?
        var values: [(name: AnnotationName, value: [UInt8]?)] = []
        for annotation in known {
            if let limit = request.maximumSize, UInt64(annotation.value.count) > limit {
                largest = max(largest ?? 0, annotation.value.count)
            } else {
                values.append((annotation.name, annotation.value))
            }
        }
        if request.selection.depth == .zero {
            let present = Set(known.map(\.name))
            var told = present
            for name in request.selection.names where told.insert(name).inserted { values.append((name, nil)) }
        }
        return .metadata(values, largestLeftOut: largest)
    }

    func setMetadata(_ changes: [MetadataChange], on place: AnnotatedPlace, for user: Account) async throws {
        let found = try await annotated(place, for: user)
        if changes.contains(where: { !$0.name.isPrivate }) {
            // Shared entries of the server are nobody's to set; those of a mailbox are for who may write in it.
            guard let found, found.rights.contains(.write) else { throw AccessDenied() }
        }
        var changes = changes
        let use = try found.map { try SpecialUseChange(taking: &changes, on: $0) } ?? .keep
        try await store.setAnnotations(
            changes.map { ($0.name, $0.value) }, use, on: found?.mailbox.id, for: user.id)
    }

    /// The mailbox, if the user may read annotations of it (RFC 5464 §3.3); nil for the server.
    private func annotated(_ place: AnnotatedPlace, for user: Account) async throws -> FoundMailbox? {
        switch place {
        case .server: return nil
        case .mailbox(let name):
            let found = try await require(.lookUp, on: name, for: user)
            guard !found.rights.isDisjoint(with: .annotating) else { throw AccessDenied() }
            return found
        }
    }
}

/// A mailbox is for one thing at most, of those that are known, and its owner says what.
struct UnusableUse: Error {}

extension SpecialUseChange {
    /// Takes the entry that is tied to what the mailbox is for (RFC 6154 §4) out of the others.
    fileprivate init(taking changes: inout [MetadataChange], on found: FoundMailbox) throws(UnusableUse) {
        guard let index = changes.firstIndex(where: { $0.name == .specialUse }) else {
            self = .keep
            return
        }
        guard found.isOwn else { throw UnusableUse() }
        guard let value = changes.remove(at: index).value, !value.isEmpty else {
            self = .set(nil)
            return
        }
        let text = String(decoding: value, as: UTF8.self).asciiLowercased()
        guard let use = SpecialUse.allCases.first(where: { $0.rawValue.asciiLowercased() == text }) else {
            throw UnusableUse()
        }
        self = .set(use)
    }
}

extension FoundMailbox {
    /// What the mailbox is for, as an entry; nil when it is for nothing in particular, or another's.
    var specialUseEntry: Annotation? {
        guard isOwn, let use = mailbox.specialUse else { return nil }
        return Annotation(name: .specialUse, value: Array(use.rawValue.utf8))
    }
}
