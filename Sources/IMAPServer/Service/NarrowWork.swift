import IMAPSyntax
import MailStore
import MailVocabulary

/// A FETCH with modifiers: which of the messages that a set names are meant (RFC 7162 §3.1.4.1, §3.2.6).
package struct FetchScope: Sendable {
    let view: MailboxSnapshot
    /// Of the view; ascending.
    let positions: [Range<Int>]
    /// The set as UIDs, of messages or not: of which VANISHED tells.
    let uids: NumberSet
    let modifiers: FetchModifiers
}

package struct NarrowedFetch: Sendable {
    var positions: [Range<Int>]
    var vanished = NumberSet()
}

extension IMAPService {
    func narrow(_ scope: FetchScope) async throws -> NarrowedFetch {
        var narrowed = NarrowedFetch(positions: scope.positions)
        guard let since = scope.modifiers.changedSince.map({ ModSeq($0) }) else { return narrowed }
        narrowed.positions = scope.view.positions(scope.positions, changedSince: since)
        if scope.modifiers.vanished {
            narrowed.vanished = try await vanished(from: scope.view, since: since).intersection(scope.uids)
        }
        return narrowed
    }
}
