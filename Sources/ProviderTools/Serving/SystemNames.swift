import Glibc

/// The number of a user of this machine, given by name or number. Throws `OperatorError` when there is none.
func systemUser(_ name: String) throws(OperatorError) -> UInt32 {
    if let number = UInt32(name), number != .max { return number }
    guard let number = number(of: name, { getpwnam_r($0, $1, $2, $3, $4) }, \.pw_uid) else {
        throw OperatorError(.configuration, "there is no user \(name) on this machine")
    }
    return number
}

/// The same of a group.
func systemGroup(_ name: String) throws(OperatorError) -> UInt32 {
    if let number = UInt32(name), number != .max { return number }
    guard let number = number(of: name, { getgrnam_r($0, $1, $2, $3, $4) }, \.gr_gid) else {
        throw OperatorError(.configuration, "there is no group \(name) on this machine")
    }
    return number
}

/// A group's entry has its members: more room than any has.
private let entryOctets = 1 << 20

private protocol DatabaseEntry { init() }
extension passwd: DatabaseEntry {}
extension group: DatabaseEntry {}

private func number<Entry: DatabaseEntry>(
    of name: String,
    _ look: (
        UnsafePointer<CChar>, UnsafeMutablePointer<Entry>, UnsafeMutablePointer<CChar>, Int,
        UnsafeMutablePointer<UnsafeMutablePointer<Entry>?>
    ) -> Int32,
    _ field: KeyPath<Entry, UInt32>
) -> UInt32? {
    var entry = Entry()
    var found: UnsafeMutablePointer<Entry>?
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: entryOctets) { buffer in
        guard let base = buffer.baseAddress, look(name, &entry, base, buffer.count, &found) == 0, let found else {
            return nil
        }
        return found.pointee[keyPath: field]
    }
}
