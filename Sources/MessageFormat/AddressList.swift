import WireFraming

/// The members of an address list (RFC 5322 §3.4), as far as it is one: at most `MessageLimits.addresses`.
package func addressList(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [EnvelopeAddress] {
    var budget = RetentionBudget()
    return AddressListParser.parse(bytes, range, &budget)
}
