import Authentication
import Foundation
import MailVocabulary
import SASL

extension AuthenticationConfiguration {
    /// What is wrong with it, and what is only odd.
    func check(defaultDomain: Domain?) -> (problems: [String], warnings: [String]) {
        var problems: [String] = []
        var warnings: [String] = []
        for text in userMechanisms {
            let names = LoginNames(defaultDomain: defaultDomain)
            guard let entry = UserMechanisms(text), names.address(entry.login) != nil else {
                problems.append("authentication.mechanisms-of-users: “\(text)” is not address: mechanisms")
                continue
            }
        }
        if mechanisms.isEmpty { problems.append("authentication.mechanisms is empty, so nobody could log in") }
        let all = mechanisms + imapMechanisms + pop3Mechanisms + submissionMechanisms
        if all.contains(.cramMD5) {
            warnings.append("authentication.mechanisms: CRAM-MD5 needs passwords that whoever reads the store can read")
        }
        if !acceptsPasswords, Set(all).isSubset(of: [.plain, .login]) {
            problems.append("authentication.plain-passwords is off, and nothing else is among the mechanisms")
        }
        problems += tokens.problems
        return (problems, warnings)
    }
}

extension TokenConfiguration {
    fileprivate var problems: [String] {
        guard issuer != nil else {
            let isMeant = keys != nil || introspection != nil || audience != nil
            return isMeant ? ["authentication.oauth.issuer must be set for tokens to let in"] : []
        }
        var problems: [String] = []
        if audience == nil { problems.append("authentication.oauth.audience must be set beside the issuer") }
        if (keys == nil) == (introspection == nil) {
            problems.append("authentication.oauth: set either keys or introspection")
        }
        for url in [keys.flatMap { $0.hasPrefix("/") ? nil : $0 }, introspection].compactMap({ $0 })
        where !IssuerRequest.isAcceptable(url) {
            problems.append("authentication.oauth: “\(url)” is no URL of HTTPS, and no absolute path of a file")
        }
        if let keys, keys.hasPrefix("/"), FileManager.default.contents(atPath: keys) == nil {
            problems.append("authentication.oauth.keys \(keys) cannot be read")
        }
        if introspection != nil, client == nil || clientSecretFile == nil {
            problems.append("authentication.oauth.introspection needs client and client-secret-file")
        }
        for name in algorithms where TokenAlgorithm(rawValue: name) == nil {
            problems.append("authentication.oauth.algorithms: “\(name)” is none with a public key")
        }
        if algorithms.isEmpty { problems.append("authentication.oauth.algorithms is empty") }
        return problems
    }
}
