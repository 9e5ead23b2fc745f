package import MailStore
import Synchronization

/// Counts what users send, over the last hour and day. In memory: after a restart counting begins anew.
package final class SubmissionRates: Sendable {
    package enum Excess: Sendable, Equatable {
        case messages, recipients
    }

    /// Seconds that are counted as one: an hour is as many as four of these and what has passed of the next.
    private static let slot: Int64 = 900
    private static let slotsPerHour = 4
    private static let slotsPerDay = 96
    /// Users remembered; beyond, those who sent nothing for a day are forgotten.
    private static let users = 10_000

    private struct Usage {
        /// By slot of time modulo a day; each with the slot it is of.
        var slots: [(number: Int64, messages: Int, recipients: Int)] = []

        mutating func forget(before slot: Int64) { slots.removeAll { $0.number <= slot - Int64(slotsPerDay) } }

        func sum(_ last: Int, until slot: Int64) -> (messages: Int, recipients: Int) {
            slots.reduce((0, 0)) { sum, entry in
                entry.number > slot - Int64(last) ? (sum.0 + entry.messages, sum.1 + entry.recipients) : sum
            }
        }
    }

    private let limits: RateLimits
    private let usage = Mutex<[AccountID: Usage]>([:])

    package init(_ limits: RateLimits) { self.limits = limits }

    package var isLimited: Bool { limits.isLimited }

    /// Whether another message, with so many recipients, would be too much.
    /// - Parameter time: seconds since 1970.
    package func excess(of account: AccountID, recipients: Int, at time: Int64) -> Excess? {
        guard limits.isLimited else { return nil }
        return usage.withLock { excess($0[account] ?? Usage(), recipients, time / Self.slot) }
    }

    /// Counts a message, unless it is too much.
    package func count(_ account: AccountID, recipients: Int, at time: Int64) -> Excess? {
        guard limits.isLimited else { return nil }
        let slot = time / Self.slot
        return usage.withLock { usage in
            var own = usage[account] ?? Usage()
            own.forget(before: slot)
            if let excess = excess(own, recipients, slot) { return excess }
            if own.slots.last?.number != slot { own.slots.append((slot, 0, 0)) }
            own.slots[own.slots.count - 1].messages += 1
            own.slots[own.slots.count - 1].recipients += recipients
            usage[account] = own
            if usage.count > Self.users {
                usage = usage.filter { ($0.value.slots.last?.number ?? 0) > slot - Int64(Self.slotsPerDay) }
            }
            return nil
        }
    }

    private func excess(_ usage: Usage, _ recipients: Int, _ slot: Int64) -> Excess? {
        let (hour, day) = (usage.sum(Self.slotsPerHour, until: slot), usage.sum(Self.slotsPerDay, until: slot))
        if hour.messages >= limits.messagesPerHour ?? .max || day.messages >= limits.messagesPerDay ?? .max {
            return .messages
        }
        if hour.recipients + recipients > limits.recipientsPerHour ?? .max
            || day.recipients + recipients > limits.recipientsPerDay ?? .max
        {
            return .recipients
        }
        return nil
    }
}
