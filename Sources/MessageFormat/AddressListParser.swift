/// What of `MessageLimits` is left, over the whole message.
struct RetentionBudget {
    var octets = MessageLimits.retainedOctets
    var addresses = MessageLimits.addresses

    /// An unfolded value, cut to what may be kept.
    mutating func value(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [UInt8] {
        let value = unfoldedHeaderValue(bytes, range, limit: min(octets, MessageLimits.valueOctets))
        octets -= value.count
        return value
    }

    /// The identifiers of a field, as many as may be kept.
    mutating func messageIDs(_ bytes: Span<UInt8>, _ range: Range<Int>) -> [[UInt8]] {
        MessageFormat.messageIDs(bytes, range, limit: MessageLimits.references).filter { id in
            guard id.count <= octets else { return false }
            octets -= id.count
            return true
        }
    }

    /// The value, or nothing when it is more than may be kept.
    mutating func admit(_ value: [UInt8]) -> [UInt8] {
        guard value.count <= min(octets, MessageLimits.valueOctets) else { return [] }
        octets -= value.count
        return value
    }
}

/// Reads an address list (RFC 5322 §3.4, with the obsolete forms of §4.4), making the best of what is not one:
///
///     Ann <ann@example.org>       name and address
///     ann@example.org (Ann)       the comment is the name
///     ann                         mailbox `ann`, empty host
///     Ann Other                   a name, empty mailbox and host
///     Ann ann@example.org         name and address, as if the brackets were there
///     Friends: ann@x, bob@y;      start of group, two addresses, end of group
struct AddressListParser: ~Escapable {
    private var lexer: FieldLexer
    private var budget: RetentionBudget
    private var list: [EnvelopeAddress] = []

    /// The words since the last comma: all, with single spaces, as a display name; and those of the last run that
    /// dots join, without spaces, as a local part.
    private var phrase: [UInt8] = []
    private var local: [UInt8] = []
    /// Length of the phrase before that run.
    private var nameLength = 0
    private var address: EnvelopeAddress?
    private var inGroup = false

    @_lifetime(copy bytes)
    private init(_ bytes: Span<UInt8>, _ range: Range<Int>, _ budget: RetentionBudget) {
        lexer = FieldLexer(bytes, range)
        self.budget = budget
    }

    static func parse(
        _ bytes: Span<UInt8>, _ range: Range<Int>, _ budget: inout RetentionBudget
    ) -> [EnvelopeAddress] {
        var parser = AddressListParser(bytes, range, budget)
        parser.readList()
        budget = parser.budget
        return parser.list
    }

    // address-list = (address *("," address)) / obs-addr-list
    // address = mailbox / group        group = display-name ":" [group-list] ";" [CFWS]        RFC 5322 §3.4
    @_lifetime(self: copy self)
    private mutating func readList() {
        while true {
            let isApart = lexer.skipCFWS()
            guard let byte = lexer.peek, budget.addresses > 0 else { break }
            switch byte {
            case UInt8(ascii: ","):
                lexer.advance()
                finishAddress()
            case UInt8(ascii: ";"):
                lexer.advance()
                finishAddress()
                endGroup()
            case UInt8(ascii: ":") where !inGroup:
                lexer.advance()
                startGroup()
            case UInt8(ascii: "<"):
                lexer.advance()
                readAngleAddress()
            case UInt8(ascii: "@"):
                lexer.advance()
                readBareDomain()
            case _:
                readWord(isApart: isApart)
            }
        }
        finishAddress()
        endGroup()
    }

    // word = atom / quoted-string        phrase = 1*word        local-part = dot-atom / quoted-string
    @_lifetime(self: copy self)
    private mutating func readWord(isApart: Bool) {
        var word: [UInt8] = []
        lexer.takeWord(into: &word)
        guard address == nil else { return }
        let dot = UInt8(ascii: ".")
        if isApart, !phrase.isEmpty {
            if local.last != dot, word.first != dot {
                nameLength = phrase.count
                local.removeAll(keepingCapacity: true)
            }
            phrase.append(UInt8(ascii: " "))
        }
        phrase += word
        local += word
    }

    // addr-spec = local-part "@" domain        RFC 5322 §3.4.1
    @_lifetime(self: copy self)
    private mutating func readBareDomain() {
        let host = lexer.takeDomain()
        guard address == nil else { return }
        let name = nameLength > 0 ? Array(phrase[..<nameLength]) : nil
        address = EnvelopeAddress(name: name, mailbox: local, host: host)
    }

    // angle-addr = [CFWS] "<" addr-spec ">" [CFWS]        obs-angle-addr = [CFWS] "<" obs-route addr-spec ">" [CFWS]
    /// Stops behind the bracket, or before the comma where that is missing.
    @_lifetime(self: copy self)
    private mutating func readAngleAddress() {
        lexer.skipCFWS()
        var (route, mailbox, host): ([UInt8]?, [UInt8], [UInt8]) = (nil, [], [])
        if lexer.peek == UInt8(ascii: "@") { route = lexer.takeRoute() }
        lexer.skipCFWS()
        while let byte = lexer.peek, byte != UInt8(ascii: "@"), byte != UInt8(ascii: ">"), byte != UInt8(ascii: ",") {
            lexer.takeWord(into: &mailbox, isInBrackets: true)
            lexer.skipCFWS()
        }
        if lexer.take("@") { host = lexer.takeDomain() }
        _ = lexer.take { $0 != UInt8(ascii: ">") && $0 != UInt8(ascii: ",") }
        _ = lexer.take(">")
        address = EnvelopeAddress(name: displayName(), route: route, mailbox: mailbox, host: host)
    }

    /// What stands before an angle bracket; an address there (`ann@example.org <ann@example.org>`) is a name too.
    private func displayName() -> [UInt8]? {
        guard let earlier = address, let mailbox = earlier.mailbox, let host = earlier.host else {
            return phrase.isEmpty ? nil : phrase
        }
        return mailbox + [UInt8(ascii: "@")] + host
    }

    @_lifetime(self: copy self)
    private mutating func finishAddress() {
        if let address {
            emit(address)
        } else if !phrase.isEmpty {
            emit(
                nameLength == 0
                    ? EnvelopeAddress(mailbox: local, host: []) : EnvelopeAddress(name: phrase, mailbox: [], host: []))
        }
        reset()
    }

    // obs-group-list etc. may be empty: "Undisclosed recipients:;"
    @_lifetime(self: copy self)
    private mutating func startGroup() {
        budget.addresses -= 1
        list.append(.groupStart(budget.admit(phrase)))
        inGroup = true
        reset()
    }

    @_lifetime(self: copy self)
    private mutating func endGroup() {
        guard inGroup else { return }
        list.append(.groupEnd)
        inGroup = false
    }

    @_lifetime(self: copy self)
    private mutating func emit(_ found: EnvelopeAddress) {
        var found = found
        if found.name == nil, let comment = lexer.lastComment {
            var text: [UInt8] = []
            appendComment(lexer.bytes, comment, to: &text)
            found.name = text
        }
        found.name = found.name.map { budget.admit($0) }
        found.route = found.route.map { budget.admit($0) }
        found.mailbox = found.mailbox.map { budget.admit($0) }
        found.host = found.host.map { budget.admit($0) }
        budget.addresses -= 1
        list.append(found)
    }

    @_lifetime(self: copy self)
    private mutating func reset() {
        phrase.removeAll(keepingCapacity: true)
        local.removeAll(keepingCapacity: true)
        nameLength = 0
        address = nil
        lexer.lastComment = nil
    }
}

extension FieldLexer {
    /// A quoted string's content, or octets up to one that separates words; at least one.
    @_lifetime(self: copy self)
    fileprivate mutating func takeWord(into text: inout [UInt8], isInBrackets: Bool = false) {
        if peek == UInt8(ascii: "\"") { return takeQuotedString(into: &text) }
        let start = position
        advance()
        _ = take { isWordOctet($0) && !(isInBrackets && $0 == UInt8(ascii: ">")) }
        text.append(bytes, start..<position)
    }

    // domain = dot-atom / domain-literal / obs-domain        obs-domain = atom *("." atom)        RFC 5322 §3.4.1
    @_lifetime(self: copy self)
    fileprivate mutating func takeDomain() -> [UInt8] {
        var domain: [UInt8] = []
        skipCFWS()
        if peek == UInt8(ascii: "[") {
            let literal = take { $0 != UInt8(ascii: "]") && $0 != UInt8(ascii: ">") && $0 != UInt8(ascii: ",") }
            domain = unfoldedHeaderValue(bytes, literal)
            if take("]") { domain.append(UInt8(ascii: "]")) }
            return domain
        }
        while true {
            let atom = take { isWordOctet($0) && $0 != UInt8(ascii: ">") }
            domain.append(bytes, atom)
            guard skipCFWS(), domain.last == UInt8(ascii: ".") || peek == UInt8(ascii: "."), !atom.isEmpty else {
                break
            }
        }
        return domain
    }

    // obs-route = obs-domain-list ":"        obs-domain-list = *(CFWS / ",") "@" domain *("," [CFWS] ["@" domain])
    /// `@a,@b`, without white space and the colon.
    @_lifetime(self: copy self)
    fileprivate mutating func takeRoute() -> [UInt8]? {
        var ahead = position
        // Not past another bracket: many unfinished ones would each be searched to the end.
        while ahead < end, !endsRoute(bytes[ahead]) { ahead += 1 }
        guard ahead < end, bytes[ahead] == UInt8(ascii: ":") else { return nil }
        var route: [UInt8] = []
        skipCFWS()
        while let byte = peek, byte != UInt8(ascii: ":") {
            route.append(byte)
            advance()
            skipCFWS()
        }
        advance()
        return route
    }
}

private func endsRoute(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ":") || byte == UInt8(ascii: "<") || byte == UInt8(ascii: ">")
}

/// Neither white space nor a mark of the address grammar. Dots, brackets and other specials that mean nothing between
/// words are taken as they are: `[list] J. Doe`.
private func isWordOctet(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "("), UInt8(ascii: ","), UInt8(ascii: ":"), UInt8(ascii: ";"),
        UInt8(ascii: "<"), UInt8(ascii: "@"):
        false
    case _: !isFoldingSpace(byte)
    }
}
