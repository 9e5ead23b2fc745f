import Foundation

/// How names are resolved and validated.
package struct ResolverOptions: Sendable, Hashable {
    /// A name server: address (IPv4 or IPv6, no name) and port.
    package struct Server: Sendable, Hashable {
        package var address: String
        package var port: Int

        package init(address: String, port: Int = 53) {
            self.address = address
            self.port = port
        }

        /// As libunbound takes it.
        var text: String { "\(address)@\(port)" }

        var isLoopback: Bool { address.hasPrefix("127.") || address == "::1" }
    }

    /// A file with DS or DNSKEY records. Nil, and no `trustAnchors`: the root's keys, from Debian's dns-root-data when it
    /// is installed, else those that were valid when this was written.
    package var trustAnchorFile: String?
    /// DS or DNSKEY records in the presentation form, besides the file's.
    package var trustAnchors: [String] = []
    /// Recursive servers to ask. They are not believed: all is validated here. Empty: authoritative servers are asked.
    package var forwarders: [Server] = []
    /// Zones whose servers are known.
    package var stubs: [String: Server] = [:]
    /// For one lookup, all in all. A cold cache takes some round trips; a dead server some seconds each.
    package var timeout: Duration = .seconds(20)

    package init() {}

    static let rootAnchorFile = "/usr/share/dns/root.key"

    /// The root's keys KSK-2017 and KSK-2024, as IANA publishes them in root-anchors.xml.
    static let rootAnchors = [
        ". IN DS 20326 8 2 E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D",
        ". IN DS 38696 8 2 683D2D0ACB8C9B712A1948B27F741219298D0A450D612C483AF444A4C0FB2B16",
    ]

    var anchors: (files: [String], records: [String]) {
        if trustAnchorFile != nil || !trustAnchors.isEmpty { return (trustAnchorFile.map { [$0] } ?? [], trustAnchors) }
        if FileManager.default.isReadableFile(atPath: Self.rootAnchorFile) { return ([Self.rootAnchorFile], []) }
        return ([], Self.rootAnchors)
    }
}

/// What is wrong with the options.
package struct ResolverOptionsError: Error, Sendable, CustomStringConvertible {
    package var description: String
}
