/// One node of a message's MIME structure (RFC 9051 §7.5.2 BODYSTRUCTURE). Ranges are octets from the start of the whole
/// message, so that any section is one range read. Values hold no CR, LF or NUL.
///
/// Types, subtypes, parameter names, encodings and disposition types are in upper case, as Cyrus and UW send them, so
/// that they compare as they are; parameter values are as found.
package struct BodyPart: Sendable, Equatable {
    /// `TEXT` when the part has no readable Content-Type (RFC 2045 §5.2).
    package var type: [UInt8]
    package var subtype: [UInt8]
    package var parameters: [BodyParameter]
    /// Content-ID, with its angle brackets.
    package var id: [UInt8]?
    package var description: [UInt8]?
    /// `7BIT` when there is no Content-Transfer-Encoding (RFC 2045 §6.1).
    package var encoding: [UInt8]
    package var md5: [UInt8]?
    package var disposition: Disposition?
    /// Content-Language, one tag each.
    package var languages: [[UInt8]]
    package var location: [UInt8]?
    /// The part's MIME header with its blank line; of the root, the message's header. Empty when the part has none.
    package var headerRange: Range<Int>
    /// What follows the header; without the line end that belongs to a boundary delimiter.
    package var bodyRange: Range<Int>
    /// Line ends in the body. IMAP tells it for text and message/rfc822.
    package var lineCount: Int
    package var kind: Kind

    package enum Kind: Sendable, Equatable {
        case single
        case text
        /// message/rfc822 or message/global; the part is the encapsulated message, its `headerRange` that message's.
        indirect case message(Envelope, BodyPart)
        /// Never empty.
        case multipart([BodyPart])
    }

    package struct Disposition: Sendable, Equatable {
        package var type: [UInt8]
        package var parameters: [BodyParameter]

        package init(type: [UInt8], parameters: [BodyParameter]) {
            self.type = type
            self.parameters = parameters
        }
    }

    package init(
        type: [UInt8], subtype: [UInt8], parameters: [BodyParameter] = [], id: [UInt8]? = nil,
        description: [UInt8]? = nil, encoding: [UInt8] = BodyPart.sevenBit, md5: [UInt8]? = nil,
        disposition: Disposition? = nil, languages: [[UInt8]] = [], location: [UInt8]? = nil,
        headerRange: Range<Int>, bodyRange: Range<Int>, lineCount: Int, kind: Kind
    ) {
        self.type = type
        self.subtype = subtype
        self.parameters = parameters
        self.id = id
        self.description = description
        self.encoding = encoding
        self.md5 = md5
        self.disposition = disposition
        self.languages = languages
        self.location = location
        self.headerRange = headerRange
        self.bodyRange = bodyRange
        self.lineCount = lineCount
        self.kind = kind
    }

    package static let sevenBit = Array("7BIT".utf8)
}

/// A Content-Type or Content-Disposition parameter.
///
/// Continuations (`name*0`, `name*1`; RFC 2231 §3) are joined into one parameter `NAME`. A value with a character set
/// (`name*`, `name*0*`; §4) stays in its extended form, `charset'language'percent-encoded`, under `NAME*`, joined if
/// need be: that is what IMAP4rev1 clients decode. `decoded` is the form RFC 9051 §7.5.2 asks for.
package struct BodyParameter: Sendable, Hashable {
    package var name: [UInt8]
    package var value: [UInt8]

    package init(name: [UInt8], value: [UInt8]) {
        self.name = name
        self.value = value
    }
}
