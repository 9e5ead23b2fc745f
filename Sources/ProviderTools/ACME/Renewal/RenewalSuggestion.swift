/// When an authority would like a certificate to be renewed (RFC 9773): such as before it revokes many.
extension ACMEClient {
    /// Seconds since 1970: a time of the authority's window that is the certificate's own. Nil when it says nothing.
    func suggestedRenewal(of chain: CertificateChain) async throws(ACMEError) -> Int64? {
        guard let identifier = chain.renewalIdentifier, let url = try await directory().renewalInfo else { return nil }
        let (information, _): (RenewalInformation, _) = try await get(url + "/" + identifier)
        let window = information.suggestedWindow
        guard let start = RenewalSchedule.time(window.start), let end = RenewalSchedule.time(window.end), end >= start
        else { throw .malformed("its renewal window has no times") }
        return start + Int64(Double(end - start) * chain.fraction)
    }
}
