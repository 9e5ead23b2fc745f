/// An address, or every address of a domain: `name@example.org`, `@example.org`.
package enum AddressPattern: Sendable, Hashable, Comparable, CustomStringConvertible {
    case domain(Domain)
    /// Canonical.
    case address(Address)

    package init?(_ text: String) {
        if text.first == "@" {
            guard let domain = Domain(text.dropFirst()) else { return nil }
            self = .domain(domain)
        } else {
            guard let address = Address(text) else { return nil }
            self = .address(address.canonical)
        }
    }

    package var domain: Domain {
        switch self {
        case .domain(let domain): domain
        case .address(let address): address.domain
        }
    }

    /// Nil for a domain.
    package var localPart: String? {
        switch self {
        case .domain: nil
        case .address(let address): address.localPart
        }
    }

    package func matches(_ address: Address) -> Bool {
        switch self {
        case .domain(let domain): domain == address.domain
        case .address(let own): own == address.canonical
        }
    }

    package var description: String {
        switch self {
        case .domain(let domain): "@\(domain)"
        case .address(let address): "\(address)"
        }
    }

    /// By domain, the domain itself ahead of its addresses.
    package static func < (a: AddressPattern, b: AddressPattern) -> Bool {
        (a.domain.name, a.localPart ?? "") < (b.domain.name, b.localPart ?? "")
    }
}
