extension MessageSummary {
    /// Reads a message. Any bytes are one: what cannot be understood is left out of the envelope or described as
    /// text/plain. Takes time in proportion to the size; what is kept is bounded by `MessageLimits`.
    package init(parsing message: Span<UInt8>) {
        var parser = StructureParser(message)
        (envelope, references, structure) = parser.parse()
        preview = structure.preview(of: message)
    }
}

extension Envelope {
    init(_ bytes: Span<UInt8>, _ fields: KnownFields, _ budget: inout RetentionBudget) {
        func text(_ field: KnownField) -> [UInt8]? { fields[field].map { budget.value(bytes, $0) } }
        func list(_ field: KnownField) -> [EnvelopeAddress] {
            fields[field].map { AddressListParser.parse(bytes, $0, &budget) } ?? []
        }
        date = text(.date)
        subject = text(.subject)
        from = list(.from)
        sender = list(.sender)
        if sender.isEmpty { sender = from }
        replyTo = list(.replyTo)
        if replyTo.isEmpty { replyTo = from }
        to = list(.to)
        cc = list(.cc)
        bcc = list(.bcc)
        inReplyTo = text(.inReplyTo)
        messageID = text(.messageID)
    }
}

extension BodyPart {
    /// A leaf described by its header; the body is still to be read.
    init(
        _ bytes: Span<UInt8>, _ fields: KnownFields, default: MediaType, headerRange: Range<Int>,
        _ budget: inout RetentionBudget
    ) {
        var media = `default`
        if let range = fields[.contentType] {
            var lexer = FieldLexer(bytes, range)
            media = budget.admit(lexer.mediaType() ?? .plainText)
        }
        self.init(
            type: media.type, subtype: media.subtype, parameters: media.parameters, headerRange: headerRange,
            bodyRange: headerRange.upperBound..<headerRange.upperBound, lineCount: 0, kind: .single)
        func text(_ field: KnownField) -> [UInt8]? {
            guard let value = fields[field].map({ budget.value(bytes, $0) }), !value.isEmpty else { return nil }
            return value
        }
        id = text(.contentID)
        description = text(.contentDescription)
        md5 = text(.contentMD5)
        location = text(.contentLocation)
        readStructured(bytes, fields, &budget)
    }

    private mutating func readStructured(
        _ bytes: Span<UInt8>, _ fields: KnownFields, _ budget: inout RetentionBudget
    ) {
        if let range = fields[.contentTransferEncoding] {
            var lexer = FieldLexer(bytes, range)
            let token = budget.admit(lexer.token())
            if !token.isEmpty { encoding = token }
        }
        if let range = fields[.contentDisposition] {
            var lexer = FieldLexer(bytes, range)
            disposition = lexer.disposition().map { found in
                Disposition(type: budget.admit(found.type), parameters: budget.admit(found.parameters))
            }
        }
        if let range = fields[.contentLanguage] {
            var lexer = FieldLexer(bytes, range)
            languages = lexer.languages().map { budget.admit($0) }.filter { !$0.isEmpty }
        }
    }

    var mediaType: MediaType {
        get { MediaType(type: type, subtype: subtype, parameters: parameters) }
        set { (type, subtype, parameters) = (newValue.type, newValue.subtype, newValue.parameters) }
    }

    mutating func readAsPlainText() {
        mediaType = .plainText
        kind = .text
    }
}

extension RetentionBudget {
    fileprivate mutating func admit(_ media: MediaType) -> MediaType {
        let type = admit(media.type)
        let subtype = admit(media.subtype)
        // A type that may not be kept is no type to go by.
        guard !type.isEmpty, !subtype.isEmpty else { return .opaque }
        return MediaType(type: type, subtype: subtype, parameters: admit(media.parameters))
    }

    /// A parameter that may not be kept whole is left out.
    fileprivate mutating func admit(_ parameters: [BodyParameter]) -> [BodyParameter] {
        var kept: [BodyParameter] = []
        for parameter in parameters where parameter.name.count + parameter.value.count <= octets {
            octets -= parameter.name.count + parameter.value.count
            kept.append(parameter)
        }
        return kept
    }
}
