/// The authority's objects, as JSON has them (RFC 8555 §7.1); members that are not used are left out.
struct DirectoryObject: Codable, Sendable, Equatable {
    struct Meta: Codable, Sendable, Equatable {
        var termsOfService: String?
        var website: String?
        var caaIdentities: [String]?
        var externalAccountRequired: Bool?
    }

    var newNonce: String
    var newAccount: String
    var newOrder: String
    var revokeCert: String?
    var keyChange: String?
    /// RFC 9773.
    var renewalInfo: String?
    var meta: Meta?
}

struct AccountObject: Codable, Sendable, Equatable {
    var status: String
    var contact: [String]?
}

struct NewAccount: Encodable, Sendable {
    var contact: [String]?
    var termsOfServiceAgreed: Bool?
    var externalAccountBinding: WebSignature?
}

struct ACMEIdentifier: Codable, Sendable, Hashable {
    var type = "dns"
    var value: String
}

struct NewOrder: Encodable, Sendable {
    var identifiers: [ACMEIdentifier]
    /// The certificate that this one follows (RFC 9773 §5).
    var replaces: String?
}

struct OrderObject: Codable, Sendable, Equatable {
    enum Status: String, Codable, Sendable { case pending, ready, processing, valid, invalid }

    var status: Status
    var identifiers: [ACMEIdentifier]
    var authorizations: [String]
    var finalize: String
    var certificate: String?
    var error: ProblemDocument?
}

struct AuthorizationObject: Codable, Sendable, Equatable {
    enum Status: String, Codable, Sendable { case pending, valid, invalid, deactivated, expired, revoked }

    var status: Status
    var identifier: ACMEIdentifier
    var challenges: [ChallengeObject]
    var wildcard: Bool?
}

struct ChallengeObject: Codable, Sendable, Equatable {
    var type: String
    var url: String
    var status: String
    /// Of the types that this server knows.
    var token: String?
    var error: ProblemDocument?
}

struct FinalizeRequest: Encodable, Sendable { var csr: String }

struct RevocationRequest: Encodable, Sendable {
    var certificate: String
    var reason: Int?
}

struct ContactUpdate: Encodable, Sendable { var contact: [String] }

/// RFC 9773 §4.2.
struct RenewalInformation: Codable, Sendable, Equatable {
    struct Window: Codable, Sendable, Equatable {
        /// RFC 3339.
        var start: String
        var end: String
    }

    var suggestedWindow: Window
    var explanationURL: String?
}

/// RFC 7807, and RFC 8555 §6.7.1.
struct ProblemDocument: Codable, Sendable, Equatable {
    struct Subproblem: Codable, Sendable, Equatable {
        var type: String?
        var detail: String?
        var identifier: ACMEIdentifier?

        var document: ProblemDocument { ProblemDocument(type: type, detail: detail) }
    }

    var type: String?
    var detail: String?
    var status: Int?
    var subproblems: [Subproblem]?
}

extension AuthorizationObject {
    /// What the authority found wrong, of the challenge that failed.
    var failure: String {
        let documents = challenges.compactMap(\.error)
        guard let document = documents.first else { return "its authorization is \(status.rawValue)" }
        return ACMEProblem(document, status: 0).explanation
    }
}
