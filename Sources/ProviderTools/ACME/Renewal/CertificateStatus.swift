/// How a certificate is doing, for the operator. Times are seconds since 1970.
package struct CertificateStatus: Codable, Sendable, Equatable {
    package enum State: String, Codable, Sendable {
        /// In use.
        case valid
        /// In use, and due to be renewed.
        case due
        case expired, missing, revoked
    }

    package var name: String
    package var names: [String]
    package var state: State
    package var notBefore: Int64?
    package var notAfter: Int64?
    package var issuer: String?
    package var keyType: String?
    /// When it is to be renewed.
    package var renewal: Int64?
    package var lastAttempt: Int64?
    /// When it is tried next, after failures.
    package var nextAttempt: Int64?
    package var failures: Int
    package var lastError: String?
    package var isOrdered: Bool
    /// What to do about TLSA records.
    package var recordAdvice: String?
    package var chainFile: String
    package var keyFile: String
}

/// The TLSA records to publish for a certificate.
package struct CertificateRecords: Codable, Sendable, Equatable {
    package var name: String
    /// Owner names, `_993._tcp.mail.example.org.`
    package var places: [String]
    /// Data, `3 1 1 …`; nil before there is a key.
    package var current: String?
    /// Of the key that is to come, when one is prepared.
    package var next: String?
    /// Places where records are published, and are secure.
    package var published: [String]
    /// Of these, those whose records name neither the current certificate nor its authority.
    package var mismatched: [String]
    package var advice: String?
}

/// What became of one certificate when it was asked to be renewed.
package struct CertificateOutcome: Codable, Sendable, Equatable {
    package enum Result: String, Codable, Sendable { case renewed, notDue, failed }

    package var name: String
    package var result: Result
    /// Why it failed.
    package var reason: String?
}
