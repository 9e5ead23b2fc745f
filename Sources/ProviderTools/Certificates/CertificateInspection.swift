package import Foundation
import SwiftASN1
import X509

/// What an operator wants to know of a certificate file before a client does.
package struct CertificateInspection: Sendable {
    package var problems: [String] = []
    /// Will become problems.
    package var warnings: [String] = []
    /// Subject alternative names.
    package var names: [String] = []
    package var notValidAfter: Date?

    /// Days before expiry from which on a warning is due.
    private static let expiryWarning = 14.0

    /// Reads both files. `now` is for tests.
    package init(certificateFile: String, keyFile: String, hostname: String, now: Date = Date()) {
        guard let chain = CertificateInspection.chain(certificateFile, &problems), let leaf = chain.first else {
            return
        }
        checkKey(keyFile, leaf, certificateFile)
        checkValidity(leaf, certificateFile, now)
        checkNames(leaf, certificateFile, hostname)
        if leaf.issuer != leaf.subject, chain.count == 1 {
            warnings.append(
                "\(certificateFile) holds the server's certificate alone; append its issuer's intermediate "
                    + "certificates, or clients may not find a path to a root they trust")
        }
    }

    private static func chain(_ file: String, _ problems: inout [String]) -> [Certificate]? {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            problems.append("\(file) cannot be read; check the path and its permissions (tls.certificate)")
            return nil
        }
        let chain = PEMBlocks(text).blocks(labelled: "CERTIFICATE").compactMap { try? Certificate(pemEncoded: $0) }
        guard !chain.isEmpty else {
            problems.append("\(file) holds no PEM certificate (tls.certificate)")
            return nil
        }
        return chain
    }

    private mutating func checkKey(_ file: String, _ leaf: Certificate, _ certificateFile: String) {
        guard let text = try? String(contentsOfFile: file, encoding: .utf8) else {
            return problems.append("\(file) cannot be read; check the path and its permissions (tls.key)")
        }
        let blocks = PEMBlocks(text).all.filter { $0.contains("PRIVATE KEY") }
        guard let key = blocks.lazy.compactMap({ try? Certificate.PrivateKey(pemEncoded: $0) }).first else {
            return problems.append("\(file) holds no PEM private key without a passphrase (tls.key)")
        }
        if key.publicKey != leaf.publicKey {
            problems.append("the private key in \(file) does not belong to the certificate in \(certificateFile)")
        }
        let mode = (try? FileManager.default.attributesOfItem(atPath: file))?[.posixPermissions] as? Int ?? 0
        if mode & 0o007 != 0 { warnings.append("\(file) can be read by everyone on this machine; chmod 600 \(file)") }
    }

    private mutating func checkValidity(_ leaf: Certificate, _ file: String, _ now: Date) {
        notValidAfter = leaf.notValidAfter
        let days = leaf.notValidAfter.timeIntervalSince(now) / 86_400
        if days < 0 {
            problems.append("the certificate in \(file) expired on \(day(leaf.notValidAfter)); renew it")
        } else if leaf.notValidBefore > now {
            problems.append(
                "the certificate in \(file) is not valid before \(day(leaf.notValidBefore)); check the clock")
        } else if days < Self.expiryWarning {
            warnings.append("the certificate in \(file) expires on \(day(leaf.notValidAfter)); renew it")
        }
    }

    private mutating func checkNames(_ leaf: Certificate, _ file: String, _ hostname: String) {
        names = CertificateInspection.names(of: leaf)
        if !names.contains(where: { CertificateInspection.covers($0, hostname.lowercased()) }) {
            let covered = names.isEmpty ? "no name" : names.joined(separator: ", ")
            problems.append(
                "the certificate in \(file) covers \(covered), but not the hostname \(hostname); clients will refuse it"
            )
        }
    }

    /// DNS names that a certificate is for.
    static func names(of certificate: Certificate) -> [String] {
        let alternatives = (try? certificate.extensions.subjectAlternativeNames) ?? SubjectAlternativeNames()
        return alternatives.compactMap { name in
            if case .dnsName(let name) = name { return name.lowercased() }
            return nil
        }
    }

    /// RFC 9525 §6.3: a wildcard is the whole leftmost label and stands for one label.
    static func covers(_ pattern: String, _ hostname: String) -> Bool {
        guard pattern.hasPrefix("*.") else { return pattern == hostname }
        guard let dot = hostname.firstIndex(of: "."), dot != hostname.startIndex else { return false }
        return hostname[dot...] == pattern.dropFirst()
    }

    private func day(_ date: Date) -> String { date.formatted(.iso8601.year().month().day()) }
}

/// The blocks of a PEM file, each with its BEGIN and END line.
struct PEMBlocks {
    private(set) var all: [String] = []

    init(_ text: String) {
        var block: [Substring] = []
        for raw in text.split(separator: "\n") {
            let line = raw.last == "\r" ? raw.dropLast() : raw
            if line.hasPrefix("-----BEGIN ") { block = [] }
            if line.hasPrefix("-----BEGIN ") || !block.isEmpty { block.append(line) }
            if line.hasPrefix("-----END "), !block.isEmpty {
                all.append(block.joined(separator: "\n") + "\n")
                block = []
            }
        }
    }

    func blocks(labelled label: String) -> [String] { all.filter { $0.hasPrefix("-----BEGIN \(label)-----") } }
}
