import TLSPolicy

/// Which key a certificate gets: the one it has, or the next one, which is put in use only when every TLSA record that is
/// published for the server names it too, and has for as long as others may keep the records from before (RFC 7671 §8.1).
struct KeyChoice: Sendable {
    let files: CertificateFolder
    let type: CertificateKeyType
    let rollsKeys: Bool
    /// What the DNS publishes now.
    let published: @Sendable () async -> PublishedKeys
    let now: Int64

    /// - Parameter state: gets what is seen of the next key, and what the operator is to do.
    func choose(current: CertificateKey?, _ state: inout RenewalState) async throws(ACMEError) -> CertificateKey {
        guard let current else {
            let first = if let next = files.nextKey() { next } else { try CertificateKey(type) }
            let lacking = await published().lacking(first)
            state.recordAdvice = lacking.isEmpty ? nil : Self.advice(first, lacking, "the server's new key")
            return first
        }
        guard rollsKeys || current.type != type else {
            state.recordAdvice = nil
            return current
        }
        return try await observe(&state) ? prepared() : current
    }

    /// The key to come, made when there is none of the kind.
    func prepared() throws(ACMEError) -> CertificateKey {
        if let next = files.nextKey(), next.type == type { return next }
        let next = try CertificateKey(type)
        try files.writeNextKey(next)
        return next
    }

    /// Looks at what is published; whether the next key may be put in use now.
    func observe(_ state: inout RenewalState) async throws(ACMEError) -> Bool {
        let next = try prepared()
        let published = await published()
        guard published.unknown.isEmpty else {
            state.recordAdvice =
                "the key is not changed while these cannot be looked up: " + published.unknown.joined(separator: ", ")
            return false
        }
        let lacking = published.lacking(next)
        guard lacking.isEmpty else {
            state.nextKeyPublished = nil
            state.recordLifetime = max(state.recordLifetime ?? 0, published.longestLifetime)
            state.recordAdvice = Self.advice(next, lacking, "the next key")
            return false
        }
        guard !published.binding.isEmpty else {
            state.recordAdvice = nil
            return true
        }
        let since = state.nextKeyPublished ?? now
        let lifetime = max(state.recordLifetime ?? 0, published.longestLifetime)
        (state.nextKeyPublished, state.recordLifetime) = (since, lifetime)
        let wait = since + lifetime - now
        state.recordAdvice = wait > 0 ? "the next key is published; it may be put in use in \(wait) s" : nil
        return wait <= 0
    }

    private static func advice(_ key: CertificateKey, _ places: [PublishedKeys.Place], _ what: String) -> String {
        let record = TLSARecord.publishing(key)
        return "\(what) is not published; add beside the records that are there: "
            + places.map { "\($0.name). IN TLSA \(record)" }.joined(separator: "; ")
    }
}
