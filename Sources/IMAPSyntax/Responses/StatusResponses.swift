import MailVocabulary
package import WireFraming

/// How a status response begins (RFC 9051 §7.1).
package enum StatusKind: String, Sendable, Hashable {
    case ok = "OK"
    case no = "NO"
    case bad = "BAD"
    /// Untagged only.
    case bye = "BYE"
    /// Untagged greeting only.
    case preauth = "PREAUTH"
}

extension OutputBuffer {
    // response-tagged = tag SP resp-cond-state CRLF
    // resp-text       = ["[" resp-text-code "]" SP] [text]          RFC 9051 §9
    /// - Parameters:
    ///   - tag: nil for an untagged response.
    ///   - text: one line of ASCII; what is neither is written as `?`, so that no text can end the line.
    package mutating func append(
        status: StatusKind, tag: String?, code: ResponseCode? = nil, _ text: String
    ) {
        if let tag { append(tag) } else { append(UInt8(ascii: "*")) }
        append(UInt8(ascii: " "))
        append(status.rawValue)
        append(UInt8(ascii: " "))
        if let code {
            append(UInt8(ascii: "["))
            append(code: code)
            append("] " as StaticString)
        }
        append(lineText: text)
        appendLineEnd()
    }

    /// The answer to a command that cannot be carried out as it is written.
    package mutating func append(_ error: SyntaxError) {
        let status: StatusKind =
            switch error.answer {
            case .bad: .bad
            case .no: error.tag == nil ? .bad : .no
            }
        append(status: status, tag: error.tag, code: error.code, error.message)
    }

    // continue-req = "+" SP (resp-text / base64) CRLF
    package mutating func append(continuation text: String) {
        append("+ " as StaticString)
        append(lineText: text)
        appendLineEnd()
    }

    private mutating func append(lineText text: String) {
        // An empty text is against RFC 3501's grammar, and some clients' taste.
        guard !text.isEmpty else { return append(UInt8(ascii: "-")) }
        for byte in text.utf8 { append(byte >= 0x20 && byte < 0x7F ? byte : UInt8(ascii: "?")) }
    }

    // resp-text-code = …          RFC 9051 §9
    package mutating func append(code: ResponseCode) {
        switch code {
        case .appendUID(let validity, let uids):
            append(uidCode: "APPENDUID", validity, [uids])
        case .copyUID(let validity, let source, let destination):
            append(uidCode: "COPYUID", validity, [source, destination])
        case .badCharset(let charsets):
            append("BADCHARSET" as StaticString)
            if !charsets.isEmpty { append(" (\(charsets.joined(separator: " ")))") }
        // unsupported-events-code = "BADEVENT" SP "(" event-name *(SP event-name) ")"          RFC 5465 §8
        case .badEvent(let names): append("BADEVENT (\(names.joined(separator: " ")))")
        case .badURL(let url):
            append("BADURL " as StaticString)
            append(url: url)
        case .urlMechanisms: append("URLMECH INTERNAL" as StaticString)
        case .capability(let names):
            append("CAPABILITY " as StaticString)
            append(names.joined(separator: " "))
        case .highestModSeq(let modSeq):
            append("HIGHESTMODSEQ " as StaticString)
            append(decimal: modSeq.value)
        case .inProgress(let tag, let done, let all):
            append("INPROGRESS (" as StaticString)
            // RFC 9585 §4: the bracket would end the code.
            append(nstring: tag.contains("]") ? nil : tag)
            append(" \(done) \(all))")
        case .noUpdate(let tag):
            append("NOUPDATE " as StaticString)
            append(string: tag)
        // resp-text-code =/ "MESSAGELIMIT" SP message-limit [SP uniqueid]          RFC 9738 §5
        case .messageLimit(let limit, let lowest):
            append("MESSAGELIMIT " as StaticString)
            append(decimal: limit)
            if let lowest {
                append(UInt8(ascii: " "))
                append(decimal: lowest)
            }
        case .metadataLongEntries(let size):
            append("METADATA LONGENTRIES " as StaticString)
            append(decimal: size)
        case .metadataMaximumSize(let size):
            append("METADATA MAXSIZE " as StaticString)
            append(decimal: size)
        case .mailboxID(let id): append("MAILBOXID (\(id))")
        case .modified(let set):
            append("MODIFIED " as StaticString)
            append(numberSet: set)
        case .permanentFlags(let flags, let canCreateKeywords):
            append("PERMANENTFLAGS " as StaticString)
            append(flags: flags, extra: canCreateKeywords ? "\\*" : nil)
        case .uidNext(let uid):
            append("UIDNEXT " as StaticString)
            // One above the last UID cannot be written: 2³²-1 is the nearest nz-number.
            append(decimal: min(uid, UInt64(UInt32.max)))
        case .uidValidity(let validity):
            append("UIDVALIDITY " as StaticString)
            append(decimal: validity.value)
        case .unseen(let number):
            append("UNSEEN " as StaticString)
            append(decimal: number)
        case let plain: append(plain.word)
        }
    }

    // url-resp-text = 1*(%x01-09 / %x0B-0C / %x0E-5B / %x5D-FE)          RFC 4469 §5
    /// What may not stand there is left out: a URL has none of it.
    private mutating func append(url: String) {
        append(UInt8(ascii: "\""))
        for byte in url.utf8.prefix(IMAPURL.maximumLength) {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "]"): break
            case 0x21...0x7E: append(byte)
            case _: break
            }
        }
        append(UInt8(ascii: "\""))
    }

    // resp-code-apnd = "APPENDUID" SP nz-number SP append-uid
    // resp-code-copy = "COPYUID" SP nz-number SP uid-set SP uid-set          RFC 4315 §3
    private mutating func append(uidCode name: StaticString, _ validity: UIDValidity, _ sets: [NumberSet]) {
        append(name)
        append(UInt8(ascii: " "))
        append(decimal: validity.value)
        for set in sets {
            append(UInt8(ascii: " "))
            append(numberSet: set)
        }
    }
}

extension ResponseCode {
    /// The code's name; all of it, when it has no arguments.
    package var word: String {
        switch self {
        case .alreadyExists: "ALREADYEXISTS"
        case .appendUID: "APPENDUID"
        case .authenticationFailed: "AUTHENTICATIONFAILED"
        case .authorizationFailed: "AUTHORIZATIONFAILED"
        case .badCharset: "BADCHARSET"
        case .badEvent: "BADEVENT"
        case .badURL: "BADURL"
        case .cannot: "CANNOT"
        case .capability: "CAPABILITY"
        case .clientBug: "CLIENTBUG"
        case .closed: "CLOSED"
        case .compressionActive: "COMPRESSIONACTIVE"
        case .contactAdmin: "CONTACTADMIN"
        case .copyUID: "COPYUID"
        case .corruption: "CORRUPTION"
        case .expired: "EXPIRED"
        case .expungeIssued: "EXPUNGEISSUED"
        case .hasChildren: "HASCHILDREN"
        case .highestModSeq: "HIGHESTMODSEQ"
        case .inProgress: "INPROGRESS"
        case .inUse: "INUSE"
        case .limit: "LIMIT"
        case .messageLimit: "MESSAGELIMIT"
        case .metadataLongEntries, .metadataMaximumSize: "METADATA"
        case .metadataTooMany: "METADATA TOOMANY"
        case .mailboxID: "MAILBOXID"
        case .modified: "MODIFIED"
        case .noModSeq: "NOMODSEQ"
        case .nonExistent: "NONEXISTENT"
        case .noPermission: "NOPERM"
        case .noUpdate: "NOUPDATE"
        case .notSaved: "NOTSAVED"
        case .notificationOverflow: "NOTIFICATIONOVERFLOW"
        case .overQuota: "OVERQUOTA"
        case .parse: "PARSE"
        case .permanentFlags: "PERMANENTFLAGS"
        case .privacyRequired: "PRIVACYREQUIRED"
        case .readOnly: "READ-ONLY"
        case .readWrite: "READ-WRITE"
        case .serverBug: "SERVERBUG"
        case .tooBig: "TOOBIG"
        case .tryCreate: "TRYCREATE"
        case .uidNext: "UIDNEXT"
        case .uidNotSticky: "UIDNOTSTICKY"
        case .uidRequired: "UIDREQUIRED"
        case .uidValidity: "UIDVALIDITY"
        case .unavailable: "UNAVAILABLE"
        case .unknownCTE: "UNKNOWN-CTE"
        case .unseen: "UNSEEN"
        case .urlMechanisms: "URLMECH"
        case .useAttribute: "USEATTR"
        }
    }
}
