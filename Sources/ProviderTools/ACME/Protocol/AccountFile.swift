import Crypto
import Foundation

/// An account with an authority: its key and, once it is made, its URL. One file for each authority, so that going to
/// another one, and back, keeps both.
struct ACMEAccount: Codable, Sendable, Equatable {
    var directory: String
    /// PEM.
    var key: String
    /// Nil until the authority has made it.
    var url: String?
    /// As the authority has them.
    var contact: [String] = []

    var signingKey: P256.Signing.PrivateKey? { try? P256.Signing.PrivateKey(pemRepresentation: key) }
}

/// Where accounts are kept: files for nobody else's eyes.
struct AccountFile: Sendable {
    let path: String
    private let directory: String

    /// - Parameters:
    ///   - folder: a directory that exists.
    ///   - directory: the authority's URL.
    init(folder: String, directory: String) {
        let name = SHA256.hash(data: Data(directory.utf8)).prefix(8).map { String(format: "%02x", $0) }.joined()
        path = folder + "/account-\(name).json"
        self.directory = directory
    }

    /// The account, or a new key for one, which is on the disk before anybody is told of it.
    func readOrMake() throws(ACMEError) -> ACMEAccount {
        if let data = FileManager.default.contents(atPath: path) {
            guard let account = try? JSONDecoder().decode(ACMEAccount.self, from: data), account.directory == directory,
                account.signingKey != nil
            else { throw .file("\(path) holds no account; move it away, and another one is made") }
            return account
        }
        guard !FileManager.default.fileExists(atPath: path) else { throw .file("\(path) cannot be read") }
        let account = ACMEAccount(directory: directory, key: P256.Signing.PrivateKey().pemRepresentation)
        try write(account)
        return account
    }

    func write(_ account: ACMEAccount) throws(ACMEError) {
        let text = String(decoding: WebSignature.json(account), as: UTF8.self) + "\n"
        do throws(FileError) { try PrivateFile.write(text, to: path) } catch { throw .file("\(error)") }
    }
}
