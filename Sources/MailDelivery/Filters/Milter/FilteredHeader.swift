import MessageFormat

/// A message's header between filters: fields by their places in the message that they came with, or as a filter wrote
/// them. What no filter touched keeps its octets.
struct FilteredHeader: Sendable {
    struct Field: Sendable {
        enum Content: Sendable {
            case original(HeaderField)
            /// What stands in the message, with its line end; the length of the name ahead of the colon.
            case written([UInt8], nameLength: Int)
        }

        var content: Content
        /// The trace that this server gave the message: filters are not told of it, as by other servers, since it is
        /// not what the client sent.
        var isOwnTrace = false
    }

    /// Fields of one message, since each costs memory for as long as filters look: real mail has less than 200.
    static let maximumFields = 10_000
    /// Changes that one filter may ask for, each of which may look at all fields.
    static let maximumChanges = 1000
    /// Octets that filters may write in all: some of them keep their findings there.
    static let maximumWritten = 1 << 20

    private(set) var fields: [Field] = []
    private(set) var isChanged = false
    /// Where the fields start and end in the original, and where the body starts: a blank line is between, if at all.
    let fieldsStart: Int
    let fieldsEnd: Int
    let bodyStart: Int
    private var octetsWritten = 0

    init(_ message: Span<UInt8>) throws(MilterError) {
        var reader = HeaderFields(message)
        while let field = reader.next() {
            guard fields.count < Self.maximumFields else { throw .fieldTooLarge }
            let isOwnTrace = fields.isEmpty && message.isName("received", at: field.nameRange)
            fields.append(Field(content: .original(field), isOwnTrace: isOwnTrace))
        }
        bodyStart = reader.position
        let blankLine = reader.hasBlankLine ? message.endsInCRLF(at: bodyStart) ? 2 : 1 : 0
        fieldsEnd = bodyStart - blankLine
        guard case .original(let first) = fields.first?.content, case .original(let last) = fields.last?.content else {
            fieldsStart = fieldsEnd
            return
        }
        fieldsStart = first.fieldRange.lowerBound
        guard message[last.fieldRange.upperBound - 1] != 0x0A else { return }
        // The message ends within a line of its header: what follows must begin another.
        let line = last.fieldRange.map { message[$0] } + [0x0D, 0x0A]
        fields[fields.count - 1].content = .written(line, nameLength: last.nameRange.count)
    }

    var hasBlankLine: Bool { fieldsEnd < bodyStart }

    mutating func add(_ name: [UInt8], _ value: [UInt8], keepsLeadingSpace: Bool) throws(MilterError) {
        try insert(at: fields.count, name, value, keepsLeadingSpace: keepsLeadingSpace)
    }

    /// - Parameter index: among all fields, this server's trace too; beyond the last: at the end.
    mutating func insert(
        at index: Int, _ name: [UInt8], _ value: [UInt8], keepsLeadingSpace: Bool
    ) throws(MilterError) {
        guard fields.count < Self.maximumFields else { throw .violation("too many fields") }
        fields.insert(try written(name, value, keepsLeadingSpace), at: min(index, fields.count))
        isChanged = true
    }

    /// Changes the `number`th field of this name, as filters count (from 1; 0 is the first too), or adds one when
    /// there are fewer. An empty value removes it.
    mutating func change(
        _ number: Int, _ name: [UInt8], _ value: [UInt8], keepsLeadingSpace: Bool, in message: Span<UInt8>
    ) throws(MilterError) {
        var left = max(number, 1)
        for index in fields.indices where !fields[index].isOwnTrace && fields[index].isNamed(name, in: message) {
            left -= 1
            guard left == 0 else { continue }
            isChanged = true
            if value.isEmpty {
                fields.remove(at: index)
            } else {
                fields[index] = try written(name, value, keepsLeadingSpace)
            }
            return
        }
        if !value.isEmpty { try add(name, value, keepsLeadingSpace: keepsLeadingSpace) }
    }

    private mutating func written(
        _ name: [UInt8], _ value: [UInt8], _ keepsLeadingSpace: Bool
    ) throws(MilterError) -> Field {
        let line = name + [UInt8(ascii: ":")] + (keepsLeadingSpace ? [] : [0x20]) + folded(value) + [0x0D, 0x0A]
        octetsWritten += line.count
        guard octetsWritten <= Self.maximumWritten else { throw .violation("too much in added fields") }
        return Field(content: .written(line, nameLength: name.count))
    }
}

extension FilteredHeader.Field {
    func isNamed(_ name: [UInt8], in message: Span<UInt8>) -> Bool {
        switch content {
        case .original(let field): message.isName(name, at: field.nameRange)
        case .written(let line, let length): line.span.isName(name, at: 0..<length)
        }
    }
}

extension Span<UInt8> {
    fileprivate func isName(_ name: StaticString, at range: Range<Int>) -> Bool {
        isName(Array("\(name)".utf8), at: range)
    }

    fileprivate func endsInCRLF(at end: Int) -> Bool { end >= 2 && self[end - 2] == 0x0D }

    /// Without regard to ASCII case.
    fileprivate func isName(_ name: [UInt8], at range: Range<Int>) -> Bool {
        guard range.count == name.count, range.upperBound <= count else { return false }
        for (index, byte) in zip(range, name) where lowercased(self[index]) != lowercased(byte) { return false }
        return true
    }
}

private func lowercased(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

/// A filter's value, whose lines end in any way, as it may stand in a header: lines end with CRLF, and each but the
/// first starts with a blank, so that no value can begin another field or end the header.
private func folded(_ value: [UInt8]) -> [UInt8] {
    let lines = value.split(omittingEmptySubsequences: false) { $0 == 0x0A || $0 == 0x0D }
    var result = Array(lines.first ?? [])
    // A line of blanks alone would end the header for some readers.
    for line in lines.dropFirst() where line.contains(where: { $0 != 0x20 && $0 != 0x09 }) {
        result += line.first == 0x20 || line.first == 0x09 ? [0x0D, 0x0A] : [0x0D, 0x0A, 0x09]
        result += line
    }
    return result
}
