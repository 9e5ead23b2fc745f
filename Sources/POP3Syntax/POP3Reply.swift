package import WireFraming

/// Why a command failed, for programs (IANA POP3 Response Codes registry).
package enum POP3ResponseCode: Sendable, CaseIterable {
    /// The password is right, but another session has the maildrop (RFC 2449 §8.1.2).
    case inUse
    /// Something about the credentials (RFC 3206 §5): the user should be asked for others.
    case authentication
    /// A fault that may pass: try again later (RFC 3206 §4).
    case temporary
    /// A fault that stays until someone changes something (RFC 3206 §4).
    case permanent
    /// The message needs UTF-8 mode (RFC 6856 §5).
    case utf8

    package var text: StaticString {
        switch self {
        case .inUse: "[IN-USE]"
        case .authentication: "[AUTH]"
        case .temporary: "[SYS/TEMP]"
        case .permanent: "[SYS/PERM]"
        case .utf8: "[UTF8]"
        }
    }
}

// single-line = status [SP text] CRLF ; status = "+OK" / "-ERR"          RFC 2449 §3
//
// Texts are static strings. What a client sent can then not come back in a reply: a page in a browser that is made to
// talk to this port learns nothing it can execute, and a log of the dialogue shows no secret.
extension OutputBuffer {
    package mutating func ok(_ text: StaticString) {
        append("+OK ")
        append(text)
        appendLineEnd()
    }

    package mutating func error(_ text: StaticString, code: POP3ResponseCode? = nil) {
        append("-ERR ")
        if let code {
            append(code.text)
            append(0x20)
        }
        append(text)
        appendLineEnd()
    }

    /// `+OK` and two numbers: a drop listing, or a scan listing of one message (RFC 1939 §5).
    package mutating func ok(_ first: Int, _ second: Int) {
        append("+OK ")
        append(decimal: first)
        append(0x20)
        append(decimal: second)
        appendLineEnd()
    }

    /// `+OK maildrop has 2 messages (320 octets)`
    package mutating func okMaildrop(count: Int, octets: Int) {
        append("+OK maildrop has ")
        append(decimal: count)
        append(count == 1 ? " message (" : " messages (")
        append(decimal: octets)
        append(octets == 1 ? " octet)" : " octets)")
        appendLineEnd()
    }

    // continue-req = "+" SP [base64] CRLF          RFC 5034 §8
    package mutating func continuation(_ base64: [UInt8]) {
        append("+ ")
        append(base64)
        appendLineEnd()
    }

    /// Ends a multi-line reply.
    package mutating func appendTerminator() {
        append(".")
        appendLineEnd()
    }
}
