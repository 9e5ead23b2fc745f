import MailVocabulary
import WireFraming

/// What a client calls itself in EHLO or HELO: recorded, never believed (RFC 5321 §4.1.4).
package enum ClientName: Sendable, Hashable {
    case domain(String)
    case literal(AddressLiteral)
    /// Printable, but neither: user agents without a name of their own send such things, and mail must not be
    /// refused for it. It is not put into trace fields.
    case malformed

    static let maximumLength = Domain.maximumLength + 2

    // ehlo = "EHLO" SP ( Domain / address-literal ) CRLF         RFC 5321 §4.1.1.1
    package init(parsing arguments: Span<UInt8>) throws(SMTPSyntaxError) {
        var cursor = ByteCursor(arguments)
        _ = cursor.take { $0 == 0x20 }
        let start = cursor.position
        let range = cursor.take { $0 > 0x20 && $0 < 0x7F }
        let end = cursor.take { $0 == 0x20 }
        guard cursor.isAtEnd, end.upperBound == arguments.count, (1...Self.maximumLength).contains(range.count) else {
            throw .badArgument
        }
        cursor.position = start
        if let literal = cursor.addressLiteral(), cursor.position == range.upperBound {
            self = .literal(literal)
        } else {
            cursor.position = start
            let domain = cursor.domain()
            self = cursor.position == range.upperBound ? domain.map { .domain($0.name) } ?? .malformed : .malformed
        }
    }
}
