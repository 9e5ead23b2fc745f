/// The name of an entry that holds an annotation (RFC 5464 §3.2): `/private/comment`, in lower case, as names do not
/// differ by case.
package struct AnnotationName: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// Octets; the longest in use are vendors' and have a hundred.
    package static let maximumLength = 255

    private static let privateScope = "/private"
    private static let sharedScope = "/shared"

    /// Tied to what a mailbox is for (RFC 6154 §4).
    package static let specialUse = AnnotationName(known: "/private/specialuse")

    package let text: String

    /// Nil for a name that no entry can have: not in one of the two scopes, an empty component, a wildcard, anything but
    /// printable ASCII, too long. A scope alone is a name that can be asked for, not one that is set.
    package init?(_ octets: some Collection<UInt8>) {
        guard octets.count <= Self.maximumLength, octets.first == UInt8(ascii: "/"),
            octets.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "*") && $0 != UInt8(ascii: "%") })
        else { return nil }
        let components = octets.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        let text = String(decoding: octets, as: UTF8.self).asciiLowercased()
        guard components.allSatisfy({ !$0.isEmpty }),
            [Self.privateScope, Self.sharedScope].contains(where: { text == $0 || text.hasPrefix($0 + "/") })
        else { return nil }
        self.text = text
    }

    private init(known text: String) { self.text = text }

    package init?(_ text: String) { self.init(Array(text.utf8)) }

    /// Whether it is one user's, or everybody's who may read the mailbox.
    package var isPrivate: Bool { text == Self.privateScope || text.hasPrefix(Self.privateScope + "/") }

    /// Whether an entry can have it: two components at least, a vendor's four.
    package var canBeSet: Bool {
        let levels = levels
        guard levels.count >= 2 else { return false }
        return levels[1] != "vendor" || levels.count >= 4
    }

    private var levels: [Substring] { text.split(separator: "/") }

    /// How many levels it is below another; nil when it is not below it.
    package func depth(below other: AnnotationName) -> Int? {
        guard text.hasPrefix(other.text + "/") else { return nil }
        return levels.count - other.levels.count
    }

    package var description: String { text }
    package static func < (a: AnnotationName, b: AnnotationName) -> Bool {
        a.text.utf8.lexicographicallyPrecedes(b.text.utf8)
    }
}

/// An entry and what it holds: octets that mean nothing here.
package struct Annotation: Sendable, Hashable {
    package var name: AnnotationName
    package var value: [UInt8]

    package init(name: AnnotationName, value: [UInt8]) {
        self.name = name
        self.value = value
    }
}

/// Which entries are asked for (RFC 5464 §4.2.2).
package struct AnnotationSelection: Sendable, Hashable {
    package enum Depth: Sendable, Hashable {
        case zero
        case one
        case infinity
    }

    package var names: [AnnotationName]
    /// How far below the names entries are told too.
    package var depth: Depth

    package init(_ names: [AnnotationName], depth: Depth = .zero) {
        self.names = names
        self.depth = depth
    }

    package func selects(_ name: AnnotationName) -> Bool {
        names.contains { asked in
            if asked == name { return true }
            guard depth != .zero, let distance = name.depth(below: asked) else { return false }
            return depth == .infinity || distance == 1
        }
    }
}
