import Foundation
import Glibc

/// A certificate's files. `live/NAME` leads to a directory with the chain and its key, and is led to another one at once:
/// nobody ever sees the one of a pair without the other's successor.
///
///     live/NAME → ../NAME/pair-3    with fullchain.pem and privkey.pem, as other programs for certificates call them
///     NAME/next.pem                 the key that is to come, when keys are rolled
///     NAME/order.pem                the key of the order that is under way
///     NAME/state.json               what was tried, and when it is tried again
struct CertificateFolder: Sendable {
    static let live = "live"

    let directory: String
    private let liveDirectory: String
    private let name: String

    /// - Parameter folder: a directory that exists.
    init(folder: String, name: String) {
        self.name = name
        directory = folder + "/" + name
        liveDirectory = folder + "/" + Self.live
    }

    private var link: String { liveDirectory + "/" + name }
    var chainFile: String { link + "/fullchain.pem" }
    var keyFile: String { link + "/privkey.pem" }
    private var nextKeyFile: String { directory + "/next.pem" }
    private var orderKeyFile: String { directory + "/order.pem" }
    private var stateFile: String { directory + "/state.json" }

    /// The directory that is led to, beside the others of this certificate.
    private var pair: String? {
        guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: link) else { return nil }
        return target.split(separator: "/").last.map(String.init)
    }

    /// Nil until there is one, or when what is there cannot be read.
    func current() -> (chain: CertificateChain, key: CertificateKey)? {
        guard let pair, let chain = CertificateChain(file: directory + "/" + pair + "/fullchain.pem"),
            let key = CertificateKey(file: directory + "/" + pair + "/privkey.pem"), key.belongs(to: chain.leaf)
        else { return nil }
        return (chain, key)
    }

    func makeDirectory() throws(ACMEError) {
        do {
            try PrivateFile.makeDirectory(directory)
            try PrivateFile.makeDirectory(liveDirectory)
        } catch {
            throw .file("\(directory) cannot be made: \(error.localizedDescription)")
        }
    }

    /// Writes the pair beside the current one, and goes over to it. The one before stays until the next time, for
    /// who is just reading it.
    func install(_ chain: CertificateChain, _ key: CertificateKey) throws(ACMEError) {
        let old = pair
        let number = (old.flatMap { Int($0.dropFirst("pair-".count)) } ?? 0) + 1
        let new = "pair-\(number)"
        do {
            try PrivateFile.makeDirectory(directory + "/" + new)
            try PrivateFile.write(key.pem, to: directory + "/\(new)/privkey.pem")
            try PrivateFile.write(chain.pem, to: directory + "/\(new)/fullchain.pem", mode: 0o644)
            try Self.sync(directory + "/" + new)
            try Self.sync(directory)
            // A dot: who lists certificates does not see it.
            let fresh = "\(directory)/.live"
            unlink(fresh)
            guard symlink("../\(name)/\(new)", fresh) == 0, rename(fresh, link) == 0 else {
                throw FileError(link, errno: errno)
            }
            try Self.sync(liveDirectory)
        } catch {
            throw .file("the new certificate cannot be written: \(error)")
        }
        for entry in (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        where entry.hasPrefix("pair-") && entry != new && entry != old {
            try? FileManager.default.removeItem(atPath: directory + "/" + entry)
        }
    }

    // MARK: Keys to come

    func nextKey() -> CertificateKey? { CertificateKey(file: nextKeyFile) }

    func writeNextKey(_ key: CertificateKey?) throws(ACMEError) { try write(key, nextKeyFile) }

    func orderKey() -> CertificateKey? { CertificateKey(file: orderKeyFile) }

    func writeOrderKey(_ key: CertificateKey?) throws(ACMEError) { try write(key, orderKeyFile) }

    private func write(_ key: CertificateKey?, _ path: String) throws(ACMEError) {
        guard let key else {
            unlink(path)
            return
        }
        do throws(FileError) { try PrivateFile.write(key.pem, to: path) } catch { throw .file("\(error)") }
    }

    // MARK: State

    /// What cannot be read counts as nothing: it is only when to try again.
    func state() -> RenewalState {
        guard let data = FileManager.default.contents(atPath: stateFile) else { return RenewalState() }
        return (try? JSONDecoder().decode(RenewalState.self, from: data)) ?? RenewalState()
    }

    func write(_ state: RenewalState) throws(ACMEError) {
        let text = String(decoding: WebSignature.json(state), as: UTF8.self) + "\n"
        do throws(FileError) { try PrivateFile.write(text, to: stateFile) } catch { throw .file("\(error)") }
    }

    private static func sync(_ path: String) throws(FileError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(path, errno: errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw FileError(path, errno: errno) }
    }
}
