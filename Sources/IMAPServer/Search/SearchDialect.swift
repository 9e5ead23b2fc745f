import IMAPSyntax

// What ENABLE changes of SEARCH.

extension SearchRequest {
    /// In IMAP4rev2 the answer is always an ESEARCH (RFC 9051 §6.4.4).
    func adapted(to enabled: EnabledFeatures) -> SearchRequest {
        guard enabled.contains(.imap4rev2), returns == nil else { return self }
        var request = self
        request.returns = .all
        return request
    }
}

extension EnabledFeatures {
    /// Why a search cannot be understood; nil when it can. `\Recent` is unknown to IMAP4rev2 (RFC 9051 appendix E), and
    /// with UTF8=ACCEPT strings are in UTF-8 and in nothing else (RFC 9755 §3).
    ///
    /// - Parameter needsCharset: whether a charset has to be named, as in SORT and THREAD.
    func refusal(of key: SearchKey, charset: String?, needsCharset: Bool = false) -> String? {
        if contains(.utf8Accept), let charset {
            if !needsCharset { return "No CHARSET after ENABLE UTF8=ACCEPT" }
            if charset != "UTF-8" { return "Strings are in UTF-8 after ENABLE UTF8=ACCEPT" }
        }
        if contains(.imap4rev2), key.asksForRecent { return "IMAP4rev2 has no RECENT, NEW and OLD" }
        return nil
    }
}

extension SearchKey {
    fileprivate var asksForRecent: Bool {
        switch self {
        case .recent, .new, .old: true
        case .not(let key), .fuzzy(let key): key.asksForRecent
        case .or(let first, let second): first.asksForRecent || second.asksForRecent
        case .and(let keys): keys.contains(where: \.asksForRecent)
        case _: false
        }
    }
}
