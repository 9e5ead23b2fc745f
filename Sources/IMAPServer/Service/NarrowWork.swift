import IMAPSyntax
import MailStore
import MailVocabulary

/// A FETCH with modifiers: which of the messages that a set names are meant (RFC 7162 §3.1.4.1, §3.2.6; RFC 9394 §3.3).
package struct FetchScope: Sendable {
    let view: MailboxSnapshot
    /// Of the view; ascending.
    let positions: [Range<Int>]
    /// The set as UIDs, of messages or not: of which VANISHED tells.
    let uids: NumberSet
    let modifiers: FetchModifiers
    /// Of the messages that PARTIAL chooses (RFC 9738).
    let limit: UInt32?
}

package struct NarrowedFetch: Sendable {
    var positions: [Range<Int>]
    var vanished = NumberSet()
    /// Whether PARTIAL chooses more than the limit: then nothing is done.
    var isTooMuch = false
}

extension IMAPService {
    func narrow(_ scope: FetchScope) async throws -> NarrowedFetch {
        var narrowed = NarrowedFetch(positions: scope.positions)
        if let partial = scope.modifiers.partial {
            narrowed.positions = narrowed.positions.results(partial)
            narrowed.isTooMuch = narrowed.positions.positionCount > scope.limit.map { Int($0) } ?? .max
            if narrowed.isTooMuch { return narrowed }
        }
        guard let since = scope.modifiers.changedSince.map({ ModSeq($0) }) else { return narrowed }
        narrowed.positions = scope.view.positions(narrowed.positions, changedSince: since)
        if scope.modifiers.vanished {
            narrowed.vanished = try await vanished(from: scope.view, since: since).intersection(scope.uids)
        }
        return narrowed
    }
}

extension [Range<Int>] {
    /// Of all the positions in these ranges, those that stand at such places.
    fileprivate func results(_ partial: ResultRange) -> [Range<Int>] {
        let wanted = partial.indices(ofCount: positionCount)
        var results: [Range<Int>] = []
        // How many positions were before the present range.
        var passed = 0
        for range in self {
            let part = wanted.clamped(to: passed..<passed + range.count)
            if !part.isEmpty {
                let first = range.lowerBound + part.lowerBound - passed
                results.append(first..<first + part.count)
            }
            passed += range.count
        }
        return results
    }
}
