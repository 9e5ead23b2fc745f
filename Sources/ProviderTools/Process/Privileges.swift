import CProcess
import Foundation
import Glibc

/// What the process may do, and gives up for good once it has bound its ports.
package enum Privileges {
    /// A user and a group by number.
    package struct Identity: Sendable, Equatable {
        package var user: UInt32
        package var group: UInt32
        var name: String
    }

    package static var isRoot: Bool { geteuid() == 0 }

    /// Throws `OperatorError` when there is no such user or group.
    package static func identity(_ runAs: RunAs) throws(OperatorError) -> Identity {
        guard let user = getpwnam(runAs.user)?.pointee else {
            throw OperatorError(.configuration, "run-as: there is no user \(runAs.user)")
        }
        guard let group = runAs.group else {
            return Identity(user: user.pw_uid, group: user.pw_gid, name: runAs.user)
        }
        guard let entry = getgrnam(group)?.pointee else {
            throw OperatorError(.configuration, "run-as: there is no group \(group)")
        }
        return Identity(user: user.pw_uid, group: entry.gr_gid, name: runAs.user)
    }

    /// Becomes `identity`, with the user's supplementary groups, and gives up every capability. To be called before
    /// there are other threads. Throws `OperatorError`, also when anything could be had again: the process must end.
    ///
    /// - Parameter keepsBinding: ports below 1024 can be bound later on.
    package static func drop(to identity: Identity, keepsBinding: Bool) throws(OperatorError) {
        guard !keepsBinding || process_keep_capabilities() == 0, initgroups(identity.name, identity.group) == 0,
            setgid(identity.group) == 0, setuid(identity.user) == 0
        else {
            throw OperatorError(
                .noPermission, "cannot become \(identity.name) (run-as): \(String(cString: strerror(errno)))")
        }
        try dropCapabilities(keepsBinding: keepsBinding)
        try verify(identity, keepsBinding: keepsBinding)
    }

    /// Without another user: what a service manager gave for binding ports is needed no longer.
    package static func dropCapabilities(keepsBinding: Bool) throws(OperatorError) {
        // Who does not have the one that is to be kept gives up all.
        guard (keepsBinding && process_drop_capabilities(1) == 0) || process_drop_capabilities(0) == 0,
            process_forbid_new_privileges() == 0
        else {
            throw OperatorError(.osError, "capabilities cannot be given up: \(String(cString: strerror(errno)))")
        }
    }

    /// That nothing remains, and nothing can be had again.
    private static func verify(_ identity: Identity, keepsBinding: Bool) throws(OperatorError) {
        let regained = identity.user != 0 && (setuid(0) == 0 || seteuid(0) == 0 || geteuid() == 0)
        let isOther = getuid() != identity.user || geteuid() != identity.user || getgid() != identity.group
        var groups = [gid_t](repeating: 0, count: 65_536)
        let count = getgroups(Int32(groups.count), &groups)
        let isInRootGroup = identity.group != 0 && groups.prefix(Int(max(0, count))).contains(0)
        guard !regained, !isOther, count >= 0, !isInRootGroup || identity.user == 0,
            keepsBinding || !hasCapabilities
        else {
            throw OperatorError(.noPermission, "root's rights could not be given up for good; not started")
        }
    }

    /// Whether this thread may do what other users' processes may not.
    package static var hasCapabilities: Bool {
        guard let status = try? String(contentsOfFile: "/proc/thread-self/status", encoding: .utf8) else { return true }
        return status.split(separator: "\n").contains { line in
            (line.hasPrefix("CapEff:") || line.hasPrefix("CapPrm:") || line.hasPrefix("CapAmb:"))
                && line.drop { $0 != ":" }.dropFirst().contains { $0 != "0" && !$0.isWhitespace }
        }
    }

    /// No core dumps, and nobody else of the same user looks into memory: there are keys and passwords in it.
    package static func forbidInspection() throws(OperatorError) {
        guard process_forbid_inspection() == 0 else {
            throw OperatorError(.osError, "core dumps cannot be forbidden: \(String(cString: strerror(errno)))")
        }
    }

    /// Makes the state directory for its user, or finds out that somebody else could write in it. Throws
    /// `OperatorError`.
    package static func checkStateDirectory(_ path: String, owner: Identity?) throws(OperatorError) {
        let user = owner?.user ?? geteuid()
        let attributes: [FileAttributeKey: Any]
        do { attributes = try FileManager.default.attributesOfItem(atPath: path) } catch {
            guard let owner, access(path, F_OK) != 0, errno == ENOENT else { return }
            guard mkdir(path, 0o700) == 0, lchown(path, owner.user, owner.group) == 0 else {
                throw OperatorError(.cannotCreate, "\(path) cannot be made: \(String(cString: strerror(errno)))")
            }
            return
        }
        guard attributes[.ownerAccountID] as? Int == Int(user) else {
            throw OperatorError(
                .noPermission, "the state directory \(path) belongs to another user than the server runs as; chown it")
        }
        guard (attributes[.posixPermissions] as? Int ?? 0o777) & 0o002 == 0 else {
            throw OperatorError(.noPermission, "everyone can write into the state directory \(path); chmod 700 \(path)")
        }
    }
}
