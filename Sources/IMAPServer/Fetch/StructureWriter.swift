import IMAPSyntax
import MessageFormat
import WireFraming

extension OutputBuffer {
    // body = "(" (body-type-1part / body-type-mpart) ")"          RFC 3501 §9
    /// - Parameter extended: BODYSTRUCTURE, with extension data; else BODY.
    mutating func append(structure part: BodyPart, extended: Bool) {
        append(UInt8(ascii: "("))
        if case .multipart(let children) = part.kind {
            // body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
            for child in children { append(structure: child, extended: extended) }
            append(UInt8(ascii: " "))
            append(string: part.subtype)
            if extended {
                // body-ext-mpart = body-fld-param [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc …]]]
                append(UInt8(ascii: " "))
                append(parameters: part.parameters)
                appendExtension(of: part)
            }
        } else {
            appendSingle(part, extended: extended)
        }
        append(UInt8(ascii: ")"))
    }

    // body-type-1part = (body-type-basic / body-type-msg / body-type-text) [SP body-ext-1part]
    // body-fields     = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP body-fld-octets
    private mutating func appendSingle(_ part: BodyPart, extended: Bool) {
        append(string: part.type)
        append(UInt8(ascii: " "))
        append(string: part.subtype)
        append(UInt8(ascii: " "))
        append(parameters: part.parameters)
        append(UInt8(ascii: " "))
        append(nstring: part.id)
        append(UInt8(ascii: " "))
        append(nstring: part.description)
        append(UInt8(ascii: " "))
        append(string: part.encoding)
        append(UInt8(ascii: " "))
        append(decimal: part.bodyRange.count)
        appendKind(of: part, extended: extended)
        guard extended else { return }
        // body-ext-1part = body-fld-md5 [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc …]]]
        append(UInt8(ascii: " "))
        append(nstring: part.md5)
        appendExtension(of: part)
    }

    // body-type-text = … SP body-fld-lines        body-type-msg = … SP envelope SP body SP body-fld-lines
    private mutating func appendKind(of part: BodyPart, extended: Bool) {
        switch part.kind {
        case .single, .multipart: break
        case .text:
            append(UInt8(ascii: " "))
            append(decimal: part.lineCount)
        case .message(let envelope, let inner):
            // media-message = DQUOTE "MESSAGE" DQUOTE SP DQUOTE "RFC822" DQUOTE: message/global is a basic part to an
            // IMAP4rev1 client; what is in it can be fetched all the same.
            guard part.subtype == Array("RFC822".utf8) else { return }
            append(UInt8(ascii: " "))
            append(envelope: envelope)
            append(UInt8(ascii: " "))
            append(structure: inner, extended: extended)
            append(UInt8(ascii: " "))
            append(decimal: part.lineCount)
        }
    }

    private mutating func appendExtension(of part: BodyPart) {
        append(UInt8(ascii: " "))
        if let disposition = part.disposition {
            // body-fld-dsp = "(" string SP body-fld-param ")" / nil
            append(UInt8(ascii: "("))
            append(string: disposition.type)
            append(UInt8(ascii: " "))
            append(parameters: disposition.parameters)
            append(UInt8(ascii: ")"))
        } else {
            append("NIL" as StaticString)
        }
        append(UInt8(ascii: " "))
        append(languages: part.languages)
        append(UInt8(ascii: " "))
        append(nstring: part.location)
    }

    // body-fld-lang = nstring / "(" string *(SP string) ")"
    private mutating func append(languages: [[UInt8]]) {
        guard languages.count > 1 else { return append(nstring: languages.first) }
        append(UInt8(ascii: "("))
        for (index, language) in languages.enumerated() {
            if index > 0 { append(UInt8(ascii: " ")) }
            append(string: language)
        }
        append(UInt8(ascii: ")"))
    }

    // body-fld-param = "(" string SP string *(SP string SP string) ")" / nil
    private mutating func append(parameters: [BodyParameter]) {
        guard !parameters.isEmpty else { return append("NIL" as StaticString) }
        append(UInt8(ascii: "("))
        for (index, parameter) in parameters.enumerated() {
            if index > 0 { append(UInt8(ascii: " ")) }
            append(string: parameter.name)
            append(UInt8(ascii: " "))
            append(string: parameter.value)
        }
        append(UInt8(ascii: ")"))
    }
}
