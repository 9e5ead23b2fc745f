import Synchronization
import WireFraming

/// An open connection to a filter with the state of its dialogue.
struct MilterLink: Sendable {
    let stream: any ByteStream
    var machine: MilterMachine
    /// Whether it has served another client before.
    var isUsed = false
}

/// Connections to one filter that wait for another client.
final class MilterPool: Sendable {
    /// As many as clients are often there at once; each costs the filter a thread.
    static let maximumIdle = 4
    /// Filters end connections that say nothing; long before that this side does.
    static let longestIdle = Duration.seconds(60)

    private struct Idle {
        var link: MilterLink
        var since: ContinuousClock.Instant
    }

    private let idle = Mutex<(links: [Idle], isClosed: Bool)>(([], false))

    /// The one that was used last; nil when there is none.
    func take() -> MilterLink? {
        let (found, stale) = idle.withLock { idle in
            let now = ContinuousClock.now
            let firstFresh = idle.links.firstIndex { now - $0.since < Self.longestIdle } ?? idle.links.count
            let stale = Array(idle.links[..<firstFresh])
            idle.links.removeFirst(firstFresh)
            return (idle.links.popLast(), stale)
        }
        for old in stale { old.link.stream.close() }
        return found?.link
    }

    func put(_ link: MilterLink) {
        var link = link
        link.isUsed = true
        let isKept = idle.withLock { idle in
            guard !idle.isClosed, idle.links.count < Self.maximumIdle else { return false }
            idle.links.append(Idle(link: link, since: .now))
            return true
        }
        if !isKept { link.stream.close() }
    }

    /// Ends what is idle; what is in use ends when it is put back.
    func close() {
        let links = idle.withLock { idle in
            idle.isClosed = true
            defer { idle.links = [] }
            return idle.links
        }
        for old in links { old.link.stream.close() }
    }
}
