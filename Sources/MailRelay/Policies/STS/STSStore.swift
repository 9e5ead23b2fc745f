import Foundation

/// A policy and when it was had.
struct KeptSTSPolicy: Sendable, Hashable {
    var policy: STSPolicy
    /// As it came, to be kept.
    var text: [UInt8]
    /// Of the record that announced it.
    var id: String
    /// Seconds since 1970.
    var fetched: Int64

    var expiry: Int64 { fetched + policy.maximumAge }
}

/// Policies that survive a restart: one small file for each domain, in a directory of their own.
struct STSStore {
    /// Domains whose policies are kept; the one that would end first makes way.
    static let maximumDomains = 20_000
    private static let suffix = ".sts"

    /// Nil: nothing is kept.
    let directory: String?
    private(set) var kept: [String: KeptSTSPolicy] = [:]

    /// Reads what is there. Files that cannot be read, or not understood, are none. Blocks.
    init(directory: String?, now: Int64) {
        self.directory = directory
        guard let directory else { return }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names.sorted().prefix(Self.maximumDomains) where name.hasSuffix(Self.suffix) {
            let domain = String(name.dropLast(Self.suffix.count))
            guard Self.isFileName(domain), let policy = Self.read("\(directory)/\(name)") else { continue }
            if policy.expiry > now { kept[domain] = policy } else { remove(domain) }
        }
    }

    /// Blocks on a file. A policy that cannot be written holds until the server stops.
    mutating func keep(_ policy: KeptSTSPolicy, for domain: String) {
        if kept[domain] == nil, kept.count >= Self.maximumDomains,
            let first = kept.min(by: { $0.value.expiry < $1.value.expiry })?.key
        {
            remove(first)
        }
        kept[domain] = policy
        guard let directory, Self.isFileName(domain) else { return }
        try? FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        let head = "\(policy.id) \(policy.fetched)\n"
        try? (Data(head.utf8) + Data(policy.text))
            .write(to: URL(fileURLWithPath: "\(directory)/\(domain)\(Self.suffix)"), options: .atomic)
    }

    mutating func remove(_ domain: String) {
        kept[domain] = nil
        guard let directory, Self.isFileName(domain) else { return }
        try? FileManager.default.removeItem(atPath: "\(directory)/\(domain)\(Self.suffix)")
    }

    // id SP seconds LF policy
    private static func read(_ file: String) -> KeptSTSPolicy? {
        guard let data = FileManager.default.contents(atPath: file), data.count <= STSPolicy.maximumOctets + 128,
            let end = data.firstIndex(of: 0x0A)
        else { return nil }
        let head = String(decoding: data[..<end], as: UTF8.self).split(separator: " ")
        let text = [UInt8](data[data.index(after: end)...])
        guard head.count == 2, let fetched = Int64(head[1]), let policy = STSPolicy(text) else { return nil }
        return KeptSTSPolicy(policy: policy, text: text, id: String(head[0]), fetched: fetched)
    }

    /// Names come from users: only what cannot lead elsewhere is a file's name.
    private static func isFileName(_ domain: String) -> Bool {
        !domain.isEmpty && domain.utf8.count <= 240 && domain.utf8.first != UInt8(ascii: ".")
            && domain.utf8.allSatisfy {
                PolicyText.isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_")
                    || $0 == UInt8(ascii: ".")
            }
    }
}
