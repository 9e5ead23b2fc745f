import MailStore

/// Small bodies read ahead, so that a client that takes message after message costs one read for many of them.
struct PrefetchedBodies: Sendable {
    /// Octets read ahead at most: what one session may keep in memory between two commands.
    static let maximumOctets = 64 * 1024
    /// Larger ones are streamed; they need no help.
    static let maximumBody: UInt32 = 16 * 1024

    private var bodies: [BodyID: [UInt8]] = [:]
    fileprivate var lastRetrieved: UInt32 = 0

    /// The body if it is here; it is given away, so that memory shrinks as the client proceeds.
    mutating func take(_ body: BodyID) -> [UInt8]? { bodies.removeValue(forKey: body) }

    /// Replaces what is kept: what a client passed over, it will hardly ask for.
    mutating func replace(with read: [(BodyID, [UInt8]?)]) {
        bodies = [:]
        for (id, bytes) in read { bodies[id] = bytes }
    }
}

extension Maildrop {
    /// Remembers that message `number` was asked for. True when it follows the one asked for before.
    mutating func noteRetrieval(of number: UInt32) -> Bool {
        defer { prefetched.lastRetrieved = number }
        return number > 1 && number == prefetched.lastRetrieved &+ 1
    }

    /// The bodies worth reading along with that of message `number`: the small ones that follow it.
    func bodiesToPrefetch(behind number: UInt32) -> [BodyID] {
        var planned: [BodyID] = []
        var octets = 0
        for position in Int(number)..<max(Int(number), messages.count) {
            let row = messages[position]
            octets += Int(row.size)
            guard octets <= PrefetchedBodies.maximumOctets, row.size <= PrefetchedBodies.maximumBody else { break }
            if !isDeleted(row.uid) { planned.append(row.body) }
        }
        return planned
    }
}
