import Authentication
package import MailStore
package import MailTransfer

/// What an operator's command asks of the store: of the running server through its control socket, or of the store
/// itself when no server runs.
package enum ControlRequest: Codable, Sendable, Equatable {
    case listDomains
    case addDomain(String)
    case deleteDomain(String)
    case listUsers
    /// All or none.
    case addUsers([NewUser])
    case setCredentials(address: String, CredentialsRecord)
    case deleteUser(String)
    case listAliases
    /// A name is an address, or `@` and a domain.
    case setAlias(name: String, targets: [String])
    case removeAlias(String)
    case listSenderGrants(address: String)
    case grantSender(address: String, sender: String)
    case revokeSender(address: String, sender: String)
    case verify
    case quota(address: String)
    /// Nil leaves as it is; limits are set both or none, and one that is nil beside the other is the configured default.
    case setQuota(address: String, storage: LimitRecord?, messages: LimitRecord?, isAdministrator: Bool?)
    /// Adds mail of a path to the user's. The path is absolute; a nil format is recognised.
    case importMail(address: String, path: String, format: TransferFormat?, mailbox: String?)
    /// Writes the user's mail into a directory, by its absolute path.
    case exportMail(address: String, path: String, format: TransferFormat)
    case queue(QueueRequest)
    case certificate(CertificateRequest)
}

/// What comes back: any number of answers, then `done` or `failed`.
package enum ControlReply: Codable, Sendable, Equatable {
    case domains([String])
    /// A part of the list.
    case users([UserRecord])
    /// A part of the list.
    case aliases([AliasRecord])
    case senders([String])
    case progress(checked: Int, total: Int)
    case damage(place: String, problem: String)
    /// How far the index of texts has come: messages, and octets on the disk.
    case textIndex(indexed: Int, messages: Int, octets: Int)
    case transferred(TransferReport)
    case quota(QuotaRecord)
    case queue(QueueReply)
    case certificate(CertificateReply)
    case done
    case failed(OperatorError)
}

package struct NewUser: Codable, Sendable, Equatable {
    package var address: String
    package var credentials: CredentialsRecord

    package init(address: String, credentials: CredentialsRecord) {
        self.address = address
        self.credentials = credentials
    }
}

/// `QuotaLimit` on the control socket.
package enum LimitRecord: Codable, Sendable, Equatable {
    case standard
    case unlimited
    case limited(UInt64)

    var limit: QuotaLimit {
        switch self {
        case .standard: .standard
        case .unlimited: .unlimited
        case .limited(let limit): .limited(limit)
        }
    }
}

/// What a user holds, and may hold; nil for no limit. Storage in octets.
package struct QuotaRecord: Codable, Sendable, Equatable {
    package var storage: UInt64
    package var storageLimit: UInt64?
    package var messages: UInt64
    package var messagesLimit: UInt64?

    init(_ quota: Quota) {
        (storage, storageLimit) = (quota.storage.usage, quota.storage.limit)
        (messages, messagesLimit) = (quota.messages.usage, quota.messages.limit)
    }
}

/// `Alias` on the control socket.
package struct AliasRecord: Codable, Sendable, Equatable {
    package var name: String
    package var targets: [String]
}

package struct UserRecord: Codable, Sendable, Equatable {
    package var address: String
    package var disabled: Bool
}

/// `StoredCredentials` on the control socket: verifiers, and no password but one that is asked to be kept.
package struct CredentialsRecord: Codable, Sendable, Equatable {
    private struct Verifier: Codable, Equatable {
        var salt: [UInt8]
        var iterations: Int
        var storedKey: [UInt8]
        var serverKey: [UInt8]

        init(_ verifier: SCRAMVerifier) {
            salt = verifier.salt
            iterations = verifier.iterations
            storedKey = verifier.storedKey
            serverKey = verifier.serverKey
        }

        var stored: SCRAMVerifier {
            SCRAMVerifier(salt: salt, iterations: iterations, storedKey: storedKey, serverKey: serverKey)
        }
    }

    private var argon2id: String
    private var scramSHA256: Verifier
    private var scramSHA1: Verifier?
    /// For CRAM-MD5: the one thing here that is a password.
    private var sharedSecret: [UInt8]?

    package init(_ credentials: StoredCredentials) {
        argon2id = credentials.argon2id
        scramSHA256 = Verifier(credentials.scramSHA256)
        scramSHA1 = credentials.scramSHA1.map { Verifier($0) }
        sharedSecret = credentials.sharedSecret?.octets
    }

    /// Nil when the verifier is not one that this server would compute.
    package var stored: StoredCredentials? {
        guard Argon2Verifier(argon2id) != nil else { return nil }
        return StoredCredentials(
            argon2id: argon2id, scramSHA256: scramSHA256.stored, scramSHA1: scramSHA1?.stored,
            sharedSecret: sharedSecret.map { SharedSecret($0) })
    }
}

/// Why a command failed, for the person who gave it.
package struct OperatorError: Error, Codable, Sendable, Equatable, CustomStringConvertible {
    package enum Kind: String, Codable, Sendable {
        case usage, dataError, noInput, noUser, unavailable, software, osError, portInUse, cannotCreate, ioError
        case temporaryFailure, noPermission, configuration

        /// As sysexits(3) has it.
        package var exitCode: Int32 {
            switch self {
            case .usage: 64
            case .dataError: 65
            case .noInput: 66
            case .noUser: 67
            case .unavailable: 69
            case .software: 70
            case .osError, .portInUse: 71
            case .cannotCreate: 73
            case .ioError: 74
            case .temporaryFailure: 75
            case .noPermission: 77
            case .configuration: 78
            }
        }
    }

    package var kind: Kind
    package var message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { message }
}

/// Performs requests. `reply` is called for each answer but the last: returning is `done`, throwing is `failed`.
package protocol Administering: Sendable {
    func perform(_ request: ControlRequest, reply: @escaping @Sendable (ControlReply) -> Void)
        async throws(OperatorError)
}
