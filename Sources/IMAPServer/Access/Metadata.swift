import IMAPSyntax
import MailStore
import MailVocabulary

// GETMETADATA and SETMETADATA (RFC 5464).

extension IMAPService {
    /// What is asked for by its name is told, with NIL when it has no value; what is below it only when it has one.
    func metadata(_ request: MetadataRequest, for user: Account) async throws -> IMAPOutcome {
        let mailbox = try await annotated(request.place, for: user)?.mailbox.id
        let known = try await store.annotations(request.selection, on: [mailbox], for: user.id).first ?? []
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
        try await store.setAnnotations(
            changes.map { ($0.name, $0.value) }, on: found?.mailbox.id, for: user.id)
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
