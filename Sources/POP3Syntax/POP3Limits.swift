import SASL

/// What a client may send on one line. All counts are octets without the line end.
package enum POP3Limits {
    /// RFC 2449 §4: 255 octets with CRLF.
    package static let command = 253
    /// `USER ` or `PASS ` and 255 octets: what PLAIN takes (RFC 4616 §2), the older commands take too.
    package static let login = 5 + SASLLimits.field
    /// A line of an authentication exchange that can hold any acceptable response.
    package static let response = SASLLimits.encodedResponse
    /// `AUTH`, a mechanism's name (20 octets at most, RFC 4422 §3.1) and an initial response. RFC 5034 §4 tells clients
    /// to send a response that does not fit into 255 octets by itself; taking it here too costs nothing.
    package static let auth = 5 + 20 + 1 + response
}
