package import MailVocabulary
import SASL
import WireFraming

extension CommandParser {
    // login    = "LOGIN" SP userid SP password
    // userid   = astring
    // password = astring          RFC 9051 §9
    mutating func login() throws(SyntaxError) -> IMAPRequest {
        let user = try textArgument("a user name")
        try space()
        return .login(userID: user, password: Secret(try astring("a password")))
    }

    // authenticate = "AUTHENTICATE" SP auth-type [SP initial-resp]
    // initial-resp = (base64 / "=")          RFC 4959 §3
    mutating func authenticate() throws(SyntaxError) -> IMAPRequest {
        let mechanism = try word("a SASL mechanism")
        guard cursor.take(UInt8(ascii: " ")) else {
            return .authenticate(mechanism: mechanism, initialResponse: nil)
        }
        let range = cursor.take { $0 != UInt8(ascii: " ") }
        let response = cursor.bytes.extracting(range)
        if response.count == 1, response[0] == UInt8(ascii: "=") {
            return .authenticate(mechanism: mechanism, initialResponse: Secret([]))
        }
        guard !response.isEmpty, let decoded = Base64.decode(response) else {
            throw SyntaxError("The initial response is not base64")
        }
        return .authenticate(mechanism: mechanism, initialResponse: Secret(decoded))
    }

    // enable     = "ENABLE" 1*(SP capability)
    // capability = ("AUTH=" auth-type) / atom
    mutating func capabilities() throws(SyntaxError) -> [String] {
        var names: [String] = []
        repeat {
            guard names.count < IMAPLimits.shortList else { throw SyntaxError("Too many capabilities", code: .limit) }
            names.append(try word("a capability"))
        } while cursor.take(UInt8(ascii: " "))
        return names
    }

    // id             = "ID" SP id_params_list
    // id_params_list = "(" *(string SP nstring) ")" / nil          RFC 2971 §4
    mutating func idFields() throws(SyntaxError) -> [IDField] {
        if cursor.take(word: "NIL") { return [] }
        let fields = try list("fields", limit: IMAPLimits.idFields, mayBeEmpty: true) { parser throws(SyntaxError) in
            let name = try parser.string("a field's name")
            try parser.space()
            let value = try parser.nstring("a field's value")
            guard name.count <= IMAPLimits.idFieldName, value?.count ?? 0 <= IMAPLimits.idFieldValue else {
                throw SyntaxError("A field of ID is too long", code: .limit)
            }
            return IDField(
                name: String(decoding: name, as: UTF8.self), value: value.map { String(decoding: $0, as: UTF8.self) })
        }
        return fields
    }
}

/// A line in answer to AUTHENTICATE's continuation request.
package enum AuthenticateResponse: Sendable {
    case response(Secret)
    /// `*`: the client gives up (RFC 9051 §6.2.2).
    case cancel
    case malformed

    // base64 / "*"
    package init(line: Span<UInt8>) {
        if line.count == 1, line[0] == UInt8(ascii: "*") {
            self = .cancel
        } else if let decoded = Base64.decode(line) {
            self = .response(Secret(decoded))
        } else {
            self = .malformed
        }
    }
}

extension IMAPRequest {
    // idle = "IDLE" CRLF "DONE"          RFC 2177 §4
    /// Whether the line ends an IDLE.
    package static func isDone(_ line: Span<UInt8>) -> Bool {
        let done: InlineArray<4, UInt8> = [0x44, 0x4F, 0x4E, 0x45]
        return line.count == 4 && done.indices.allSatisfy { line[$0] & 0xDF == done[$0] }
    }
}
