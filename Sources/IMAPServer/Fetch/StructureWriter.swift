import IMAPSyntax
import MessageFormat
import WireFraming

extension OutputBuffer {
    // body = "(" (body-type-1part / body-type-mpart) ")"          RFC 3501 §9
    /// - Parameter extended: BODYSTRUCTURE, with extension data; else BODY.
    mutating func append(structure part: BodyPart, extended: Bool, _ enabled: EnabledFeatures) {
        append(UInt8(ascii: "("))
        if case .multipart(let children) = part.kind {
            // body-type-mpart = 1*body SP media-subtype [SP body-ext-mpart]
            for child in children { append(structure: child, extended: extended, enabled) }
            append(UInt8(ascii: " "))
            append(string: part.subtype, enabled.stringEncoding)
            if extended {
                // body-ext-mpart = body-fld-param [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc …]]]
                append(UInt8(ascii: " "))
                append(parameters: part.parameters, enabled)
                appendExtension(of: part, enabled)
            }
        } else {
            appendSingle(part, extended: extended, enabled)
        }
        append(UInt8(ascii: ")"))
    }

    // body-type-1part = (body-type-basic / body-type-msg / body-type-text) [SP body-ext-1part]
    // body-fields     = body-fld-param SP body-fld-id SP body-fld-desc SP body-fld-enc SP body-fld-octets
    private mutating func appendSingle(_ part: BodyPart, extended: Bool, _ enabled: EnabledFeatures) {
        let strings = enabled.stringEncoding
        append(string: part.type, strings)
        append(UInt8(ascii: " "))
        append(string: part.subtype, strings)
        append(UInt8(ascii: " "))
        append(parameters: part.parameters, enabled)
        append(UInt8(ascii: " "))
        append(nstring: part.id, strings)
        append(UInt8(ascii: " "))
        append(nstring: part.description, strings)
        append(UInt8(ascii: " "))
        append(string: part.encoding, strings)
        append(UInt8(ascii: " "))
        append(decimal: part.bodyRange.count)
        appendKind(of: part, extended: extended, enabled)
        guard extended else { return }
        // body-ext-1part = body-fld-md5 [SP body-fld-dsp [SP body-fld-lang [SP body-fld-loc …]]]
        append(UInt8(ascii: " "))
        append(nstring: part.md5, strings)
        appendExtension(of: part, enabled)
    }

    // body-type-text = … SP body-fld-lines        body-type-msg = … SP envelope SP body SP body-fld-lines
    private mutating func appendKind(of part: BodyPart, extended: Bool, _ enabled: EnabledFeatures) {
        let strings = enabled.stringEncoding
        switch part.kind {
        case .single, .multipart: break
        case .text:
            append(UInt8(ascii: " "))
            append(decimal: part.lineCount)
        case .message(let envelope, let inner):
            // media-message = DQUOTE "MESSAGE" DQUOTE SP DQUOTE ("RFC822" / "GLOBAL") DQUOTE     RFC 9051 §9, RFC 9755 §6
            // To others message/global is a basic part; what is in it can be fetched all the same.
            guard part.subtype == Array("RFC822".utf8) || strings == .utf8 else { return }
            append(UInt8(ascii: " "))
            append(envelope: envelope, strings)
            append(UInt8(ascii: " "))
            append(structure: inner, extended: extended, enabled)
            append(UInt8(ascii: " "))
            append(decimal: part.lineCount)
        }
    }

    private mutating func appendExtension(of part: BodyPart, _ enabled: EnabledFeatures) {
        let strings = enabled.stringEncoding
        append(UInt8(ascii: " "))
        if let disposition = part.disposition {
            // body-fld-dsp = "(" string SP body-fld-param ")" / nil
            append(UInt8(ascii: "("))
            append(string: disposition.type, strings)
            append(UInt8(ascii: " "))
            append(parameters: disposition.parameters, enabled)
            append(UInt8(ascii: ")"))
        } else {
            append("NIL" as StaticString)
        }
        append(UInt8(ascii: " "))
        append(languages: part.languages, strings)
        append(UInt8(ascii: " "))
        append(nstring: part.location, strings)
    }

    // body-fld-lang = nstring / "(" string *(SP string) ")"
    private mutating func append(languages: [[UInt8]], _ strings: StringEncoding) {
        guard languages.count > 1 else { return append(nstring: languages.first, strings) }
        append(UInt8(ascii: "("))
        for (index, language) in languages.enumerated() {
            if index > 0 { append(UInt8(ascii: " ")) }
            append(string: language, strings)
        }
        append(UInt8(ascii: ")"))
    }

    // body-fld-param = "(" string SP string *(SP string SP string) ")" / nil
    /// IMAP4rev2 has values in UTF-8 under their plain names (RFC 9051 §7.5.2); before, they are as the message has
    /// them.
    private mutating func append(parameters found: [BodyParameter], _ enabled: EnabledFeatures) {
        let parameters = enabled.contains(.imap4rev2) ? found.decoded : found
        guard !parameters.isEmpty else { return append("NIL" as StaticString) }
        append(UInt8(ascii: "("))
        for (index, parameter) in parameters.enumerated() {
            if index > 0 { append(UInt8(ascii: " ")) }
            append(string: parameter.name, enabled.stringEncoding)
            append(UInt8(ascii: " "))
            append(string: parameter.value, enabled.stringEncoding)
        }
        append(UInt8(ascii: ")"))
    }
}

extension [BodyParameter] {
    /// With a value in a character set in the place of its ASCII substitute (RFC 5987 §4.2 has both in one field).
    fileprivate var decoded: [BodyParameter] {
        let star = UInt8(ascii: "*")
        let extended: Set<[UInt8]> = Set(filter { $0.name.last == star }.map { [UInt8]($0.name.dropLast()) })
        guard !extended.isEmpty else { return self }
        return compactMap { (parameter) -> BodyParameter? in
            guard parameter.name.last == star else { return extended.contains(parameter.name) ? nil : parameter }
            return BodyParameter(name: [UInt8](parameter.name.dropLast()), value: parameter.decoded)
        }
    }
}
